# Hamiltonian Monte Carlo on a banana-shaped density: gradients of the potential by autodiff
import math
import random
import weakref


class Var:
    """keeps strong references downwards only; a dictionary by id collects the gradients"""

    def __init__(self, data, parents=()):
        self.data = data
        self.parents = tuple(parents)
        self.grad = 0.0

    def __add__(self, other):
        other = Var.lift(other)
        return Var(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __sub__(self, other):
        other = Var.lift(other)
        return Var(self.data - other.data, [(self, 1.0), (other, -1.0)])

    def __mul__(self, other):
        other = Var.lift(other)
        return Var(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, n):
        return Var(self.data ** n, [(self, n * self.data ** (n - 1))])

    __radd__ = __add__
    __rmul__ = __mul__

    @staticmethod
    def lift(x):
        if isinstance(x, Var):
            return x
        return Var(float(x))

    def backward(self):
        gradients = {id(self): 1.0}
        for v in self.order():
            g = gradients[id(v)]
            v.grad += g
            for p, d in v.parents:
                gradients[id(p)] = gradients.get(id(p), 0.0) + g * d

    def order(self):
        found, seen = [], set()
        def down(v):
            seen.add(id(v))
            for p, _ in v.parents:
                if id(p) not in seen:
                    down(p)
            found.append(v)
        down(self)
        return found[::-1]

# Instead: from autograd import Value as Var

def potential(x, y):
    return 0.5 * (x * x) + 2.0 * (y - 0.5 * x ** 2) ** 2

def force(q):
    x, y = map(Var, q)
    u = potential(x, y)
    u.backward()
    return u.data, [-x.grad, -y.grad]

random.seed(12)
q = [0.5, 1.0]
step, accepted, chain = 0.08, 0, []
for sample in range(5):
    p = [random.gauss(0, 1), random.gauss(0, 1)]
    u, f = force(q)
    start = u + sum(pi * pi for pi in p) / 2
    trial = list(q)
    for _ in range(4):
        p = [pi + 0.5 * step * fi for pi, fi in zip(p, f)]
        trial = [qi + step * pi for qi, pi in zip(trial, p)]
        u, f = force(trial)
        p = [pi + 0.5 * step * fi for pi, fi in zip(p, f)]
    end = u + sum(pi * pi for pi in p) / 2
    if random.random() < math.exp(min(0.0, start - end)):
        q = trial
        accepted += 1
    chain.append((*q, u, *f))

result = {'chain': chain, 'accepted': accepted}
