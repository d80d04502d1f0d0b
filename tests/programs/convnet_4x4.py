# two 2x2 filters over a 4x4 picture, max pooling, a linear read-out, softmax
import numpy as np
import random
import math
from functools import total_ordering


@total_ordering
class Value:
    _registry = {}          # op name -> (forward, local derivatives)

    def __init__(self, data, args=(), op=None):
        self.data, self.grad, self.args, self.op = data, 0.0, args, op

    @classmethod
    def register(cls, name, forward, *locals_):
        cls._registry[name] = (forward, locals_)

    def __getattr__(self, name):        # v.exp() finds "exp" in the registry
        if name.startswith('_') or name not in Value._registry:
            raise AttributeError(name)
        return lambda *others: self._apply(name, *others)

    def _apply(self, name, *others):
        args = (self,) + tuple(o if isinstance(o, Value) else Value(o) for o in others)
        return Value(Value._registry[name][0](*[a.data for a in args]), args, name)

    def __add__(self, o): return self._apply('add', o)
    def __mul__(self, o): return self._apply('mul', o)
    def __truediv__(self, o): return self._apply('div', o)
    def __sub__(self, o): return self._apply('add', o * -1)
    def __radd__(self, o): return self + o
    def __rmul__(self, o): return self * o
    def __neg__(self): return self * -1
    def __lt__(self, o): return self.data < (o.data if isinstance(o, Value) else o)
    def __eq__(self, o): return self is o
    def __hash__(self): return id(self)

    def backward(self):
        visited, topo = set(), []
        def build(v):
            if v in visited: return
            visited.add(v)
            for a in v.args: build(a)
            topo.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(topo):
            if v.op is None: continue
            numbers = [a.data for a in v.args]
            for a, local in zip(v.args, Value._registry[v.op][1]):
                a.grad += v.grad * local(*numbers)

Value.register('add', lambda a, b: a + b, lambda a, b: 1.0, lambda a, b: 1.0)
Value.register('mul', lambda a, b: a * b, lambda a, b: b, lambda a, b: a)
Value.register('div', lambda a, b: a / b, lambda a, b: 1 / b, lambda a, b: -a / (b * b))
Value.register('exp', math.exp, math.exp)
Value.register('log', math.log, lambda a: 1 / a)
Value.register('relu', lambda a: a if a > 0 else 0.0, lambda a: 1.0 if a > 0 else 0.0)

# Instead: from autograd import Value

rng = np.random.RandomState(3)
horizontal = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
images = [(horizontal, 0), (horizontal.T, 1), (1 - horizontal, 0), ((1 - horizontal).T, 1)]
images = [(im + 0.1 * rng.randn(4, 4), label) for im, label in images]

filters = [[[Value(rng.randn() * 0.5) for _ in range(2)] for _ in range(2)] for _ in range(2)]
readout = [[Value(rng.randn() * 0.5) for _ in range(8)] for _ in range(2)]
bias = [Value(0), Value(0)]
params = [p for f in filters for row in f for p in row] + [p for row in readout for p in row] + bias

def conv(im, f):
    return [[sum(f[a][b] * im[i + a, j + b] for a in range(2) for b in range(2)).relu() for j in range(3)] for i in range(3)]

def pool(m):
    return [max(m[i][j], m[i][j + 1], m[i + 1][j], m[i + 1][j + 1]) for i in range(2) for j in range(2)]

def logits(im):
    features = [v for f in filters for v in pool(conv(im, f))]
    return [sum(w * x for w, x in zip(row, features)) + b for row, b in zip(readout, bias)]

losses, hits = [], []
for epoch in range(4):
    loss, hit = Value(0), 0
    for im, label in images:
        z = logits(im)
        top = max(z)                            # itself a Value
        e = [(zi - top.data).exp() for zi in z]
        loss = loss - (e[label] / sum(e)).log()
        hit += z.index(top) == label
    for p in params: p.grad = 0
    loss.backward()
    for p in params: p.data += -0.1 * p.grad
    losses.append(loss.data)
    hits.append(hit)

result = losses + hits + [p.data for p in params] + [p.grad for p in params[:8]]
