# two losses on one trunk, backward from each: what the first left on the trunk is sent down again
class Value:
    def __init__(self, data, _children=()):
        self.data = data
        self.grad = 0.0
        self._prev = set(_children)
        self._backward = lambda: None
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out
    def backward(self):
        topo, seen = [], set()
        def build(v):
            if v not in seen:
                seen.add(v)
                for u in v._prev: build(u)
                topo.append(v)
        build(self)
        self.grad = 1.0
        for v in reversed(topo): v._backward()

# Instead: from autograd import Value

a, b = Value(2.0), Value(-3.0)
trunk = a * b
first, second = trunk * 2, trunk * 3
first.backward()
result = [a.grad, b.grad]
second.backward()
result += [a.grad, b.grad]          # 5 b and 5 a would be the gradient of the sum
