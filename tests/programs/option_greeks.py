# Black-Scholes with erf: price and greeks of a call, implied volatility by Newton
import math


def op(f):
    """turn f(out, *numbers) -> slopes, with its forward in the name, into a method"""
    forward = {'add': lambda a, b: a + b, 'mul': lambda a, b: a * b, 'div': lambda a, b: a / b, 'sub': lambda a, b: a - b,
               'pow': lambda a, b: a ** b}.get(f.__name__.strip('_').replace('true', '')) or getattr(math, f.__name__)
    def method(*args):
        xs = [a if isinstance(a, V) else V(a) for a in args]
        y = V(forward(*[x.data for x in xs]))
        y.src = list(zip(xs, f(y.data, *[x.data for x in xs])))
        return y
    return method


class V:
    def __init__(self, data):
        self.data, self.grad, self.src = float(data), 0.0, []

    @op
    def __add__(y, a, b): return 1.0, 1.0
    @op
    def __sub__(y, a, b): return 1.0, -1.0
    @op
    def __mul__(y, a, b): return b, a
    @op
    def __truediv__(y, a, b): return 1 / b, -a / b / b
    @op
    def exp(y, a): return [y]
    @op
    def log(y, a): return [1 / a]
    @op
    def sqrt(y, a): return [0.5 / y]
    @op
    def erf(y, a): return [2 / math.sqrt(math.pi) * math.exp(-a * a)]

    def __neg__(self): return self * -1.0
    def __radd__(self, o): return self + o
    def __rmul__(self, o): return self * o

    def backward(self):
        order, seen = [], set()
        def dive(v):
            seen.add(id(v))
            for u, _ in v.src:
                if id(u) not in seen: dive(u)
            order.append(v)
        dive(self)
        self.grad = 1.0
        for v in reversed(order):
            for u, s in v.src: u.grad += s * v.grad

# Instead: from autograd import Value as V

def cdf(x): return 0.5 * ((x / math.sqrt(2)).erf() + 1)

def call(S, K, T, r, sigma):
    d1 = ((S / K).log() + (r + sigma * sigma / 2) * T) / (sigma * T.sqrt())
    d2 = d1 - sigma * T.sqrt()
    return S * cdf(d1) - K * (-r * T).exp() * cdf(d2)

S, T, r, sigma = V(105), V(0.75), V(0.03), V(0.2)
price = call(S, 100, T, r, sigma)
price.backward()
result = {'price': price.data, 'delta': S.grad, 'theta': -T.grad, 'rho': r.grad, 'vega': sigma.grad}

market, guess = 13.5, V(0.4)
for _ in range(5):
    guess.grad = 0.0
    p = call(V(105), 100, V(0.75), V(0.03), guess)
    p.backward()
    guess.data -= (p.data - market) / guess.grad
result['implied'] = guess.data
