# keyword arguments as the original spells them: _children=, _op=, label=
import math


class Value:
    """ stores a single scalar value and its gradient """

    def __init__(self, data, _children=(), _op='', label=''):
        self.data = data
        self.grad = 0
        # internal variables used for autograd graph construction
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op
        self.label = label

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(data=other)
        out = Value(data=self.data + other.data, _children=(self, other), _op='+')
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(data=other)
        out = Value(data=self.data * other.data, _children=(self, other), _op='*')
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def backward(self):
        topo, visited = [], set()
        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in sorted(v._prev, key=id):
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            v._backward()

# Instead: from autograd import Value

def cosine(x):
    out = Value(data=math.cos(x.data), _children=(x,), _op='cos')
    def _backward():
        x.grad -= math.sin(x.data) * out.grad
    out._backward = _backward
    return out

def relu6(x):
    out = Value(min(max(x.data, 0.0), 6.0), (x,), _op='relu6', label='clipped')
    def _backward():
        x.grad += (0.0 < x.data < 6.0) * out.grad
    out._backward = _backward
    return out

a, b = Value(data=0.7, label='a'), Value(2.5, label='b')
y = cosine(a * b) * relu6(b * b) + relu6(a) + a
y.backward()
assert not relu6(a).grad and relu6(a).label == 'clipped' and cosine(a)._op == 'cos' and list(cosine(a)._prev) == [a]
result = [y.data, a.grad, b.grad]
clipped = relu6(b * 4)
clipped.backward()
result += [clipped.data, b.grad]
