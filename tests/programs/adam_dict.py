"""Adam with its state in dictionaries keyed by the parameters, a decaying rate and weight decay."""
import math, random


class Var:
    # every op is a subclass-free record: name and inputs; rules live in one function
    def __init__(self, data, op=None, inputs=()):
        self.data = data
        self.grad = 0.0
        self.op = op
        self.inputs = inputs

    def __add__(self, other): return apply('add', self, other)
    def __radd__(self, other): return apply('add', other, self)
    def __mul__(self, other): return apply('mul', self, other)
    def __rmul__(self, other): return apply('mul', other, self)
    def __sub__(self, other): return apply('sub', self, other)
    def __rsub__(self, other): return apply('sub', other, self)
    def __truediv__(self, other): return apply('div', self, other)
    def __rtruediv__(self, other): return apply('div', other, self)
    def __neg__(self): return apply('neg', self)
    def exp(self): return apply('exp', self)
    def log(self): return apply('log', self)
    def sigmoid(self): return apply('sigmoid', self)

    def backward(self):
        order, seen = [], set()
        def visit(v):
            if v not in seen:
                seen.add(v)
                for i in v.inputs:
                    visit(i)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            g = v.grad
            if v.op == 'add':
                v.inputs[0].grad += g
                v.inputs[1].grad += g
            elif v.op == 'sub':
                v.inputs[0].grad += g
                v.inputs[1].grad -= g
            elif v.op == 'mul':
                a, b = v.inputs
                a.grad += g * b.data
                b.grad += g * a.data
            elif v.op == 'div':
                a, b = v.inputs
                a.grad += g / b.data
                b.grad -= g * a.data / (b.data * b.data)
            elif v.op == 'neg':
                v.inputs[0].grad -= g
            elif v.op == 'exp':
                v.inputs[0].grad += g * v.data
            elif v.op == 'log':
                v.inputs[0].grad += g / v.inputs[0].data
            elif v.op == 'sigmoid':
                v.inputs[0].grad += g * v.data * (1 - v.data)


FORWARD = {
    'add': lambda a, b: a + b, 'sub': lambda a, b: a - b, 'mul': lambda a, b: a * b, 'div': lambda a, b: a / b,
    'neg': lambda a: -a, 'exp': math.exp, 'log': math.log, 'sigmoid': lambda a: 1 / (1 + math.exp(-a)),
}

def apply(op, *inputs):
    inputs = tuple(i if isinstance(i, Var) else Var(i) for i in inputs)
    return Var(FORWARD[op](*(i.data for i in inputs)), op, inputs)

# Instead: from autograd import Value as Var

class Adam:
    def __init__(self, params, lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        self.params = list(params)
        self.lr, self.betas, self.eps, self.wd = lr, betas, eps, weight_decay
        self.m = {p: 0.0 for p in self.params}
        self.v = {p: 0.0 for p in self.params}
        self.t = 0

    def zero_grad(self):
        for p in self.params:
            p.grad = 0.0

    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for p in self.params:
            g = p.grad + self.wd * p.data
            self.m[p] = b1 * self.m[p] + (1 - b1) * g
            self.v[p] = b2 * self.v[p] + (1 - b2) * g * g
            mhat = self.m[p] / (1 - b1 ** self.t)
            vhat = self.v[p] / (1 - b2 ** self.t)
            p.data -= self.lr * mhat / (math.sqrt(vhat) + self.eps)


random.seed(11)
hidden = [[Var(random.gauss(0, 1)) for _ in range(3)] for _ in range(3)]
last = [Var(random.gauss(0, 1)) for _ in range(4)]
table = [((0.0, 0.0), 0), ((0.0, 1.0), 1), ((1.0, 0.0), 1), ((1.0, 1.0), 0)]
opt = Adam([p for row in hidden for p in row] + last, weight_decay=1e-3)

def predict(x):
    h = [(w[0] * x[0] + w[1] * x[1] + w[2]).sigmoid() for w in hidden]
    return (sum(a * b for a, b in zip(last, h)) + last[3]).sigmoid()

curve = []
for epoch in range(15):
    loss = 0
    for x, y in table:
        p = predict(x)
        loss = loss - (p.log() if y else (1 - p).log())
    loss = loss / 4
    opt.zero_grad()
    loss.backward()
    opt.step()
    opt.lr = 0.1 * 0.97 ** epoch
    curve.append(loss.data)

assert all(p in opt.m for p in last)
result = {'curve': curve, 'grads': [p.grad for p in opt.params], 'm': list(opt.m.values()), 'v': list(opt.v.values())}
