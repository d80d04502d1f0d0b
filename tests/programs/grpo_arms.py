"""GRPO on a table of logits: groups of samples, advantages inside the group, a clipped ratio, a KL term."""
import math
import random


class Scalar:
    __slots__ = ['data', 'grad', 'kids', 'rule']

    def __init__(self, data, kids=(), rule=None):
        self.data = data
        self.grad = 0.0
        self.kids = kids
        self.rule = rule

    def backward(self):
        order = []
        state = {}
        stack = [self]
        while stack:
            v = stack.pop()
            if state.get(v) is None:
                state[v] = 'open'
                stack += [v, *v.kids]
            elif state[v] == 'open':
                state[v] = 'closed'
                order.append(v)
        self.grad = 1.0
        for v in order[::-1]:
            match v.rule, v.kids:
                case '+', (a, b):
                    a.grad += v.grad
                    b.grad += v.grad
                case '*', (a, b):
                    a.grad += v.grad * b.data
                    b.grad += v.grad * a.data
                case 'exp', (a,):
                    a.grad += v.grad * v.data
                case 'log', (a,):
                    a.grad += v.grad / a.data

    def __add__(self, o): return Scalar(self.data + lift(o).data, (self, o := lift(o)), '+')
    def __mul__(self, o): return Scalar(self.data * lift(o).data, (self, o := lift(o)), '*')
    def __neg__(self): return self * -1.0
    def __sub__(self, o): return self + -lift(o)
    __radd__, __rmul__ = __add__, __mul__
    def exp(self): return Scalar(math.exp(self.data), (self,), 'exp')
    def log(self): return Scalar(math.log(self.data), (self,), 'log')
    def __lt__(self, o): return self.data < lift(o).data
    def __gt__(self, o): return self.data > lift(o).data

def lift(x): return x if isinstance(x, Scalar) else Scalar(x)

# Instead: from autograd import Value as Scalar

prompts, answers, G = 2, 3, 4
theta = [[Scalar(0.1 * ((i + 2 * j) % 3)) for j in range(answers)] for i in range(prompts)]
params = [t for row in theta for t in row]
right = [2, 0]
rng = random.Random(8)

def log_probs(row):
    top = max(r.data for r in row)
    z = sum((r - top).exp() for r in row).log() + top
    return [r - z for r in row]

def clip(x, lo, hi): return max(min(x, hi), lo)

reference = [[lp.data for lp in log_probs(row)] for row in theta]
trace = []
for iteration in range(4):
    old = [[lp.data for lp in log_probs(row)] for row in theta]
    batch = []
    for q in range(prompts):
        picks = rng.choices(range(answers), weights=[math.exp(o) for o in old[q]], k=G)
        rewards = [1.0 if a == right[q] else 0.1 * a for a in picks]
        mean = sum(rewards) / G
        std = math.sqrt(sum((r - mean) ** 2 for r in rewards) / G) + 1e-6
        batch += [(q, a, (r - mean) / std) for a, r in zip(picks, rewards)]
    for epoch in range(2):              # the second time, the ratio is no longer one
        loss = Scalar(0.0)
        for q, a, advantage in batch:
            lp = log_probs(theta[q])[a]
            ratio = (lp - old[q][a]).exp()
            clipped = clip(ratio, 0.8, 1.2)
            loss += -min(ratio * advantage, clipped * advantage, key=lambda v: getattr(v, 'data', v))
            gap = reference[q][a] - lp.data
            loss += 0.04 * ((lp * -1 + reference[q][a]).exp() - (lp * -1 + reference[q][a]) - 1)
        loss = loss * (1 / len(batch))
        for p in params:
            p.grad = 0.0
        loss.backward()
        for p in params:
            p.data -= 0.7 * p.grad
        trace.append(loss.data)
        last = [p.grad for p in params]

result = [trace[1::2], last, [p.data for p in params]]
