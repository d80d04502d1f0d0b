# a Vector class over scalars; number * vector and Value * vector are the vector's business
import math


class Scalar:
    def __init__(self, data, terms=()):
        self.data, self.terms, self.grad = float(data), terms, 0.0

    def _with(self, other, f):
        if isinstance(other, (int, float)): other = Scalar(other)
        if not isinstance(other, Scalar): return NotImplemented
        data, left, right = f(self.data, other.data)
        return Scalar(data, ((self, left), (other, right)))

    def __add__(self, other): return self._with(other, lambda a, b: (a + b, 1.0, 1.0))
    def __sub__(self, other): return self._with(other, lambda a, b: (a - b, 1.0, -1.0))
    def __mul__(self, other): return self._with(other, lambda a, b: (a * b, b, a))
    def __truediv__(self, other): return self._with(other, lambda a, b: (a / b, 1 / b, -a / b / b))
    __radd__, __rmul__ = __add__, __mul__
    def sqrt(self): return Scalar(math.sqrt(self.data), ((self, 0.5 / math.sqrt(self.data)),))

    def backward(self):
        rank = {}
        def depth(v):
            if v not in rank:
                rank[v] = 1 + max((depth(u) for u, _ in v.terms), default=0)
            return rank[v]
        depth(self)
        self.grad = 1.0
        for v in sorted(rank, key=rank.get, reverse=True):
            for u, d in v.terms: u.grad += d * v.grad

# Instead: from autograd import Value as Scalar

class Vector:
    def __init__(self, *xs): self.xs = list(xs)
    def __iter__(self): return iter(self.xs)
    def __add__(self, other): return Vector(*(a + b for a, b in zip(self, other)))
    def __sub__(self, other): return Vector(*(a - b for a, b in zip(self, other)))
    def __mul__(self, k): return Vector(*(x * k for x in self))
    def __rmul__(self, k): return Vector(*(k * x for x in self))
    def __truediv__(self, k): return self * (1 / k) if isinstance(k, float) else Vector(*(x / k for x in self))
    def __matmul__(self, other): return sum(a * b for a, b in zip(self, other))
    def norm(self): return (self @ self).sqrt()
    def __radd__(self, k): return Vector(*(k + x for x in self))

mass = Scalar(2.0)
here, there = Vector(Scalar(1.0), Scalar(-0.5), Scalar(0.25)), Vector(Scalar(-1.0), Scalar(0.5), Scalar(2.0))
way = there - here
force = mass * (way / way.norm())            # Value * Vector
shifted = mass + force                       # Value + Vector
work = shifted @ Vector(1.0, 2.0, 3.0) + (2 * here) @ there
work.backward()
result = [work.data, mass.grad, [x.grad for x in here], [x.grad for x in there], [x.data for x in force]]
