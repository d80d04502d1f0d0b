# Notes taken along a lecture: a neuron with two inputs, differentiated one node after the other.
import math


class Value:
    def __init__(self, data, _children=(), _op='', label=''):
        self.data = data
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op
        self.label = label

    def __repr__(self):
        return f"Value(data={self.data})"

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            self.grad += 1.0 * out.grad
            other.grad += 1.0 * out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        x = self.data
        t = (math.exp(2*x) - 1)/(math.exp(2*x) + 1)
        out = Value(t, (self,), 'tanh')
        def _backward():
            self.grad += (1 - t**2) * out.grad
        out._backward = _backward
        return out

# Instead: from autograd import Value

x1 = Value(1.5, label='x1')
x2 = Value(-0.5, label='x2')
w1 = Value(-2.0, label='w1')
w2 = Value(0.75, label='w2')
b = Value(3.25, label='b')
x1w1 = x1*w1; x1w1.label = 'x1*w1'
x2w2 = x2*w2; x2w2.label = 'x2*w2'
s = x1w1 + x2w2; s.label = 'x1*w1 + x2*w2'
n = s + b; n.label = 'n'
o = n.tanh(); o.label = 'o'

o.grad = 1.0
o._backward()
n._backward()
b._backward()       # a leaf has nothing to do
s._backward()
x1w1._backward()
x2w2._backward()
print(o, n)

result = {v.label: [v.data, v.grad] for v in (x1, x2, w1, w2, b, x1w1, x2w2, s, n, o)}

# once more from n: the leaves go on adding up
n._backward(); s._backward(); x1w1._backward()
result['again'] = [w1.grad, b.grad, s.grad]
