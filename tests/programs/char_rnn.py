# vanilla RNN on characters, backprop through time over one short string, every unit a Node
import math
import random
from collections import namedtuple

Edge = namedtuple('Edge', 'node slope')


class Node(object):
    count = 0

    def __init__(self, data, edges=()):
        self.data = data
        self.grad = 0.0
        self.edges = edges
        Node.count += 1
        self.number = Node.count      # creation order is a topological order

    def __add__(self, other):
        if not isinstance(other, Node):
            return Node(self.data + other, [Edge(self, 1.0)])
        return Node(self.data + other.data, [Edge(self, 1.0), Edge(other, 1.0)])

    def __mul__(self, other):
        if not isinstance(other, Node):
            return Node(self.data * other, [Edge(self, other)])
        return Node(self.data * other.data, [Edge(self, other.data), Edge(other, self.data)])

    __radd__ = __add__
    __rmul__ = __mul__

    def __sub__(self, other):
        return self + other * -1

    def tanh(self):
        t = math.tanh(self.data)
        return Node(t, [Edge(self, 1 - t * t)])

    def exp(self):
        e = math.exp(self.data)
        return Node(e, [Edge(self, e)])

    def log(self):
        return Node(math.log(self.data), [Edge(self, 1.0 / self.data)])

    def backward(self):
        reach, todo = {self.number: self}, [self]
        while todo:
            for e in todo.pop().edges:
                if e.node.number not in reach:
                    reach[e.node.number] = e.node
                    todo.append(e.node)
        self.grad = 1.0
        for number in sorted(reach, reverse=True):
            n = reach[number]
            for e in n.edges:
                e.node.grad += e.slope * n.grad

# Instead: from autograd import Value as Node

random.seed(1)
text = 'hello world'
vocab = sorted(set(text))
ix = {ch: i for i, ch in enumerate(vocab)}
H, V = 4, len(vocab)

def mat(r, c, s=0.4):
    return [[Node(random.uniform(-s, s)) for _ in range(c)] for _ in range(r)]

Wxh, Whh, Why = mat(H, V), mat(H, H), mat(V, H)
bh, by = [Node(0.0) for _ in range(H)], [Node(0.0) for _ in range(V)]
params = [p for M in (Wxh, Whh, Why) for row in M for p in row] + bh + by

def forward():
    h = [Node(0.0)] * H
    loss = Node(0.0)
    for cur, nxt in zip(text, text[1:]):
        c = ix[cur]
        h = [(Wxh[i][c] + sum(Whh[i][j] * h[j] for j in range(H)) + bh[i]).tanh() for i in range(H)]
        y = [sum((Why[k][j] * h[j] for j in range(H)), by[k]) for k in range(V)]
        z = sum((yk.exp() for yk in y), Node(0))
        loss += z.log() - y[ix[nxt]]
    return loss

mem = [0.0 for _ in params]
losses = []
for it in range(3):
    for p in params:
        p.grad = 0.0
    loss = forward()
    loss.backward()
    losses.append(loss.data)
    for k, p in enumerate(params):      # clip, then adagrad
        g = max(-5.0, min(5.0, p.grad))
        mem[k] += g * g
        p.data += -0.1 * g / math.sqrt(mem[k] + 1e-8)

result = [losses, [p.grad for p in params[::6]], [p.data for p in params[::9]], mem[::11]]
