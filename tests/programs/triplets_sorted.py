"""Metric learning: nearest neighbours with sorted() and min(key=...) over Values, triplet loss with a margin."""
import math
import random
from operator import attrgetter


class Value:
    def __init__(self, data, _children=(), _local_grads=()):
        self.data = data
        self.grad = 0.0
        self._children = _children
        self._local_grads = _local_grads

    def _new(self, data, **grads):
        return Value(data, *zip(*grads.values())) if grads else Value(data)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._new(self.data + other.data, left=(self, 1.0), right=(other, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self._new(self.data * other.data, left=(self, other.data), right=(other, self.data))

    def __sub__(self, other): return self + -1.0 * other
    def __pow__(self, n): return self._new(self.data ** n, base=(self, n * self.data ** (n - 1)))
    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __lt__(self, other): return self.data < getattr(other, 'data', other)
    def __gt__(self, other): return self.data > getattr(other, 'data', other)
    def __le__(self, other): return self.data <= getattr(other, 'data', other)
    def __ge__(self, other): return self.data >= getattr(other, 'data', other)

    def backward(self):
        order, seen = [], set()
        def visit(v):
            if v in seen: return
            seen.add(v)
            list(map(visit, v._children))
            order.append(v)
        visit(self)
        self.grad = 1.0
        while order:
            v = order.pop()
            for c, g in zip(v._children, v._local_grads):
                c.grad += g * v.grad

# Instead: from autograd import Value

random.seed(30)
M = [[Value(random.gauss(0, 1)) for _ in range(3)] for _ in range(2)]
animals = {'cat': [1.0, 0.2, 0.1], 'lynx': [0.9, 0.4, 0.0], 'trout': [-0.8, 0.9, 0.3], 'carp': [-1.0, 0.7, 0.5]}
kind = {'cat': 0, 'lynx': 0, 'trout': 1, 'carp': 1}

def embed(x): return [sum(m * xi for m, xi in zip(row, x)) for row in M]
def distance(a, b): return sum((u - v) ** 2 for u, v in zip(a, b))

record = []
for step in range(5):
    points = {name: embed(x) for name, x in animals.items()}
    loss = Value(0.0)
    for name, p in points.items():
        others = [(distance(p, q), kind[n] == kind[name]) for n, q in points.items() if n != name]
        positive = max((d for d, same in others if same), key=attrgetter('data'))
        negative = min((d for d, same in others if not same), key=lambda d: d.data)
        ranked = sorted(d for d, _ in others)
        assert ranked[0] <= ranked[-1] and ranked[0] is min(ranked) and ranked[-1] is max(ranked)
        hinge = positive - negative + 4.0
        if hinge > 0:
            loss += hinge
        loss += 0.01 * ranked[len(ranked) // 2]
    loss.backward()
    for row in M:
        for m in row:
            m.data -= 0.03 * m.grad
    record.append(loss.data)
    if step < 4:
        for row in M:
            for m in row: m.grad = 0.0

median = sorted((m for row in M for m in row), key=lambda m: -abs(m.data))[2]
result = {'loss': record, 'M': [[(m.data, m.grad) for m in row] for row in M], 'median': median.data}
