"""Bigrams as a one-layer net: one row of logits for each letter, negative log-likelihood."""
from __future__ import annotations
import math
from dataclasses import dataclass, field
from typing import Callable


@dataclass(eq=False)
class Value:
    data: float
    grad: float = 0.0
    parents: list[Value] = field(default_factory=list, repr=False)
    push: Callable[[float], list[float]] = field(default=lambda g: [], repr=False)

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, parents=[self, other], push=lambda g: [g, g])

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, parents=[self, other], push=lambda g: [g * other.data, g * self.data])

    def __truediv__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        q = self.data / other.data
        return Value(q, parents=[self, other], push=lambda g: [g / other.data, -g * q / other.data])

    def exp(self) -> Value:
        e = math.exp(self.data)
        return Value(e, parents=[self], push=lambda g: [g * e])

    def log(self) -> Value:
        return Value(math.log(self.data), parents=[self], push=lambda g: [g / self.data])

    def __neg__(self): return self * -1.0
    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other

    def backward(self) -> None:
        order: list[Value] = []
        seen: set[int] = set()

        def visit(v: Value) -> None:
            if id(v) in seen:
                return
            seen.add(id(v))
            for p in v.parents:
                visit(p)
            order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            for p, g in zip(v.parents, v.push(v.grad)):
                p.grad += g

# Instead: from autograd import Value

words = ['emma', 'ava', 'mae', 'eve']
letters = ['.'] + sorted(set(''.join(words)))
stoi = {s: i for i, s in enumerate(letters)}
n = len(letters)
xs, ys = [], []
for w in words:
    chs = ['.'] + list(w) + ['.']
    for a, b in zip(chs, chs[1:]):
        xs.append(stoi[a])
        ys.append(stoi[b])

W = [[Value(((7 * i + 3 * j) % 11 - 5) / 10) for j in range(n)] for i in range(n)]
nlls = []
for k in range(10):
    nll = Value(0.0)
    for x, y in zip(xs, ys):
        counts = [logit.exp() for logit in W[x]]
        probs = [c / sum(counts) for c in counts]
        nll = nll + -probs[y].log()
    loss = nll * (1 / len(xs)) + 0.01 * sum(w * w for row in W for w in row)
    for row in W:
        for w in row:
            w.grad = 0.0
    loss.backward()
    for row in W:
        for w in row:
            w.data += -5.0 * w.grad
    nlls.append(loss.data)

result = {'nll': nlls, 'W': [[w.data for w in row] for row in W], 'grad': [[w.grad for w in row] for row in W]}
