# GAN in one dimension: the generator shifts and scales noise, the discriminator is a small net
import math, random

def _define(name, f, *slopes):
    """adds a method; slopes are d f / d argument k, given the output and the arguments"""
    def method(self, *others):
        args = [self] + [o if isinstance(o, Value) else Value(o) for o in others]
        nums = [a.data for a in args]
        out = f(*nums)
        return Value(out, [(a, s(out, *nums)) for a, s in zip(args, slopes)])
    setattr(Value, name, method)

class Value:
    def __init__(self, data, backlinks=()):
        self.data = data
        self.backlinks = backlinks
        self.grad = 0.0

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __rsub__(self, other): return Value(other) - self
    def __neg__(self): return 0.0 - self

    def backward(self):
        # depth of each node: longest way from here
        depth, level = {}, [self]
        d = 0
        while level:
            for v in level: depth[v] = d
            level = list({p for v in level for p, _ in v.backlinks})
            d += 1
        self.grad = 1.0
        for v in sorted(depth, key=depth.get):
            for p, s in v.backlinks:
                p.grad += v.grad * s

_define('__add__', lambda a, b: a + b, lambda o, a, b: 1.0, lambda o, a, b: 1.0)
_define('__sub__', lambda a, b: a - b, lambda o, a, b: 1.0, lambda o, a, b: -1.0)
_define('__mul__', lambda a, b: a * b, lambda o, a, b: b, lambda o, a, b: a)
_define('log', math.log, lambda o, a: 1.0 / a)
_define('tanh', math.tanh, lambda o, a: 1.0 - o * o)
_define('sigmoid', lambda a: 1 / (1 + math.exp(-a)), lambda o, a: o * (1.0 - o))

# Instead: from autograd import Value

random.seed(2)
G = [Value(1.0), Value(0.0)]
D = [Value(random.gauss(0, 0.6)) for _ in range(10)]

def generate(z):
    return G[0] * z + G[1]

def judge(x):
    h = [(D[2 * k] * x + D[2 * k + 1]).tanh() for k in range(3)]
    return (D[6] * h[0] + D[7] * h[1] + D[8] * h[2] + D[9]).sigmoid()

def zero(ps):
    for p in ps: p.grad = 0.0

def descend(ps, lr):
    for p in ps: p.data = p.data - lr * p.grad

d_losses, g_losses = [], []
for it in range(6):
    real = [3 + 0.5 * random.gauss(0, 1) for _ in range(4)]
    noise = [random.gauss(0, 1) for _ in range(4)]
    # discriminator: the fakes are plain numbers here
    fakes = [generate(z).data for z in noise]
    d_loss = sum(-judge(x).log() - (1 - judge(f)).log() for x, f in zip(real, fakes)) * 0.25
    zero(D)
    d_loss.backward()
    descend(D, 0.1)
    # generator: gradients also land in D, and are thrown away
    g_loss = sum(-judge(generate(z)).log() for z in noise) * 0.25
    zero(G + D)
    g_loss.backward()
    descend(G, 0.3)
    d_losses.append(d_loss.data)
    g_losses.append(g_loss.data)

result = d_losses + g_losses + [p.data for p in G + D] + [p.grad for p in G + D]
