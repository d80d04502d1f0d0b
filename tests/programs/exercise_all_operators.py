"""Homework: the class comes with backward() only; each operator is a function that you attach."""
import math
from typing import Any, Callable


class Value:
    def __init__(self, data: float, _children: tuple = (), _op: str = "", label: str = "") -> None:
        self.data = data
        self.grad: float = 0.0
        self._backward: Callable[[], Any] = lambda: None
        self._prev = set(_children)
        self._op = _op
        self.label = label

    def backward(self) -> None:
        pending: list[Value] = [self]
        order: list[Value] = []
        opened: set[Value] = set()
        while pending:
            node = pending[-1]
            if node in opened:
                pending.pop()
                if node not in order:
                    order.append(node)
                continue
            opened.add(node)
            pending.extend(child for child in node._prev if child not in opened)
        # a node may have been opened early and finished late: sort once more by what is below
        below: dict[Value, int] = {}
        for node in order:
            below[node] = 1 + max([below.get(c, 0) for c in node._prev], default=0)
        while any(below[n] <= below[c] for n in order for c in n._prev):
            for n in order:
                below[n] = 1 + max([below[c] for c in n._prev], default=0)
        self.grad = 1.0
        for node in sorted(order, key=lambda n: -below[n]):
            node._backward()

# Instead: from autograd import Value

def attach(name):
    def decorator(function):
        setattr(Value, name, function)
        return function
    return decorator

def value(x): return x if isinstance(x, Value) else Value(x)

@attach("__add__")
@attach("__radd__")
def add(self, other):
    other = value(other)
    out = Value(self.data + other.data, (self, other), "+")
    def _backward():
        self.grad += out.grad
        other.grad += out.grad
    out._backward = _backward
    return out

@attach("__mul__")
@attach("__rmul__")
def mul(self, other):
    other = value(other)
    out = Value(self.data * other.data, (self, other), "*")
    def _backward():
        self.grad += other.data * out.grad
        other.grad += self.data * out.grad
    out._backward = _backward
    return out

@attach("__pow__")
def power(self, k):
    out = Value(self.data ** k, (self,), f"**{k}")
    def _backward():
        self.grad += k * self.data ** (k - 1) * out.grad
    out._backward = _backward
    return out

@attach("exp")
def exponential(self):
    out = Value(math.exp(self.data), (self,), "exp")
    def _backward():
        self.grad += out.data * out.grad
    out._backward = _backward
    return out

@attach("relu")
def relu(self):
    out = Value(max(0.0, self.data), (self,), "relu")
    def _backward():
        self.grad += (out.data > 0) * out.grad
    out._backward = _backward
    return out

Value.__neg__ = lambda self: self * -1
Value.__sub__ = lambda self, other: self + (-value(other))
Value.__rsub__ = lambda self, other: value(other) + (-self)
Value.__truediv__ = lambda self, other: self * value(other) ** -1
Value.__rtruediv__ = lambda self, other: value(other) * self ** -1
Value.sigmoid = lambda self: 1 / (1 + (-self).exp())

a, b, c = Value(1.25, label="a"), Value(-0.5, label="b"), Value(3.0, label="c")
d = a * b + c ** 2 / 4
e = (d - a).relu() + (b - 1).relu() - 2 * d
f = e.sigmoid() * c + sum([a, b, a * a])
f += 3 - 1 / c
f.backward()
result = [f.data, e.data, d.data] + [v.grad for v in (a, b, c, d, e)]
assert f._prev and d._op == "+"
