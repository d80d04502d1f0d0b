"""LSTM cell on the "adding problem": sum the two marked numbers of a sequence."""
import math
import random


class Op:
    """forward(*numbers) and backward(grad, out, *numbers) -> one gradient for each"""

class Add(Op):
    forward = staticmethod(lambda a, b: a + b)
    backward = staticmethod(lambda g, o, a, b: (g, g))

class Sub(Op):
    forward = staticmethod(lambda a, b: a - b)
    backward = staticmethod(lambda g, o, a, b: (g, -g))

class Mul(Op):
    forward = staticmethod(lambda a, b: a * b)
    backward = staticmethod(lambda g, o, a, b: (g * b, g * a))

class Tanh(Op):
    forward = staticmethod(math.tanh)
    backward = staticmethod(lambda g, o, a: (g * (1 - o * o),))

class Sigmoid(Op):
    forward = staticmethod(lambda a: 1 / (1 + math.exp(-a)))
    backward = staticmethod(lambda g, o, a: (g * o * (1 - o),))


class Var:
    def __init__(self, data, op=None, args=()):
        self.data, self.op, self.args, self.grad = data, op, args, 0.0

    @classmethod
    def call(cls, op, *args):
        args = [a if isinstance(a, cls) else cls(a) for a in args]
        return cls(op.forward(*[a.data for a in args]), op, args)

    def __add__(self, other): return Var.call(Add, self, other)
    def __radd__(self, other): return Var.call(Add, other, self)
    def __sub__(self, other): return Var.call(Sub, self, other)
    def __mul__(self, other): return Var.call(Mul, self, other)
    def __rmul__(self, other): return Var.call(Mul, other, self)
    def tanh(self): return Var.call(Tanh, self)
    def sigmoid(self): return Var.call(Sigmoid, self)

    def topo(self, seen=None):
        seen = set() if seen is None else seen
        if self in seen:
            return
        seen.add(self)
        for a in self.args:
            yield from a.topo(seen)
        yield self

    def backward(self):
        self.grad = 1.0
        for v in reversed(list(self.topo())):
            if v.op:
                for a, g in zip(v.args, v.op.backward(v.grad, v.data, *[a.data for a in v.args])):
                    a.grad += g

# Instead: from autograd import Value as Var

class LSTMCell:
    def __init__(self, nin, nh, rng):
        new = lambda n, m: [[Var(rng.uniform(-.5, .5)) for _ in range(m)] for _ in range(n)]
        self.nh = nh
        self.W = {gate: new(nh, nin + nh) for gate in 'ifog'}
        self.b = {gate: [Var(1.0 if gate == 'f' else 0.0) for _ in range(nh)] for gate in 'ifog'}

    def __call__(self, x, state):
        h, c = state
        z = list(x) + h
        pre = {g: [sum((w * zi for w, zi in zip(row, z)), b) for row, b in zip(self.W[g], self.b[g])] for g in 'ifog'}
        i, f, o = ([p.sigmoid() for p in pre[g]] for g in 'ifo')
        g = [p.tanh() for p in pre['g']]
        c = [fk * ck + ik * gk for fk, ck, ik, gk in zip(f, c, i, g)]
        h = [ok * ck.tanh() for ok, ck in zip(o, c)]
        return h, c

    def parameters(self):
        for g in 'ifog':
            for row in self.W[g]:
                yield from row
            yield from self.b[g]


rng = random.Random(0)
cell = LSTMCell(2, 3, rng)
head = [Var(rng.uniform(-.5, .5)) for _ in range(3)]
params = list(cell.parameters()) + head
losses, norms = [], []
for it in range(3):
    seq = [(rng.random(), float(k in (1, 3))) for k in range(5)]
    target = sum(v for v, m in seq if m)
    state = [Var(0.0) for _ in range(3)], [Var(0.0) for _ in range(3)]
    for x in seq:
        state = cell(x, state)
    err = sum(w * h for w, h in zip(head, state[0])) - target
    loss = err * err
    for p in params: p.grad = 0.0
    loss.backward()
    norm = math.sqrt(sum(p.grad ** 2 for p in params))
    scale = min(1.0, 1.0 / norm)            # clip the norm
    for p in params: p.data -= 0.1 * scale * p.grad
    losses.append(loss.data); norms.append(norm)

result = dict(losses=losses, norms=norms, grads=[p.grad for p in params], data=[p.data for p in params])
