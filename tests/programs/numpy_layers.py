# Object arrays: numpy does the shapes, the Values inside do the calculus.
import numpy as np


class Value:
    __array_priority__ = 100

    def __init__(self, data, parents=()):
        self.data = float(data)
        self.grad = 0.0
        self.parents = parents          # pairs (node, local derivative)

    def _coerce(self, x): return x if isinstance(x, Value) else Value(x)

    def __add__(self, o):
        o = self._coerce(o)
        return Value(self.data + o.data, ((self, 1.0), (o, 1.0)))

    def __mul__(self, o):
        o = self._coerce(o)
        return Value(self.data * o.data, ((self, o.data), (o, self.data)))

    def __sub__(self, o): return self + self._coerce(o) * -1.0
    def __truediv__(self, o): return self * self._coerce(o) ** -1.0
    def __pow__(self, k): return Value(self.data ** k, ((self, k * self.data ** (k - 1)),))
    def exp(self):
        e = np.exp(self.data)
        return Value(e, ((self, e),))
    def tanh(self):
        t = np.tanh(self.data)
        return Value(t, ((self, 1 - t * t),))

    __radd__ = __add__
    __rmul__ = __mul__
    def __neg__(self): return self * -1.0
    def __rsub__(self, o): return -self + o

    def backward(self):
        order, done = [], set()
        def walk(v):
            if v in done: return
            done.add(v)
            for p, _ in v.parents: walk(p)
            order.append(v)
        walk(self)
        self.grad = 1.0
        for v in reversed(order):
            for p, local in v.parents:
                p.grad += local * v.grad

# Instead: from autograd import Value

rng = np.random.default_rng(7)
V = np.vectorize(Value, otypes=[object])
X = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-0.2, 0.8, 0.1], [1.0, 1.0, -1.0]])
Y = np.array([[1.0], [0.0], [1.0], [0.0]])
W1, W2 = V(rng.normal(size=(3, 4)) * 0.5), V(rng.normal(size=(4, 1)) * 0.5)
b1 = np.array([Value(0.0) for _ in range(4)])

grads = np.vectorize(lambda v: v.grad)
losses = []
for epoch in range(5):
    H = np.tanh(X @ W1 + b1)
    out = H @ W2
    loss = ((out - Y) ** 2).sum() / len(X) + 0.01 * (W1 * W1).sum()
    for p in (*W1.flat, *W2.flat, *b1.flat):
        p.grad = 0.0
    loss.backward()
    for p in (*W1.flat, *W2.flat, *b1.flat):
        p.data -= 0.1 * p.grad
    losses.append(loss.data)

E = np.exp(W1.T @ W1)
total = E.sum() * 0.1 + E.trace() + np.dot(b1, b1)
for p in W1.flat: p.grad = 0.0
total.backward()
result = {'losses': losses, 'W1': grads(W1).tolist(), 'data': [w.data for w in W2[:, 0]],
          'total': total.data, 'mean': np.mean([w.data for w in W1.flat])}
