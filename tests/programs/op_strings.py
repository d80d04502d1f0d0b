# counts operations by the strings in _op, and neighbours by the size of _prev
class Value:
    def __init__(self, data, _children=(), _op=''):
        self.data = data
        self._prev = set(_children)
        self._op = _op
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), '+')
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), '*')
    def __pow__(self, n): return Value(self.data ** n, (self,), f'**{n}')
    def relu(self): return Value(max(0, self.data), (self,), 'ReLU')
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)
    def __truediv__(self, other): return self * other ** -1

# Instead: from autograd import Value

def count(root):
    seen, ops = set(), {}
    def visit(v):
        if v in seen: return
        seen.add(v)
        ops[v._op] = ops.get(v._op, 0) + 1
        for u in v._prev: visit(u)
    visit(root)
    return ops, len(seen)

x, y = Value(3.0), Value(-1.0)
ops, nodes = count(((x - y) ** 2 / x + 2).relu())
result = [nodes, ops['+'], ops.get('*', 0), ops.get('ReLU', 0), ops.get('**2', 0), ops.get('**-1', 0), ops['']]
