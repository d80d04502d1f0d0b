"""Exercise 3: add your own activations, outside of the class, with a closure for the chain rule."""
from math import exp, log


class Value:
    def __init__(self, data, children=(), op=''):
        self.data = data
        self.grad = 0
        self.children = list(children)
        self.op = op
        self._backward = lambda: None

    @staticmethod
    def lift(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.lift(other)
        out = Value(self.data + other.data, [self, other], '+')
        def back():
            for v in (self, other):
                v.grad += out.grad
        out._backward = back
        return out
    __radd__ = __add__

    def __mul__(self, other):
        other = Value.lift(other)
        out = Value(self.data * other.data, [self, other], '*')
        def back():
            self.grad += out.grad * other.data
            other.grad += out.grad * self.data
        out._backward = back
        return out
    __rmul__ = __mul__

    def backward(self):
        # an explicit stack instead of recursion
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((c, False) for c in node.children)
        self.grad = 1.0
        while order:
            order.pop()._backward()

# Instead: from autograd import Value

def tanh(self):
    e = exp(2 * self.data)
    t = (e - 1) / (e + 1)
    out = Value(t, (self,), 'tanh')

    def _backward():
        self.grad += (1 - t * t) * out.grad

    out._backward = _backward
    return out


def softplus(x):
    out = Value(log(1 + exp(x.data)), (x,), 'softplus')

    def _backward():
        x.grad += out.grad / (1 + exp(-x.data))

    out._backward = _backward
    return out


def weighted(x, y, w):
    """w x + (1 - w) y in one node."""
    out = Value(w * x.data + (1 - w) * y.data, (x, y), 'weighted')

    def _backward():
        x.grad += w * out.grad
        y.grad += (1 - w) * out.grad

    out._backward = _backward
    return out


a, b, c = Value(0.5), Value(-1.25), Value(2.0)
h = tanh(a * b + c)
g = softplus(h * c + a)
y = weighted(g, h, 0.3) * 2 + tanh(g)
y.backward()
result = [y.data, a.grad, b.grad, c.grad, h.grad, g.grad, h.data, g.data]

# a node of our own used twice, and as the root
u = Value(0.7)
v = tanh(u)
w = weighted(v, v, 0.25)
w.backward()
result += [w.data, v.grad, u.grad]
