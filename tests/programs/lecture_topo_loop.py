# between "by hand" and backward(): gradients written down from the formulas, then a sorted list and a loop
from math import exp


class Value:

    def __init__(self, data, _children=(), _op='', label=''):
        self.data = data
        self.label = label
        self.grad = 0.0
        self._prev = set(_children)
        self._op = _op

    def _backward(self):
        pass                                    # of a leaf; others replace it

    def __repr__(self): return f"Value(data={self.data})"

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            self.grad = self.grad + out.grad
            other.grad = other.grad + out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad = self.grad + other.data * out.grad
            other.grad = other.grad + self.data * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        t = (exp(2*self.data) - 1)/(exp(2*self.data) + 1)
        out = Value(t, (self,), 'tanh')
        def _backward():
            self.grad = self.grad + (1 - t**2)*out.grad
        out._backward = _backward
        return out

# Instead: from autograd import Value

def lol(h, which=None):
    values = dict(a=2.0, b=-3.0, c=10.0, f=-2.0)
    if which: values[which] += h
    a, b, c, f = (Value(v, label=k) for k, v in values.items())
    e = a*b; e.label = 'e'
    d = e + c; d.label = 'd'
    L = d*f; L.label = 'L'
    return L.data, (a, b, c, f, e, d, L)

_, nodes = lol(0.0)
a, b, c, f, e, d, L = nodes
# by the formulas
L.grad = 1.0
d.grad = f.data
f.grad = d.data
c.grad = d.grad
e.grad = d.grad
a.grad = e.grad * b.data
b.grad = e.grad * a.data
result = {v.label: v.grad for v in nodes}
result['slope'] = [round((lol(0.5, k)[0] - lol(0.0)[0]) / 0.5, 6) for k in 'abcf']     # linear in each: exact
for p in (a, b, c, f):
    p.data += 0.01 * p.grad
L2 = (a*b + c) * f
result['L'] = [L.data, L2.data]

x1, x2, w1, w2, bias = Value(1.0), Value(0.5), Value(-1.5), Value(2.0), Value(0.9)
n = x1*w1 + x2*w2 + bias
o = n.tanh()*n + n

topo = []
visited = set()
def build_topo(v):
    if v not in visited:
        visited.add(v)
        for child in v._prev:
            build_topo(child)
        topo.append(v)
build_topo(o)

o.grad = 1.0
for node in reversed(topo):
    node._backward()
result['loop'] = [o.data, n.grad] + [v.grad for v in (x1, x2, w1, w2, bias)] + [len(topo)]

# and again, with everything set back
for node in topo:
    node.grad = 0.0
o.grad = 0.5
for node in topo[::-1]:
    node._backward()
result['half'] = [n.grad, x1.grad, w2.grad]
