# VAE: reparametrised sample, KL to the unit normal in closed form, one-dimensional latent
from math import exp, tanh
import random

def unbroadcast_free(cls):
    "class decorator that fills in the operators which follow from the others"
    cls.__radd__ = cls.__add__
    cls.__rmul__ = cls.__mul__
    cls.__neg__ = lambda self: self * -1.0
    cls.__sub__ = lambda self, other: self + other * -1.0
    cls.__rsub__ = lambda self, other: self * -1.0 + other
    return cls

@unbroadcast_free
class Tensor:
    def __init__(self, data, ctx=None):
        self.data = data
        self.grad = 0.0
        self._ctx = ctx

    def __add__(self, y):
        if isinstance(y, Tensor):
            return Tensor(self.data + y.data, ('add', self, y))
        return Tensor(self.data + y, ('shift', self))

    def __mul__(self, y):
        if isinstance(y, Tensor):
            return Tensor(self.data * y.data, ('mul', self, y))
        return Tensor(self.data * y, ('scale', self, y))

    def exp(self):
        return Tensor(exp(self.data), ('exp', self))

    def tanh(self):
        return Tensor(tanh(self.data), ('tanh', self))

    def walk(self):
        seen, out = set(), []
        def _walk(t):
            seen.add(t)
            if t._ctx:
                [_walk(i) for i in t._ctx[1:] if isinstance(i, Tensor) and i not in seen]
                out.append(t)
        _walk(self)
        return out

    def backward(self):
        self.grad = 1.0
        for t in reversed(self.walk()):
            getattr(self, 'grad_' + t._ctx[0])(t, t.grad, *t._ctx[1:])

    @staticmethod
    def grad_add(t, g, a, b): a.grad += g; b.grad += g
    @staticmethod
    def grad_shift(t, g, a): a.grad += g
    @staticmethod
    def grad_mul(t, g, a, b): a.grad += g * b.data; b.grad += g * a.data
    @staticmethod
    def grad_scale(t, g, a, k): a.grad += g * k
    @staticmethod
    def grad_exp(t, g, a): a.grad += g * t.data
    @staticmethod
    def grad_tanh(t, g, a): a.grad += g * (1 - t.data * t.data)

# Instead: from autograd import Value as Tensor

random.seed(13)
p = {name: Tensor(random.uniform(-0.5, 0.5)) for name in
     'e0 e1 eb m mb s sb d db o0 o1 ob0 ob1'.split()}
points = [(1.0, 0.9), (-1.0, -1.1), (0.5, 0.6), (-0.4, -0.2)]

def elbo(x, noise):
    h = (p['e0'] * x[0] + p['e1'] * x[1] + p['eb']).tanh()
    mu = p['m'] * h + p['mb']
    logvar = p['s'] * h + p['sb']
    z = mu + (logvar * 0.5).exp() * noise
    d = (p['d'] * z + p['db']).tanh()
    back = (p['o0'] * d + p['ob0'], p['o1'] * d + p['ob1'])
    reconstruction = sum((b - xi) * (b - xi) for b, xi in zip(back, x))
    kl = -0.5 * (1 + logvar - mu * mu - logvar.exp())
    return reconstruction, kl

history = []
for epoch in range(6):
    rec = kl = 0
    for x in points:
        r, k = elbo(x, random.gauss(0, 1))
        rec = rec + r
        kl = kl + k
    loss = (rec + 0.1 * kl) * (1 / len(points))
    for t in p.values():
        t.grad = 0.0
    loss.backward()
    for t in p.values():
        t.data -= 0.2 * t.grad
    history.append((loss.data, rec.data))

result = {'history': history, 'grad': {k: t.grad for k, t in p.items()}, 'data': {k: t.data for k, t in p.items()}}
