# "zero" a gradient the way tensors do: p.grad = None, and += copes with it
import math


class Tensor:
    def __init__(self, data, prev=(), grad_fn=None):
        self.data = data
        self.grad = None
        self.prev = prev
        self.grad_fn = grad_fn

    def accumulate(self, g):
        self.grad = g if self.grad is None else self.grad + g

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data + other.data, (self, other), lambda g: (g, g))

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        return Tensor(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))

    def __sub__(self, other): return self + other * -1
    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other

    def sin(self): return Tensor(math.sin(self.data), (self,), lambda g: (g * math.cos(self.data),))

    def backward(self):
        order = []
        def visit(t, seen=set()):
            if id(t) in seen: return
            seen.add(id(t))
            for p in t.prev: visit(p, seen)
            order.append(t)
        visit(self)
        self.grad = 1.0
        for t in reversed(order):
            if t.grad_fn:
                for p, g in zip(t.prev, t.grad_fn(t.grad)):
                    p.accumulate(g)

# Instead: from autograd import Value as Tensor

a, b, c = Tensor(0.8), Tensor(1.1), Tensor(-0.4)
params = [a, b, c]
pts = [(0.0, 0.1), (0.5, 0.9), (1.0, 0.7), (1.5, -0.2)]
result = []
for epoch in range(6):
    for p in params:
        p.grad = None
    loss = Tensor(0.0)
    for x, y in pts:
        e = a * (b * x + c).sin() - y
        loss = loss + e * e
    loss.backward()
    with_grad = [p for p in params if p.grad is not None]
    for p in with_grad:
        p.data -= 0.05 * p.grad
    result += [loss.data, len(with_grad)] + [p.grad for p in params]
result += [p.data for p in params]
