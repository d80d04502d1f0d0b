# hooks: wrap, replace or silence the _backward of nodes the engine made
class Value:
    def __init__(self, data, _children=(), _op=''):
        self.data = data
        self.grad = 0.0
        self._prev = set(_children)
        self._op = _op
        self._backward = lambda: None

    def __add__(self, other):
        if not isinstance(other, Value): other = Value(other)
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        if not isinstance(other, Value): other = Value(other)
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        topo, seen, stack = [], set(), [self]
        while stack:
            v = stack[-1]
            seen.add(v)
            new = next((c for c in v._prev if c not in seen), None)
            if new is None:
                topo.append(stack.pop())
            else:
                stack.append(new)
        self.grad = 1.0
        for v in reversed(topo):
            v._backward()

# Instead: from autograd import Value

def on_gradient(v, f):
    """call f with the gradient that arrives, pass on what it returns"""
    inner = v._backward
    def hooked():
        v.grad = f(v.grad)
        inner()
    v._backward = hooked
    return v

def detached(v):
    v._backward = lambda: None
    return v

def reversed_gradient(v, strength):
    out = v * 1.0
    def _backward():
        v.grad += -strength * out.grad
    out._backward = _backward
    return out

def quantise(v):                       # straight-through
    out = v + 0.0
    out.data = float(round(v.data * 4) / 4)
    def _backward():
        v.grad += out.grad
    out._backward = _backward
    return out

arrived = []
def note(g):
    arrived.append(g)
    return max(-1.5, min(1.5, g))      # clip on the way

x, w, u = Value(0.7), Value(-1.3), Value(2.2)
h = on_gradient(x * w, note)
q = quantise(h * u)
r = reversed_gradient(h, 0.5)
s = detached(u * u)
loss = q * q + r * 3 + s * w + h * 2
loss.backward()
result = [loss.data, q.data, x.grad, w.grad, u.grad, h.grad, s.grad] + arrived
