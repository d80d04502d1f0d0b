"""Differentiate through a simulation: 60 Euler steps of a damped spring, fitted to where it should end."""


class Value:
    """arithmetic only, every operation is a*x + b*y + c*x*y in disguise"""

    def __init__(self, data, left=None, right=None, dl=0.0, dr=0.0):
        self.data = data
        self.left, self.right, self.dl, self.dr = left, right, dl, dr
        self.grad = 0.0
        self.seen = False

    def __add__(self, other):
        if isinstance(other, Value):
            return Value(self.data + other.data, self, other, 1.0, 1.0)
        return Value(self.data + other, self, None, 1.0)

    def __sub__(self, other):
        if isinstance(other, Value):
            return Value(self.data - other.data, self, other, 1.0, -1.0)
        return Value(self.data - other, self, None, 1.0)

    def __mul__(self, other):
        if isinstance(other, Value):
            return Value(self.data * other.data, self, other, other.data, self.data)
        return Value(self.data * other, self, None, other)

    def __neg__(self): return Value(-self.data, self, None, -1.0)
    def __rsub__(self, other): return Value(other - self.data, self, None, -1.0)
    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        order, stack = [], [(self, 0)]
        while stack:
            node, stage = stack.pop()
            if stage == 0:
                if node is None or node.seen:
                    continue
                node.seen = True
                stack += [(node, 1), (node.right, 0), (node.left, 0)]
            else:
                order.append(node)
        for node in order:
            node.seen = False
        self.grad = 1.0
        while order:
            node = order.pop()
            if node.left is not None:
                node.left.grad += node.dl * node.grad
            if node.right is not None:
                node.right.grad += node.dr * node.grad

# Instead: from autograd import Value

def simulate(k, damping, steps=60, dt=0.05):
    x, v = 1.0, 0.0
    for _ in range(steps):
        a = -k * x - damping * v
        x, v = x + dt * v, v + dt * a
    return x, v

k, damping = Value(2.0), Value(0.3)
history = []
for it in range(4):
    x, v = simulate(k, damping)
    miss = (x - 0.2) * (x - 0.2) + 0.1 * v * v
    k.grad = damping.grad = 0.0
    miss.backward()
    history.append([miss.data, k.grad, damping.grad, x.data, v.data])
    k.data -= 0.2 * k.grad
    damping.data -= 0.2 * damping.grad

result = {'history': history, 'k': k.data, 'damping': damping.data}
