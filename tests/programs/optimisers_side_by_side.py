# momentum, Nesterov, RMSProp, Adagrad: state in lists, in dicts by id(), in closures, in zipped slots
from math import sqrt, log as ln
import math


class Scalar:
    def __init__(self, data, _deps=None):
        self.data = data
        self.grad = 0
        self._deps = _deps or []

    def __add__(self, b):
        b = wrap(b)
        return Scalar(self.data + b.data, [(self, lambda g: g), (b, lambda g: g)])

    def __mul__(self, b):
        b = wrap(b)
        return Scalar(self.data * b.data, [(self, lambda g: g * b.data), (b, lambda g: g * self.data)])

    def __neg__(self):
        return Scalar(-self.data, [(self, lambda g: -g)])

    def __pow__(self, n):
        return Scalar(self.data ** n, [(self, lambda g: g * n * self.data ** (n - 1))])

    def log1p(self):
        return Scalar(math.log1p(self.data), [(self, lambda g: g / (1 + self.data))])

    def __radd__(self, b): return self + b
    def __rmul__(self, b): return self * b
    def __sub__(self, b): return self + (-wrap(b))
    def __rsub__(self, b): return wrap(b) + (-self)

    def backward(self):
        topo, seen = [], set()

        def rec(v):
            if v not in seen:
                seen.add(v)
                for p, _ in v._deps:
                    rec(p)
                topo.append(v)
        rec(self)
        self.grad = 1
        for v in topo[::-1]:
            for p, f in v._deps:
                p.grad += f(v.grad)


def wrap(x):
    return x if isinstance(x, Scalar) else Scalar(x)

# Instead: from autograd import Value as Scalar

def rosenbrock(x, y):
    return ((1 - x) ** 2 + 10 * (y - x ** 2) ** 2).log1p()

def momentum(params, lr=0.02, mu=0.8):
    velocity = {id(p): 0.0 for p in params}
    def step(t):
        for p in params:
            velocity[id(p)] = mu * velocity[id(p)] - lr * p.grad
            p.data += velocity[id(p)]
    return step

class Nesterov:
    def __init__(self, params, lr=0.02, mu=0.8):
        self.slots = [[p, 0.0] for p in params]
        self.lr, self.mu = lr, mu
    def __call__(self, t):
        for slot in self.slots:
            p, v = slot
            slot[1] = self.mu * v - self.lr * p.grad
            p.data += -self.mu * v + (1 + self.mu) * slot[1]

def rmsprop(params, lr=0.05, rho=0.9):
    cache = [0.0] * len(params)
    def step(t):
        rate = lr / (1 + 0.1 * t)
        for i, (p, c) in enumerate(zip(params, cache)):
            cache[i] = rho * c + (1 - rho) * p.grad ** 2
            p.data = p.data - rate * p.grad / (sqrt(cache[i]) + 1e-8)
    return step

def adagrad(params, lr=0.3):
    sums = dict.fromkeys(params, 1e-10)
    def step(t):
        for p in sums:
            sums[p] += p.grad * p.grad
            p.data -= lr * p.grad / sums[p] ** 0.5
    return step

result = {}
for make in (momentum, Nesterov, rmsprop, adagrad):
    params = x, y = Scalar(-0.5), Scalar(0.8)
    step = make(params)
    path = []
    for t in range(8):
        for p in params: p.grad = 0
        f = rosenbrock(x, y)
        f.backward()
        step(t)
        path.append([f.data, x.grad, y.grad, x.data, y.data])
    result[make.__name__] = path
