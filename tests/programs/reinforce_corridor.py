"""REINFORCE with a baseline in a corridor of five cells; the policy is a softmax over two logits a cell."""
import math
import random
from collections import deque


class Var:
    def __init__(self, data, why=()):
        self.data = data
        self.why = why          # list of (local gradient, variable)
        self.grad = 0.0

    def backward(self):
        indegree = {}
        queue = deque([self])
        seen = {self}
        while queue:
            for _, v in queue.popleft().why:
                indegree[v] = indegree.get(v, 0) + 1
                if v not in seen:
                    seen.add(v)
                    queue.append(v)
        self.grad = 1.0
        queue.append(self)
        while queue:
            v = queue.popleft()
            for d, u in v.why:
                u.grad += d * v.grad
                indegree[u] -= 1
                if indegree[u] == 0:
                    queue.append(u)

def val(x): return x.data if isinstance(x, Var) else x
def var(*pairs): return [(d, v) for d, v in pairs if isinstance(v, Var)]

Var.__add__ = Var.__radd__ = lambda a, b: Var(val(a) + val(b), var((1.0, a), (1.0, b)))
Var.__mul__ = Var.__rmul__ = lambda a, b: Var(val(a) * val(b), var((val(b), a), (val(a), b)))
Var.__sub__ = lambda a, b: Var(val(a) - val(b), var((1.0, a), (-1.0, b)))
Var.__truediv__ = lambda a, b: Var(val(a) / val(b), var((1 / val(b), a), (-val(a) / val(b) ** 2, b)))
Var.exp = lambda a: Var(math.exp(a.data), [(math.exp(a.data), a)])
Var.log = lambda a: Var(math.log(a.data), [(1 / a.data, a)])

# Instead: from autograd import Value as Var

random.seed(17)
logits = [[Var(0.0), Var(0.0)] for _ in range(5)]
values = [0.0] * 5

def policy(cell):
    e = [l.exp() for l in logits[cell]]
    s = e[0] + e[1]
    return [ei / s for ei in e]

def episode(limit=7):
    cell, steps = 2, []
    while 0 < cell < 4 and len(steps) < limit:
        probs = policy(cell)
        right = random.random() < probs[1].data
        steps.append((cell, probs[right].log()))
        cell += 1 if right else -1
    return steps, 1.0 if cell == 4 else -0.2

returns, objectives = [], []
for it in range(8):
    steps, reward = episode()
    objective = Var(0.0)
    for k, (cell, logp) in enumerate(steps):
        G = reward * 0.9 ** (len(steps) - 1 - k)
        advantage = G - values[cell]
        values[cell] += 0.3 * advantage
        objective += logp * advantage
    entropy = sum([pr * pr.log() for pr in policy(2)], Var(0.0)) * -0.01
    loss = objective * -1 - entropy
    for row in logits:
        for l in row:
            l.grad = 0
    loss.backward()
    for row in logits:
        for l in row:
            l.data -= 0.5 * l.grad
    returns.append(reward)
    objectives.append(loss.data)

result = returns + objectives + values + [l.data for row in logits[1:4] for l in row] + [l.grad for l in logits[2]]
