# AdamW that keeps its moments on the parameters themselves
import math


class Value:
    def __init__(self, data, _children=(), _op=''):
        self.data = data
        self.grad = 0.0
        self.m = 0.0
        self._children, self._op = _children, _op

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), '+')

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), '*')

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        topo, seen = [], set()
        def build(v):
            if v not in seen:
                seen.add(v)
                for c in v._children: build(c)
                topo.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(topo):
            if v._op == '+':
                for c in v._children: c.grad += v.grad
            if v._op == '*':
                a, b = v._children
                a.grad += b.data * v.grad
                b.grad += a.data * v.grad

# Instead: from autograd import Value

a, b = Value(1.0), Value(-2.0)
for p in (a, b):
    p.m = 0.0           # not just any attribute: what the optimiser remembers
    p.v = 0.0

losses = []
for t in range(1, 6):
    loss = 0.5 * a * (a * 2.0) + a * b + b * (b * 1.0)
    a.grad = b.grad = 0.0
    loss.backward()
    for p in (a, b):
        p.m = 0.9 * p.m + 0.1 * p.grad
        p.v = 0.95 * p.v + 0.05 * p.grad ** 2
        p.data -= 0.1 * (p.m / (1 - 0.9 ** t) / (math.sqrt(p.v / (1 - 0.95 ** t)) + 1e-8) + 0.01 * p.data)
    losses.append(loss.data)

result = losses + [a.data, b.data, a.m, b.v]
