# a Neuron subclass that sets w, b and nonlin itself, and remembers what it was given
import math
import random


class Value:
    __slots__ = ('data', 'grad', 'back', 'below')
    def __init__(self, data, below=(), back=None):
        self.data = data; self.grad = 0.0; self.below = below; self.back = back
    def __add__(self, o):
        if not isinstance(o, Value): o = Value(o)
        return Value(self.data + o.data, (self, o), lambda g: [g, g])
    def __mul__(self, o):
        if not isinstance(o, Value): o = Value(o)
        return Value(self.data * o.data, (self, o), lambda g: [g * o.data, g * self.data])
    def relu(self):
        return Value(max(0.0, self.data), (self,), lambda g: [g if self.data > 0 else 0.0])
    def __radd__(self, o): return self + o
    def __rmul__(self, o): return self * o
    def backward(self):
        order = []; seen = set(); todo = [(self, False)]
        while todo:
            v, done = todo.pop()
            if done: order.append(v)
            elif v not in seen:
                seen.add(v); todo.append((v, True))
                for u in v.below: todo.append((u, False))
        self.grad = 1.0
        for v in order[::-1]:
            if v.back is None: continue
            for u, g in zip(v.below, v.back(v.grad)): u.grad += g

class Module:
    def zero_grad(self):
        for p in self.parameters(): p.grad = 0.0

class Neuron(Module):
    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]; self.b = Value(0.0); self.nonlin = nonlin
    def __call__(self, x):
        act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)
        return act.relu() if self.nonlin else act
    def parameters(self): return self.w + [self.b]

# Instead: from autograd import Value; from nn import Module, Neuron

class Xavier(Neuron):
    def __init__(self, nin, nonlin=True):
        bound = math.sqrt(6 / (nin + 1))
        self.w = [Value(random.uniform(-bound, bound)) for _ in range(nin)]
        self.b = Value(0.1)
        self.nonlin = nonlin

class Tap(Module):
    def __init__(self):
        self.first = [Xavier(2) for _ in range(4)]
        self.last = Xavier(4, nonlin=False)
    def __call__(self, x):
        self.x = x                                  # kept to look at, not to train
        self.h = [n(x) for n in self.first]
        return self.last(self.h)
    def parameters(self):
        return [p for n in self.first for p in n.parameters()] + self.last.parameters()

random.seed(8)
net = Tap()
losses = []
for x1, x2, y in [(1.0, -1.0, 0.5), (0.3, 0.8, -1.0), (1.0, -1.0, 0.5), (0.3, 0.8, -1.0)]:
    inputs = [Value(x1), Value(x2)]
    e = net(inputs) + -y
    loss = e * e
    net.zero_grad()
    loss.backward()
    for p in net.parameters(): p.data -= 0.05 * p.grad
    losses.append(loss.data)

result = losses + [len(net.parameters())] + [v.data for v in net.x] + [v.grad for v in net.x] + [h.data for h in net.h] + [p.data for p in net.parameters()]
