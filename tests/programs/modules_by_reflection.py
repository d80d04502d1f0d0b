# modules that find their parameters themselves, in __dict__, lists, tuples and dictionaries
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass


class Node(ABC):
    grad = 0.0

    @property
    @abstractmethod
    def data(self): ...

    def parents(self): return ()

    def __add__(self, other): return Sum(self, as_node(other))
    def __mul__(self, other): return Product(self, as_node(other))
    def __radd__(self, other): return Sum(as_node(other), self)
    def __rmul__(self, other): return Product(as_node(other), self)
    def __sub__(self, other): return Sum(self, Product(as_node(-1.0), as_node(other)))

    def backward(self):
        order, seen = [], set()
        def visit(n):
            if id(n) in seen: return
            seen.add(id(n))
            for p, _ in n.parents(): visit(p)
            order.append(n)
        visit(self)
        self.grad = 1.0
        for n in reversed(order):
            for p, d in n.parents(): p.grad = p.grad + d * n.grad


class Value(Node):
    def __init__(self, data): self._data = data
    @property
    def data(self): return self._data
    @data.setter
    def data(self, new): self._data = new


class Sum(Node):
    def __init__(self, a, b): self.a, self.b, self._data = a, b, a.data + b.data
    @property
    def data(self): return self._data
    def parents(self): return (self.a, 1.0), (self.b, 1.0)


class Product(Sum):
    def __init__(self, a, b): self.a, self.b, self._data = a, b, a.data * b.data
    def parents(self): return (self.a, self.b.data), (self.b, self.a.data)


def as_node(x): return x if isinstance(x, Node) else Value(x)

# Instead: from autograd import Value

class Module:
    def parameters(self):
        found = []
        def look(thing):
            if isinstance(thing, Value):
                if not any(thing is p for p in found): found.append(thing)
            elif isinstance(thing, Module):
                for each in vars(thing).values(): look(each)
            elif isinstance(thing, (list, tuple)):
                for each in thing: look(each)
            elif isinstance(thing, dict):
                for key in sorted(thing): look(thing[key])
        look(self)
        return found

class Polynomial(Module):
    def __init__(self, degree):
        self.coefficients = [Value(random.uniform(-1, 1)) for _ in range(degree + 1)]
    def __call__(self, x):
        out = 0.0
        for c in reversed(self.coefficients):
            out = out * x + c
        return out

@dataclass
class Mixture(Module):
    parts: dict
    bias: Value
    shared: tuple = ()
    name: str = 'mixture'

    def __call__(self, x):
        return sum(self.parts[k](x) * w for k, w in zip(sorted(self.parts), self.shared)) + self.bias

random.seed(40)
parts = {'low': Polynomial(1), 'high': Polynomial(3)}
weights = (Value(0.3), Value(0.7))
model = Mixture(parts, Value(0.1), weights)
params = model.parameters()
assert len(params) == 9 and isinstance(params[0], Value)
losses = []
for epoch in range(5):
    loss = Value(0.0)
    for x, y in [(-1.0, 0.5), (0.0, -0.2), (0.5, 0.3), (1.0, 1.5)]:
        e = model(x) - y
        loss = loss + e * e
    for p in params: p.grad = 0.0
    loss.backward()
    for p in params: p.data -= 0.03 * p.grad
    losses.append(loss.data)
result = losses + [(p.data, p.grad) for p in params]
