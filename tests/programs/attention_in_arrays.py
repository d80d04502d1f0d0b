# One attention head over object arrays, the way one writes it with numbers
import numpy as np
import math


class Value:
    def __init__(self, data, _children=(), _local=()):
        self.data = data
        self.grad = 0.0
        self._children = _children
        self._local = _local

    def __add__(self, other):
        if isinstance(other, np.ndarray): return NotImplemented
        if not isinstance(other, Value): return Value(self.data + other, (self,), (1,))
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        if isinstance(other, np.ndarray): return NotImplemented
        if not isinstance(other, Value): return Value(self.data * other, (self,), (other,))
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __sub__(self, other):
        if isinstance(other, np.ndarray): return NotImplemented
        if not isinstance(other, Value): return Value(self.data - other, (self,), (1,))
        return Value(self.data - other.data, (self, other), (1, -1))

    def __truediv__(self, other):
        if isinstance(other, np.ndarray): return NotImplemented
        if not isinstance(other, Value): return Value(self.data / other, (self,), (1 / other,))
        return Value(self.data / other.data, (self, other), (1 / other.data, -self.data / other.data ** 2))

    __radd__, __rmul__ = __add__, __mul__
    def __rsub__(self, other): return Value(other - self.data, (self,), (-1,))
    def __ge__(self, other): return self.data >= (other.data if isinstance(other, Value) else other)
    def __le__(self, other): return self.data <= (other.data if isinstance(other, Value) else other)
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def log(self): return Value(math.log(self.data), (self,), (1 / self.data,))
    def sqrt(self): return Value(math.sqrt(self.data), (self,), (0.5 / math.sqrt(self.data),))

    def backward(self):
        order, seen = [], set()
        def go(v):
            if id(v) not in seen:
                seen.add(id(v))
                [go(c) for c in v._children]
                order.append(v)
        go(self)
        self.grad = 1.0
        for v in order[::-1]:
            for c, l in zip(v._children, v._local):
                c.grad += l * v.grad

# Instead: from autograd import Value

def values(array):
    out = np.empty(array.shape, dtype=object)
    for ix in np.ndindex(*array.shape):
        out[ix] = Value(array[ix])
    return out

def softmax(A):
    A = A - A.max()                   # an array minus one Value
    E = np.exp(A)
    return E / E.sum(axis=1, keepdims=True)

rng = np.random.default_rng(0)
X = rng.normal(size=(4, 3))
WQ, WK, WV = (values(rng.normal(size=(3, 2))) for _ in range(3))
temperature = Value(1.7)

S = (X @ WQ) @ (X @ WK).T
P = softmax(S / temperature)          # an array divided by one Value
out = P @ (X @ WV) * temperature      # and times one
F = rng.normal(size=(4, 2))
D = out - F * temperature             # floats times one Value
loss = (D * D).sum()
loss = loss + np.log(P[0, 0]) * -1 + np.sqrt(temperature)      # ufuncs of one Value
loss.backward()

result = {'loss': loss.data, 'temperature': temperature.grad}
for name, W in dict(WQ=WQ, WK=WK, WV=WV).items():
    result[name] = [[w.grad for w in row] for row in W]
