# all the ways to add and multiply up a list
import operator
from functools import reduce
from itertools import accumulate, chain


class Num:
    def __init__(self, data, made_by=None):
        self.data = data
        self.grad = 0.0
        self.made_by = made_by

    def _op(self, other, f, grads):
        other = other if isinstance(other, Num) else Num(other)
        return Num(f(self.data, other.data), (self, other, grads))

    def __add__(self, other): return self._op(other, operator.add, lambda g, x, y: (g, g))
    def __mul__(self, other): return self._op(other, operator.mul, lambda g, x, y: (g * y, g * x))
    def __sub__(self, other): return self._op(other, operator.sub, lambda g, x, y: (g, -g))
    def __truediv__(self, other): return self._op(other, operator.truediv, lambda g, x, y: (g / y, -g * x / y**2))
    def __pow__(self, n): return Num(self.data**n, (self, Num(n), lambda g, x, n: (g * n * x**(n - 1), 0.0)))
    def __radd__(self, other): return Num(other) + self
    def __rmul__(self, other): return Num(other) * self
    def __rsub__(self, other): return Num(other) - self
    def __rtruediv__(self, other): return Num(other) / self
    def __neg__(self): return 0 - self
    def __abs__(self): return self if self.data >= 0 else -self

    def backward(self, grad=1.0):
        todo = [(self, grad)]
        while todo:                       # one visit for each path
            node, g = todo.pop()
            node.grad += g
            if node.made_by:
                x, y, grads = node.made_by
                todo.extend(zip((x, y), grads(g, x.data, y.data)))

# Instead: from autograd import Value as Num

xs = [Num(x) for x in (0.5, -1.5, 2.0, 3.0)]
total = sum(xs)
total2 = sum(xs, Num(0))
total3 = reduce(operator.add, xs)
total4 = reduce(lambda acc, x: acc + x * x, xs, Num(0.0))
product = reduce(operator.mul, xs)
mean = sum(xs) / len(xs)
variance = sum((x - mean) ** 2 for x in xs) / (len(xs) - 1)
running = list(accumulate(xs, operator.mul))
absolute = sum(map(abs, xs))
matrix = [[xs[0], xs[1]], [xs[2], xs[3]]]
trace = sum(matrix[i][i] for i in range(2))
det = matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0]
flat = sum(chain.from_iterable(matrix), start=Num(1))
acc = 0
for x in xs:
    acc += 2 * x - 1 / x
acc -= xs[0]
acc *= 3
acc /= xs[1]
horner = 0.0
for c in (1.0, -2.0, 0.5):
    horner = horner * xs[2] + c

result = {}
for name, out in dict(total=total, total2=total2, total3=total3, total4=total4, product=product, mean=mean, var=variance,
                      third=running[2], absolute=absolute, trace=trace, det=det, flat=flat, acc=acc, horner=horner).items():
    for x in xs:
        x.grad = 0.0
    out.backward()
    result[name] = [out.data, [x.grad for x in xs]]
