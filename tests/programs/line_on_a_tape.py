"""Least squares for a parabola on a Wengert list: the tape holds rows of indices and slopes."""


class Tape:
    def __init__(self):
        self.rows = []

    def push(self, deps, weights):
        self.rows.append((deps, weights))
        return len(self.rows) - 1

TAPE = Tape()
VARS = []


class Var:
    def __init__(self, data, deps=(), weights=()):
        self.data = data
        self.index = TAPE.push(deps, weights)
        self.grad = 0.0
        VARS.append(self)

    def __add__(self, other):
        if isinstance(other, Var):
            return Var(self.data + other.data, (self.index, other.index), (1.0, 1.0))
        return Var(self.data + other, (self.index,), (1.0,))

    def __sub__(self, other):
        if isinstance(other, Var):
            return Var(self.data - other.data, (self.index, other.index), (1.0, -1.0))
        return Var(self.data - other, (self.index,), (1.0,))

    def __mul__(self, other):
        if isinstance(other, Var):
            return Var(self.data * other.data, (self.index, other.index), (other.data, self.data))
        return Var(self.data * other, (self.index,), (other,))

    def __truediv__(self, other):
        return self * (1.0 / other)

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        adjoints = [0.0] * len(TAPE.rows)
        adjoints[self.index] = 1.0
        for i in range(self.index, -1, -1):
            deps, weights = TAPE.rows[i]
            for d, w in zip(deps, weights):
                adjoints[d] += w * adjoints[i]
        for v, a in zip(VARS, adjoints):
            v.grad += a

# Instead: from autograd import Value as Var

xs = [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5]
ys = [2.1, 0.9, 0.4, 0.6, 1.8, 3.9]
a, b, c = Var(0.0), Var(0.0), Var(0.0)
losses, slopes = [], []
for _ in range(25):
    loss = sum([(a * x * x + b * x + c - y) * (a * x * x + b * x + c - y) for x, y in zip(xs, ys)]) / len(xs)
    a.grad, b.grad, c.grad = 0.0, 0.0, 0.0
    loss.backward()
    for p in a, b, c:
        p.data -= 0.15 * p.grad
    losses.append(loss.data)
    slopes.append([a.grad, b.grad, c.grad])

# 25 steps come close, not there: no gradient has cancelled to nothing
result = {"losses": losses, "slopes": slopes, "fit": [a.data, b.data, c.data]}
