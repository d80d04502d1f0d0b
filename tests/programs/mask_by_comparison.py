# relu, leaky relu, clipping and dropout, all written as "a * (condition)"
import random
from operator import add, mul, sub


class Value:
    tape = []

    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    @classmethod
    def _do(cls, f, x, y, dx, dy):
        x = x if isinstance(x, cls) else cls(x)
        y = y if isinstance(y, cls) else cls(y)
        out = cls(f(x.data, y.data))
        cls.tape.append((out, x, y, dx(x.data, y.data), dy(x.data, y.data)))
        return out

    def __add__(self, y): return Value._do(add, self, y, lambda a, b: 1, lambda a, b: 1)
    def __sub__(self, y): return Value._do(sub, self, y, lambda a, b: 1, lambda a, b: -1)
    def __mul__(self, y): return Value._do(mul, self, y, lambda a, b: b, lambda a, b: a)
    def __rsub__(self, y): return Value._do(sub, y, self, lambda a, b: 1, lambda a, b: -1)
    __radd__, __rmul__ = __add__, __mul__

    def __gt__(self, y): return self.data > getattr(y, 'data', y)
    def __lt__(self, y): return self.data < getattr(y, 'data', y)
    def __ge__(self, y): return self.data >= getattr(y, 'data', y)
    def __le__(self, y): return self.data <= getattr(y, 'data', y)

    def backward(self):
        self.grad = 1.0
        for out, x, y, gx, gy in reversed(Value.tape):
            x.grad += gx * out.grad
            y.grad += gy * out.grad

# Instead: from autograd import Value

def relu(x): return x * (x > 0)
def leaky(x): return x * (x > 0) + 0.1 * x * (x <= 0)
def clip(x, lo, hi): return x * ((x >= lo) & (x <= hi)) + lo * (x < lo) + hi * (x > hi)

random.seed(5)
w = [Value(random.uniform(-2, 2)) for _ in range(6)]
keep = [random.random() > 0.3 for _ in w]
h = [relu(wi) + leaky(wi - 0.5) for wi in w]
h = [hi * k * (1 / 0.7) for hi, k in zip(h, keep)]
flags = Value(True) + Value(False) * 3
out = sum(clip(hi, -0.5, 1.2) * wi for hi, wi in zip(h, w)) + flags * w[0] + True
out.backward()
result = [out.data, [v.data for v in h], [v.grad for v in w], [v.grad for v in h], flags.data, flags.grad]
