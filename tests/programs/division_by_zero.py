# expects what Python does: 1/0 is a ZeroDivisionError, log(-1) a ValueError, and both are handled
import math


class Value:
    def __init__(self, data, args=(), slopes=lambda: ()):
        self.data, self.grad, self.args, self.slopes = data, 0.0, args, slopes

    def __truediv__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data / o.data, (self, o), lambda: (1 / o.data, -self.data / o.data ** 2))

    def __rtruediv__(self, o): return Value(o) / self
    def __add__(self, o): return Value(self.data + (o.data if isinstance(o, Value) else o), (self, o) if isinstance(o, Value) else (self,), lambda: (1.0, 1.0))
    def __sub__(self, o): return Value(self.data - o.data, (self, o), lambda: (1.0, -1.0))
    def __pow__(self, k): return Value(self.data ** k, (self,), lambda: (k * self.data ** (k - 1),))
    def log(self): return Value(math.log(self.data), (self,), lambda: (1 / self.data,))
    def sqrt(self): return Value(math.sqrt(self.data), (self,), lambda: (0.5 / math.sqrt(self.data),))

    def backward(self, g=1.0):
        self.grad += g
        for a, s in zip(self.args, self.slopes()):
            a.backward(s * g)

# Instead: from autograd import Value

def harmonic(values, skipped):
    total = None
    for v in values:
        try:
            term = 1 / v
        except ZeroDivisionError:
            skipped.append(v)
            continue
        total = term if total is None else total + term
    return 1.0 / total

def safe(f, v, instead):
    try:
        return f(v)
    except (ValueError, ArithmeticError) as e:
        print(type(e).__name__, e)
        return instead

vs = [Value(x) for x in (2.0, 0.0, -4.0, 8.0)]
skipped = []
out = harmonic(vs, skipped)
out = out + safe(Value.log, vs[2], Value(0.5)) + safe(Value.sqrt, vs[2], vs[0]) + safe(lambda v: v ** -1, vs[1], vs[3])
out.backward()
result = [out.data, len(skipped)] + [v.grad for v in vs]
