# LoRA: a frozen 4x4 weight, plus B @ A of rank one; only A and B are handed to the optimiser
import random
from functools import partial


class Value:
    """reverse mode by continuations: every node knows how to send a gradient further down"""

    def __init__(self, data, send=None):
        self.data = data
        self.grad = 0.0
        self.send = send or (lambda g: None)

    def receive(self, g):
        self.grad += g
        self.send(g)            # no sorting at all: path by path

    def __add__(self, other):
        if isinstance(other, (int, float)):
            return Value(self.data + other, self.receive)
        def send(g):
            self.receive(g)
            other.receive(g)
        return Value(self.data + other.data, send)

    def __mul__(self, other):
        if isinstance(other, (int, float)):
            return Value(self.data * other, lambda g: self.receive(g * other))
        def send(g):
            self.receive(g * other.data)
            other.receive(g * self.data)
        return Value(self.data * other.data, send)

    def __sub__(self, other): return self + other * -1
    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        self.receive(1.0)

# Instead: from autograd import Value

rng = random.Random(4)
n, r, alpha = 4, 1, 2.0
W = [[rng.uniform(-1, 1) for _ in range(n)] for _ in range(n)]          # frozen: plain numbers
A = [[Value(rng.gauss(0, 0.5)) for _ in range(n)] for _ in range(r)]
B = [[Value(0.0) for _ in range(r)] for _ in range(n)]

def frozen(x): return [sum(w * xi for w, xi in zip(row, x)) for row in W]

def forward(x):
    low = [sum(a * xi for a, xi in zip(row, x)) for row in A]
    delta = [sum(b * l for b, l in zip(row, low)) for row in B]
    return [d * (alpha / r) + y for d, y in zip(delta, frozen(x))]

data = [([rng.uniform(-1, 1) for _ in range(n)], [rng.uniform(-1, 1) for _ in range(n)]) for _ in range(3)]
trainable = [p for m in (A, B) for row in m for p in row]
losses = []
for step in range(6):
    for p in trainable:
        p.grad = 0.0
    loss = 0
    for x, y in data:
        for o, t in zip(forward(x), y):
            d = o - t
            loss = d * d + loss
    loss = loss * (1 / (n * len(data)))
    loss.backward()
    for p in trainable:
        p.data -= 0.2 * p.grad
    losses.append(loss.data)

merged = [[W[i][j] + alpha / r * sum(B[i][k].data * A[k][j].data for k in range(r)) for j in range(n)] for i in range(n)]
result = {'losses': losses, 'merged': merged, 'grads': [p.grad for p in trainable]}
