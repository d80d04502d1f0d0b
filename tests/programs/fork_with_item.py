# A fork grown for one project: activations as methods, .item() like the big libraries.
import math
from itertools import count

ids = count()


class Value:
    def __init__(self, data, _src=None):
        self.data = float(data)
        self.grad = 0.0
        self.id = next(ids)
        self._src = _src or {}           # parent -> local derivative (summed when it comes twice)

    def item(self):
        return self.data

    @staticmethod
    def _val(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, o):
        o = Value._val(o)
        if o is self:
            return Value(self.data * 2, {self: 2.0})
        return Value(self.data + o.data, {self: 1.0, o: 1.0})

    def __mul__(self, o):
        o = Value._val(o)
        if o is self:
            return Value(self.data ** 2, {self: 2.0 * self.data})
        return Value(self.data * o.data, {self: o.data, o: self.data})

    def __sub__(self, o): return self + Value._val(o) * -1
    def __rsub__(self, o): return Value._val(o) - self
    def __neg__(self): return self * -1
    __radd__, __rmul__ = __add__, __mul__

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data))
        return Value(s, {self: s * (1 - s)})

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, {self: 1 - t ** 2})

    def log(self): return Value(math.log(self.data), {self: 1 / self.data})
    def exp(self): return Value(math.exp(self.data), {self: math.exp(self.data)})
    def relu(self): return Value(max(self.data, 0.0), {self: 1.0 if self.data > 0 else 0.0})
    def sqrt(self): return Value(math.sqrt(self.data), {self: 0.5 / math.sqrt(self.data)})
    def abs(self): return Value(abs(self.data), {self: math.copysign(1, self.data)})

    def backward(self):
        below, todo = {self}, [self]
        while todo:
            for p in todo.pop()._src:
                if p not in below:
                    below.add(p)
                    todo.append(p)
        self.grad = 1.0
        for v in sorted(below, key=lambda v: -v.id):
            for p, local in v._src.items():
                p.grad += local * v.grad

# Instead: from autograd import Value

weights = [Value(0.4), Value(-0.9), Value(0.25)]
bias = Value(0.1)
samples = [([1.0, 2.0, -1.0], 1), ([0.5, -1.5, 0.3], 0), ([-1.2, 0.4, 0.8], 1)]

log = []
for epoch in range(4):
    total = Value(0.0)
    for features, target in samples:
        z = bias
        for w, x in zip(weights, features):
            z = z + w * x
        p = (z.tanh() * 2 + z.relu().sqrt() if z.item() > 0 else z.exp()).sigmoid()
        total = total - (p.log() if target else (1 - p).log())
    total = total + 0.05 * sum(w.abs() for w in weights)
    for p in weights + [bias]:
        p.grad = 0.0
    total.backward()
    for p in weights + [bias]:
        p.data -= 0.2 * p.grad
    log.append(total.item())

result = [log, [w.item() for w in weights], [w.grad for w in weights], bias.grad]
