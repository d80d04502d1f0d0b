# One embedding for the way in and the way out, gradients gathered over micro-batches before a step
import math
import random


class Value:
    __slots__ = ('data', 'grad', '_backward', '_prev')

    def __init__(self, data, _prev=()):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self._prev = frozenset(_prev)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += out.grad * other.data
            other.grad += out.grad * self.data
        out._backward = _backward
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,))
        def _backward():
            self.grad += out.grad * out.data
        out._backward = _backward
        return out

    def log(self):
        out = Value(math.log(self.data), (self,))
        def _backward():
            self.grad += out.grad / self.data
        out._backward = _backward
        return out

    def __radd__(self, other): return self.__add__(other)
    def __rmul__(self, other): return self.__mul__(other)
    def __sub__(self, other): return self + (-1 * other)

    def backward(self):
        topo = []
        visited = set()
        stack = [(self, iter(self._prev))]
        visited.add(self)
        while stack:
            node, children = stack[-1]
            for child in children:
                if child not in visited:
                    visited.add(child)
                    stack.append((child, iter(child._prev)))
                    break
            else:
                stack.pop()
                topo.append(node)
        self.grad = 1
        for node in topo[::-1]:
            node._backward()

# Instead: from autograd import Value

random.seed(5)
vocab, dim = 4, 3
wte = [[Value(random.gauss(0, 0.6)) for _ in range(dim)] for _ in range(vocab)]
mixer = [[Value(random.gauss(0, 0.6)) for _ in range(dim)] for _ in range(dim)]
params = [p for m in (wte, mixer) for row in m for p in row]

def loss_of(a, b):
    x = wte[a]
    x = [sum(w * xi for w, xi in zip(row, x)) for row in mixer]
    scores = [sum(xi * ei for xi, ei in zip(x, e)) for e in wte]     # the same matrix again
    return sum(s.exp() for s in scores).log() - scores[b]

pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (2, 0)]
micro, trace = 2, []
for step in range(4):
    total = 0.0
    for p in params: p.grad = 0
    for k in range(0, len(pairs), micro):
        chunk = pairs[k:k + micro]
        loss = sum(loss_of(a, b) for a, b in chunk) * (1 / len(pairs))
        loss.backward()                     # adds to what is there
        total += loss.data
    norm = sum(p.grad ** 2 for p in params) ** 0.5
    if norm > 0.5:
        for p in params: p.grad *= 0.5 / norm
    for p in params: p.data -= 0.4 * p.grad
    trace += [total, norm]

result = {'trace': trace, 'grads': [p.grad for p in params], 'data': [p.data for p in params]}
