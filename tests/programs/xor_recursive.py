# XOR; backward is a plain recursion that hands each gradient on at once, so no sorting is needed
import math, random

class Value(object):
    def __init__(self, value, parents=[]):
        self.data = value
        self.parents = parents
        self.grad = 0.

    def backward(self, grad=1.):
        self.grad = self.grad + grad
        for parent, d in self.parents:
            parent.backward(grad * d)

    def __add__(self, other):
        if type(other) != Value: other = Value(other)
        return Value(self.data + other.data, [(self, 1.), (other, 1.)])

    def __radd__(self, other):
        return self + other

    def __mul__(self, other):
        if type(other) != Value: other = Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __rmul__(self, other):
        return self * other

    def __sub__(self, other):
        if type(other) != Value: other = Value(other)
        return Value(self.data - other.data, [(self, 1.), (other, -1.)])

    def __pow__(self, n):
        return Value(self.data ** n, [(self, n * self.data ** (n - 1))])

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, [(self, 1 - y * y)])

# Instead: from autograd import Value

random.seed(10)
def rand(): return Value(random.random() * 2 - 1)

class Unit:
    def __init__(self, n):
        self.weights = [rand() for i in range(n)]
        self.bias = rand()
    def fire(self, xs):
        total = self.bias
        for i in range(len(xs)):
            total = total + self.weights[i] * xs[i]
        return total.tanh()

h1, h2, out = Unit(2), Unit(2), Unit(2)
everything = []
for u in (h1, h2, out):
    everything += u.weights
    everything.append(u.bias)

errors = []
for epoch in range(12):
    for inp, want in [((-1, -1), -1), ((-1, 1), 1), ((1, -1), 1), ((1, 1), -1)]:
        got = out.fire([h1.fire(inp), h2.fire(inp)])
        err = (got - want) ** 2
        err.backward(1.0)
        for p in everything:
            p.data -= 0.15 * p.grad
            p.grad = 0
    errors.append(err.data)

result = errors
for p in everything: result.append(p.data)
