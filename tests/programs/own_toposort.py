# sorts the graph outside of the class, by _prev and _op, to count and to print what is in it
from collections import Counter, defaultdict


class Value:
    """ a number and its family """

    def __init__(self, data, _children=(), _op='', label=''):
        self.data = data
        self.grad = 0.0
        self._prev = set(_children)
        self._op = _op
        self.label = label
        self._backward = lambda: None

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            for v in [self, other]:
                v.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            for v, w in [(self, other), (other, self)]:
                v.grad += w.data * out.grad
        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(0.0, self.data), (self,), 'ReLU')
        def _backward():
            self.grad += (self.data > 0) * out.grad
        out._backward = _backward
        return out

    def backward(self):
        self.grad = 1.0
        for v in toposort(self)[::-1]:
            v._backward()

def toposort(root):
    order, seen = [], set()
    def build(v):
        if v not in seen:
            seen.add(v)
            for child in v._prev:
                build(child)
            order.append(v)
    build(root)
    return order

# Instead: from autograd import Value

def topological(root):
    topo, visited = [], set()
    def visit(v):
        if v in visited:
            return
        visited.add(v)
        for u in v._prev:
            visit(u)
        topo.append(v)
    visit(root)
    return topo

def depths(root):
    depth = defaultdict(int)
    for v in reversed(topological(root)):
        for u in v._prev:
            depth[u] = max(depth[u], depth[v] + 1)
    return depth

def evaluate_again(order, values):
    """recompute from the leaves by looking at the _op strings"""
    table = {}
    for v in order:
        if not v._prev:
            table[v] = values.get(v.label, v.data)
        elif v._op == '+':
            table[v] = sum(table[u] for u in v._prev)
        elif v._op == '*':
            p = 1.0
            for u in v._prev:
                p *= table[u]
            table[v] = p
        else:
            (u,) = v._prev
            table[v] = max(0.0, table[u])
    return table

a, b, c = Value(2.0, label='a'), Value(-3.0, label='b'), Value(10.0, label='c')
d = a * b; d.label = 'd'
e = d + c; e.label = 'e'
f = Value(-2.0, label='f')
g = e * f + a * e
L = g.relu() + e.relu() * c; L.label = 'L'
L.backward()

order = topological(L)
position = {v: i for i, v in enumerate(order)}
assert all(position[u] < position[v] for v in order for u in v._prev)
assert all(isinstance(u, Value) for v in order for u in v._prev)
ops = Counter(v._op for v in order)
leaves = sorted(v.label for v in order if not v._prev)
assert leaves == ['a', 'b', 'c', 'f']
again = evaluate_again(order, {'a': 2.5})
for v in order:
    print(v.label or '?', v, len(v._prev))

result = {'nodes': len(order), 'plus': ops['+'], 'times': ops['*'], 'leaves': ops[''],
          'edges': sum(len(v._prev) for v in order), 'deep': max(depths(L).values()),
          'L': L.data, 'again': again[L], 'grads': [v.grad for v in (a, b, c, d, e, f, g)]}
