"""Vision transformer, toy size: a 4x2 picture in two patches, a class token, one head, one block."""
import math
import random

OPS = {}

def differentiable(f):
    """f returns a number and its local derivatives"""
    def wrapped(*args):
        args = [a if isinstance(a, Scalar) else Scalar(a) for a in args]
        number, locals_ = f(*(a.data for a in args))
        out = Scalar(number)
        out.recipe = (f.__name__, args, locals_)
        return out
    OPS[f.__name__] = wrapped
    return wrapped


class Scalar:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
        self.recipe = None

    def backward(self):
        stack, finished, order = [self], set(), []
        while stack:
            top = stack[-1]
            missing = [a for a in (top.recipe[1] if top.recipe else []) if a not in finished]
            if missing:
                stack.extend(missing)
            else:
                stack.pop()
                if top not in finished:
                    finished.add(top)
                    order.append(top)
        self.grad = 1.0
        for v in reversed(order):
            if v.recipe is not None:
                _, args, locals_ = v.recipe
                for a, l in zip(args, locals_):
                    a.grad += l * v.grad

@differentiable
def add(a, b): return a + b, (1.0, 1.0)
@differentiable
def sub(a, b): return a - b, (1.0, -1.0)
@differentiable
def mul(a, b): return a * b, (b, a)
@differentiable
def div(a, b): return a / b, (1.0 / b, -a / b ** 2)
@differentiable
def exp(a): return math.exp(a), (math.exp(a),)
@differentiable
def log(a): return math.log(a), (1.0 / a,)
@differentiable
def sqrt(a): return math.sqrt(a), (0.5 / math.sqrt(a),)
@differentiable
def gelu(a):
    cdf = 0.5 * math.erfc(-a / math.sqrt(2))
    return a * cdf, (cdf + a * math.exp(-a * a / 2) / math.sqrt(2 * math.pi),)

Scalar.__add__ = Scalar.__radd__ = lambda a, b: add(a, b)
Scalar.__mul__ = Scalar.__rmul__ = lambda a, b: mul(a, b)
Scalar.__sub__ = lambda a, b: sub(a, b)
Scalar.__truediv__ = lambda a, b: div(a, b)

# Instead: from autograd import Value as Scalar, exp, gelu, log, sqrt

rnd = random.Random(9)
def matrix(rows, cols): return [[Scalar(rnd.gauss(0, 0.4)) for _ in range(cols)] for _ in range(rows)]
def matvec(m, x): return [sum(w * xi for w, xi in zip(row, x)) for row in m]
def plus(a, b): return [x + y for x, y in zip(a, b)]

def layernorm(x, gain):
    mu = sum(x) / len(x)
    var = sum((xi - mu) * (xi - mu) for xi in x) / len(x)
    return [(xi - mu) / sqrt(var + 1e-5) * g for xi, g in zip(x, gain)]

def softmax(x):
    top = max(xi.data for xi in x)
    e = [exp(xi - top) for xi in x]
    s = sum(e)
    return [ei / s for ei in e]

D = 3
P = dict(embed=matrix(D, 4), cls=matrix(1, D), pos=matrix(3, D), q=matrix(D, D), k=matrix(D, D), v=matrix(D, D),
         up=matrix(4, D), down=matrix(D, 4), head=matrix(2, D), gain=matrix(2, D))
params = [p for m in P.values() for row in m for p in row]

def forward(picture):
    patches = [[row[c] for row in picture[r:r + 2] for c in (0, 1)] for r in (0, 2)]
    tokens = [P['cls'][0]] + [matvec(P['embed'], patch) for patch in patches]
    tokens = [plus(t, pos) for t, pos in zip(tokens, P['pos'])]
    normed = [layernorm(t, P['gain'][0]) for t in tokens]
    q, k, v = ([matvec(P[name], t) for t in normed] for name in 'qkv')
    mixed = []
    for t, qt in zip(tokens, q):
        weights = softmax([sum(a * b for a, b in zip(qt, ks)) * D ** -0.5 for ks in k])
        att = [sum(w * vs[d] for w, vs in zip(weights, v)) for d in range(D)]
        mixed.append(plus(t, att))
    out = [plus(t, matvec(P['down'], [gelu(u) for u in matvec(P['up'], layernorm(t, P['gain'][1]))])) for t in mixed]
    return softmax(matvec(P['head'], out[0]))

pictures = [([[1.0, 0.9], [0.8, 1.0], [0.1, 0.0], [0.0, 0.2]], 0), ([[0.0, 0.1], [0.2, 0.0], [0.9, 1.0], [1.0, 0.7]], 1)]
losses = []
for epoch in range(2):
    loss = sum(log(forward(pic)[label]) for pic, label in pictures) * -0.5
    for p in params: p.grad = 0.0
    loss.backward()
    for p in params: p.data -= 0.1 * p.grad
    losses.append(loss.data)

result = {'losses': losses, **{name: [p.grad for row in m for p in row] for name, m in P.items() if name != 'k'}}
