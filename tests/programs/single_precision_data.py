# the data come as numpy's float32, and so is whatever is computed from them
import numpy as np


class Value:
    def __init__(self, data, *sources):
        self.data, self.sources, self.grad = data, sources, 0.0
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, lambda: 1.0), (other, lambda: 1.0))
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, lambda: other.data), (other, lambda: self.data))
    def backward(self, grad=1.0):
        self.grad += grad
        for v, slope in self.sources: v.backward(grad * slope())

# Instead: from autograd import Value

x = np.array([0.1, 0.7], dtype=np.float32)
w, b = map(Value, np.float32([0.375, 0.25]))
y = w * x[0] + b
z = y * y + w * x[1]
z.backward()
result = [float(v) for v in (y.data, z.data, w.grad, b.grad)]
