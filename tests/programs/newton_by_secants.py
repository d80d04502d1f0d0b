# Newton's method in two variables: the gradient by autodiff, the Hessian by differences of gradients
from math import sin, cos, exp

class Node:
    # "who uses me and how much" instead of "what am I made of": gradients are pulled, not pushed
    def __init__(self, data):
        self.data = data
        self.users = []
        self._grad = 0.0
        self._root = None

    def _use(self, weight, user):
        self.users.append((weight, user))

    def __add__(self, other):
        z = Node(self.data + (other.data if isinstance(other, Node) else other))
        self._use(1.0, z)
        if isinstance(other, Node): other._use(1.0, z)
        return z

    def __mul__(self, other):
        if not isinstance(other, Node):
            z = Node(self.data * other)
            self._use(other, z)
            return z
        z = Node(self.data * other.data)
        self._use(other.data, z)
        other._use(self.data, z)
        return z

    __radd__ = __add__
    __rmul__ = __mul__
    def __sub__(self, other): return self + other * -1.0

    def sin(self):
        z = Node(sin(self.data)); self._use(cos(self.data), z); return z

    def exp(self):
        z = Node(exp(self.data)); self._use(z.data, z); return z

    def backward(self):
        self._grad = 1.0

    @property
    def grad(self):
        if self.users:
            return sum(w * z.grad for w, z in self.users)
        return self._grad

# Instead: from autograd import Value as Node

def f(x, y):
    return (x * x * 1.5 + y * y + (x * y).sin() * 0.5 + (x * 0.3 - y).exp())

def gradient(x, y):
    x, y = Node(x), Node(y)
    out = f(x, y)
    out.backward()
    return out.data, x.grad, y.grad

x, y, h = 0.9, -0.6, 0.0625
path = []
for _ in range(3):
    value, gx, gy = gradient(x, y)
    _, gxx, gyx = gradient(x + h, y)
    _, gxy, gyy = gradient(x, y + h)
    a, b, c, d = (gxx - gx) / h, (gxy - gx) / h, (gyx - gy) / h, (gyy - gy) / h
    det = a * d - b * c
    path.append([value, gx, gy, det])
    x, y = x - 0.5 * (d * gx - b * gy) / det, y - 0.5 * (a * gy - c * gx) / det

result = {'path': path, 'x': x, 'y': y}
