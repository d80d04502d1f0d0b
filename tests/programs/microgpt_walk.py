# looks into the graph through _children and _local_grads: the largest path product, a count, a backward of one's own
class Value:
    __slots__ = ('data', 'grad', '_children', '_local_grads')

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other

# Instead: from autograd import Value

def ordered(root):
    topo, visited = [], set()
    def build(v):
        if v not in visited:
            visited.add(v)
            for child in v._children:
                build(child)
            topo.append(v)
    build(root)
    return topo

def backward(root):
    topo = ordered(root)
    root.grad = 1
    for v in reversed(topo):
        for child, local_grad in zip(v._children, v._local_grads):
            child.grad += local_grad * v.grad

def strongest(root):
    best = {}
    for v in ordered(root):
        best[v] = max((abs(g) * best[c] for c, g in zip(v._children, v._local_grads)), default=1.0)
    return best[root]

a, b, c = Value(1.5), Value(-2.0), Value(0.25)
d = a * b + c * a
e = d * d + b * c
backward(e)
result = [e.data, strongest(e), a.grad, b.grad, c.grad, d.grad]
