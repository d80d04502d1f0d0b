"""Deep Q-learning: the target network is a deep copy of the online one, Huber loss, replay buffer."""
import copy
import random
from collections import deque


class Value:
    def __init__(self, data, parents=(), chain=None):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.chain = chain

    @classmethod
    def make(cls, data, *parents_and_slopes):
        parents, slopes = parents_and_slopes[::2], parents_and_slopes[1::2]
        return cls(data, parents, slopes)

    def __add__(self, x):
        return Value.make(self.data + x.data, self, 1.0, x, 1.0) if isinstance(x, Value) else Value.make(self.data + x, self, 1.0)

    def __mul__(self, x):
        return Value.make(self.data * x.data, self, x.data, x, self.data) if isinstance(x, Value) else Value.make(self.data * x, self, x)

    def __sub__(self, x): return self + x * -1
    def __radd__(self, x): return self + x
    def __rmul__(self, x): return self * x
    def __neg__(self): return self * -1
    def __abs__(self): return self if self.data > 0 else -self
    def relu(self): return Value.make(max(0.0, self.data), self, float(self.data > 0))
    def __lt__(self, x): return self.data < (x.data if isinstance(x, Value) else x)
    def __gt__(self, x): return self.data > (x.data if isinstance(x, Value) else x)

    def backward(self):
        order, active = [], set()
        def enter(v):
            active.add(v)
            for p in v.parents:
                p in active or enter(p)
            order.append(v)
        enter(self)
        self.grad = 1.0
        for v in reversed(order):
            for p, s in zip(v.parents, v.chain or ()):
                p.grad += s * v.grad

# Instead: from autograd import Value

class QNet:
    def __init__(self, n_state, n_hidden, n_action, rng):
        self.hidden = [[Value(rng.uniform(-1, 1)) for _ in range(n_state + 1)] for _ in range(n_hidden)]
        self.out = [[Value(rng.uniform(-1, 1)) for _ in range(n_hidden + 1)] for _ in range(n_action)]

    def __call__(self, s):
        h = [(sum(w * x for w, x in zip(row, s)) + row[-1]).relu() for row in self.hidden]
        return [sum(w * x for w, x in zip(row, h)) + row[-1] for row in self.out]

    def parameters(self):
        return [w for layer in (self.hidden, self.out) for row in layer for w in row]

def huber(e):
    return e * e * 0.5 if abs(e) < 1.0 else abs(e) - 0.5

rng = random.Random(77)
online = QNet(2, 3, 2, rng)
target = copy.deepcopy(online)
assert not set(online.parameters()) & set(target.parameters())
memory = deque(maxlen=20)
state, losses = [0.2, -0.1], []
for t in range(12):
    q = online(state)
    action = rng.randrange(2) if rng.random() < 0.3 else q.index(max(q))
    after = [0.9 * state[0] + 0.1 * (action * 2 - 1), 0.8 * state[1] + state[0]]
    reward = 1.0 - abs(after[0])
    memory.append((state, action, reward, after))
    state = after
    loss = 0
    for s, a, r, s2 in rng.sample(list(memory), min(3, len(memory))):
        goal = r + 0.9 * max(v.data for v in target(s2))
        loss = loss + huber(online(s)[a] - goal)
    for p in online.parameters(): p.grad = 0.0
    loss.backward()
    for p in online.parameters(): p.data -= 0.05 * p.grad
    losses.append(loss.data)
    if t % 4 == 3:
        target = copy.deepcopy(online)

result = losses + [p.data for p in online.parameters()] + [p.grad for p in target.parameters()]
