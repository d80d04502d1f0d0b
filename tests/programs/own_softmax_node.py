# softmax, layer norm and mean squared error as single nodes with many children
import math
import random


class Value:
    def __init__(self, data, _children=(), _op='', label=''):
        self.data = data
        self.grad = 0.0
        self._prev = tuple(_children)
        self._op = _op
        self.label = label
        self._backward = None

    def _binary(self, other, op, f):
        other = other if isinstance(other, Value) else Value(other)
        data, da, db = f(self.data, other.data)
        out = Value(data, (self, other), op)
        def _backward():
            self.grad += da * out.grad
            other.grad += db * out.grad
        out._backward = _backward
        return out

    def __add__(self, other): return self._binary(other, '+', lambda a, b: (a + b, 1.0, 1.0))
    def __mul__(self, other): return self._binary(other, '*', lambda a, b: (a * b, b, a))
    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __sub__(self, other): return self._binary(other, '-', lambda a, b: (a - b, 1.0, -1.0))

    def backward(self):
        topo = []
        def build(v, seen):
            if id(v) not in seen:
                seen.add(id(v))
                for c in v._prev:
                    build(c, seen)
                topo.append(v)
        build(self, set())
        for v in topo:
            if v._prev: v.grad = 0.0
        self.grad = 1.0
        for v in topo[::-1]:
            if v._backward: v._backward()

# Instead: from autograd import Value

def softmax(xs):
    m = max(x.data for x in xs)
    e = [math.exp(x.data - m) for x in xs]
    p = [ei / sum(e) for ei in e]
    outs = []
    for i, pi in enumerate(p):
        out = Value(pi, xs, 'softmax', f'p{i}')
        def _backward(i=i, out=out):
            for j, x in enumerate(xs):
                x.grad += p[i] * ((i == j) - p[j]) * out.grad
        out._backward = _backward
        outs.append(out)
    return outs

def normalise(xs, eps=1e-5):
    n = len(xs)
    mu = sum(x.data for x in xs) / n
    sd = math.sqrt(sum((x.data - mu) ** 2 for x in xs) / n + eps)
    z = [(x.data - mu) / sd for x in xs]
    outs = [Value(zi, tuple(xs), 'norm') for zi in z]
    for i, out in enumerate(outs):
        def _backward(i=i, out=out):
            for j, x in enumerate(xs):
                x.grad += ((i == j) - 1 / n - z[i] * z[j] / n) / sd * out.grad
        out._backward = _backward
    return outs

def mse(ps, ts):
    out = Value(sum((p.data - t) ** 2 for p, t in zip(ps, ts)) / len(ps), ps, 'mse')
    def _backward():
        for p, t in zip(ps, ts):
            p.grad += 2 * (p.data - t) / len(ps) * out.grad
    out._backward = _backward
    return out

random.seed(14)
W = [[Value(random.gauss(0, 1)) for _ in range(3)] for _ in range(3)]
x, t = [0.5, -1.0, 0.8], [0.0, 1.0, 0.0]
losses = []
for step in range(4):
    h = normalise([sum(w * xi for w, xi in zip(row, x)) for row in W])
    p = softmax([hi * 1.5 + hi * hi for hi in h])
    loss = mse(p, t) + 0.01 * sum(w * w for row in W for w in row)
    for row in W:
        for w in row: w.grad = 0.0
    loss.backward()
    for row in W:
        for w in row: w.data -= 0.5 * w.grad
    losses.append(loss.data)

result = {'losses': losses, 'p': [(pi.data, pi.grad) for pi in p], 'h': [hi.grad for hi in h], 'W': [[w.grad for w in row] for row in W]}
