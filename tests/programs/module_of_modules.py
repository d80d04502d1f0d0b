# models put together from the library's Layer: shared base class, own __call__ and parameters()
import random


class Value:
    def __init__(self, data, _prev=(), _backward=lambda g: None):
        self.data, self.grad = data, 0.0
        self._prev, self._run = _prev, _backward

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        def run(g):
            self.grad += g
            other.grad += g
        return Value(self.data + other.data, (self, other), run)

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        def run(g):
            self.grad += g * other.data
            other.grad += g * self.data
        return Value(self.data * other.data, (self, other), run)

    def relu(self):
        def run(g):
            self.grad += g if self.data > 0 else 0.0
        return Value(self.data if self.data > 0 else 0.0, (self,), run)

    def __sub__(self, other): return self + other * -1
    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        seen, topo = {self}, []
        def go(v):
            for u in v._prev:
                if u not in seen:
                    seen.add(u)
                    go(u)
            topo.append(v)
        go(self)
        self.grad = 1.0
        for v in reversed(topo): v._run(v.grad)


class Module(object):
    def zero_grad(self):
        for p in self.parameters(): p.grad = 0
    def parameters(self): return []

class Neuron(Module):
    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin
    def __call__(self, x):
        act = sum((w * xi for w, xi in zip(self.w, x)), self.b)
        return act.relu() if self.nonlin else act
    def parameters(self): return self.w + [self.b]

class Layer(Module):
    def __init__(self, nin, nout, **kw): self.neurons = [Neuron(nin, **kw) for _ in range(nout)]
    def __call__(self, x):
        outs = [n(x) for n in self.neurons]
        return outs[0] if len(outs) == 1 else outs
    def parameters(self): return sum((n.parameters() for n in self.neurons), [])

# Instead: from autograd import Value; from nn import Layer, Module, Neuron

class TwoTowers(Module):
    """a layer for each half of the input, a scale of its own, and a neuron on top"""

    def __init__(self):
        self.left = Layer(2, 3)
        self.right = Layer(2, 3)
        self.top = Neuron(6, nonlin=False)
        self.scale = Value(0.5)

    def __call__(self, x):
        h = self.left(x[:2]) + self.right(x[2:])
        return self.top([hi * self.scale for hi in h])

    def parameters(self):
        return self.left.parameters() + self.right.parameters() + self.top.parameters() + [self.scale]

class Ensemble(Module):
    def __init__(self, models): self.models = models
    def __call__(self, x): return sum(m(x) for m in self.models) * (1 / len(self.models))
    def parameters(self): return [p for m in self.models for p in m.parameters()]

random.seed(2024)
model = Ensemble([TwoTowers() for _ in range(2)])
rows = [([1.0, 0.0, -1.0, 2.0], 1.0), ([0.5, 0.5, 1.0, 0.0], -1.0), ([-1.0, 1.5, 0.0, 0.3], 0.5)]
print(len(model.parameters()))
losses = []
for epoch in range(5):
    loss = sum((model(x) - y) * (model(x) - y) for x, y in rows)
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.02 * p.grad
    losses.append(loss.data)

tower = model.models[0]
result = {'losses': losses, 'count': len(model.parameters()), 'scale': [tower.scale.data, tower.scale.grad],
          'top': [w.grad for w in tower.top.w], 'left': [[w.data for w in n.w] + [n.b.data] for n in tower.left.neurons]}
