import math

class Value:
    # forward accumulation: each number carries its derivatives with respect to the leaves
    def __init__(self, data, partials=None):
        self.data = data
        self.grad = 0.0
        self.partials = {self: 1.0} if partials is None else partials

    def _linear(self, data, *terms):
        partials = {}
        for slope, v in terms:
            for leaf, d in v.partials.items():
                partials[leaf] = partials.get(leaf, 0.0) + slope * d
        return Value(data, partials)

    def __add__(self, o):
        o = o if isinstance(o, Value) else Value(o, {})
        return self._linear(self.data + o.data, (1.0, self), (1.0, o))

    def __mul__(self, o):
        o = o if isinstance(o, Value) else Value(o, {})
        return self._linear(self.data * o.data, (o.data, self), (self.data, o))

    def __neg__(self): return self * -1
    def __sub__(self, o): return self + (-o)
    def __rsub__(self, o): return -self + o
    __radd__, __rmul__ = __add__, __mul__

    def log(self): return self._linear(math.log(self.data), (1 / self.data, self))

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data))
        return self._linear(s, (s * (1 - s), self))

    def backward(self):
        for leaf, d in self.partials.items():
            leaf.grad += d

# Instead: from autograd import Value

# hours studied, hours slept -> passed
DATA = [(2.0, 9.0, 0), (1.0, 5.0, 0), (3.0, 6.0, 1), (4.5, 8.0, 1), (2.5, 4.0, 0), (5.0, 7.5, 1)]
w1, w2, b = Value(0.0), Value(0.0), Value(0.0)

def cross_entropy(y, p):
    return -(y * p.log() + (1 - y) * (1 - p).log())

def train(epochs, lr):
    for _ in range(epochs):
        w1.grad = w2.grad = b.grad = 0
        losses = [cross_entropy(y, (w1 * x1 + w2 * x2 + b).sigmoid()) for x1, x2, y in DATA]
        loss = sum(losses) * (1 / len(losses))
        loss.backward()
        w1.data -= lr * w1.grad
        w2.data -= lr * w2.grad
        b.data -= lr * b.grad
        yield loss.data

result = list(train(12, 0.05))
result += [w1.data, w2.data, b.data, w1.grad, w2.grad, b.grad]
right = sum(((w1 * x1 + w2 * x2 + b).sigmoid().data > 0.5) == bool(y) for x1, x2, y in DATA)
result.append(right)
