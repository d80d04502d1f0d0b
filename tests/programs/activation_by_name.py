# activations chosen by a string, unbound methods handed to map(), partial and methodcaller
import math
import operator
from functools import partial

TABLE = dict(
    relu=(lambda x: max(x, 0.0), lambda x, y: float(x > 0)),
    tanh=(math.tanh, lambda x, y: 1 - y * y),
    sigmoid=(lambda x: 1 / (1 + math.exp(-x)), lambda x, y: y * (1 - y)),
    exp=(math.exp, lambda x, y: y),
    sin=(math.sin, lambda x, y: math.cos(x)),
    softplus=(lambda x: math.log1p(math.exp(x)), lambda x, y: 1 / (1 + math.exp(-x))),
)


class Elementary(type):
    def __new__(meta, name, bases, body):
        for op, (f, df) in TABLE.items():
            body[op] = meta.unary(f, df)
        return super().__new__(meta, name, bases, body)

    @staticmethod
    def unary(f, df):
        def method(self):
            y = f(self.data)
            return type(self)(y, [(self, df(self.data, y))])
        return method


class Value(metaclass=Elementary):
    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = data, inputs, 0.0

    def __add__(self, other):
        if not isinstance(other, Value): return Value(self.data + other, [(self, 1.0)])
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        if not isinstance(other, Value): return Value(self.data * other, [(self, other)])
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        finished = []
        def finish(v):
            for u, _ in v.inputs:
                if u not in finished: finish(u)
            finished.append(v)
        finish(self)
        self.grad = 1.0
        for v in finished[::-1]:
            for u, d in v.inputs: u.grad += d * v.grad

# Instead: from autograd import Value

class Cell:
    def __init__(self, w, b, act=None):
        self.w, self.b, self.act = Value(w), Value(b), act

    def __call__(self, x):
        z = self.w * x + self.b
        return getattr(z, self.act)() if self.act else z

names = ['relu', 'tanh', 'sigmoid', 'softplus', 'sin', None]
result = {}
for k, name in enumerate(names):
    cell = Cell(0.5 + 0.1 * k, -0.2, name)
    x = Value(1.3)
    y = cell(x)
    y.backward()
    result[str(name)] = [y.data, cell.w.grad, cell.b.grad, x.grad]

xs = [Value(v) for v in (-1.0, 0.5, 2.0)]
h = list(map(Value.relu, xs)) + list(map(operator.methodcaller('tanh'), xs)) + [f(x) for f, x in zip((Value.exp, Value.sigmoid, Value.sin), xs)]
double = partial(Value.__mul__, Value(2.0))
total = sum(map(double, h)) + sum(map(Value.__add__, xs, h[3:6])) + Value.__rmul__(xs[0], 3.0)
total.backward()
result['mapped'] = [total.data] + [x.grad for x in xs]
