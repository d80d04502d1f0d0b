# words get a weight when they are first met: defaultdict of Values, regression on bags of words
import math
from collections import defaultdict


class Var:
    __slots__ = 'data', 'inputs', 'local', 'grad', 'mark'
    clock = 0           # marks of an earlier pass are older

    def __init__(self, data=0.0, inputs=None, local=None):
        self.data = data
        self.inputs = inputs if inputs is not None else []
        self.local = local if local is not None else []
        self.grad = 0.0
        self.mark = 0

    def __add__(self, other):
        return Var(self.data + other.data, [self, other], [1, 1]) if isinstance(other, Var) else Var(self.data + other, [self], [1])

    def __mul__(self, other):
        return Var(self.data * other.data, [self, other], [other.data, self.data]) if isinstance(other, Var) else Var(self.data * other, [self], [other])

    def __neg__(self): return Var(-self.data, [self], [-1])
    def __rsub__(self, other): return Var(other - self.data, [self], [-1])
    def sigmoid(self):
        s = 0.5 * (1 + math.tanh(self.data / 2))
        return Var(s, [self], [s * (1 - s)])
    def log(self): return Var(math.log(self.data), [self], [1 / self.data])
    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        Var.clock += 1
        order = []
        self._visit(order)
        self.grad = 1.0
        for v in reversed(order):
            for u, d in zip(v.inputs, v.local):
                u.grad += d * v.grad

    def _visit(self, order):
        self.mark = Var.clock
        for u in self.inputs:
            if u.mark != Var.clock: u._visit(order)
        order.append(self)

# Instead: from autograd import Value as Var

weight = defaultdict(lambda: Var(0.0))
bias = Var(0.0)
reviews = [('good fun good', 1), ('bad boring', 0), ('not bad fun', 1), ('not good', 0), ('boring boring plot', 0)]
curve = []
for epoch in range(4):
    for text, label in reviews:
        counts = defaultdict(int)
        for word in text.split(): counts[word] += 1
        z = sum(weight[w] * n for w, n in counts.items()) + bias
        p = z.sigmoid()
        loss = -p.log() if label else -(1 - p).log()
        touched = [weight[w] for w in counts] + [bias]
        for t in touched: t.grad = 0.0
        loss.backward()
        for t in touched: t.data -= 0.4 * t.grad
    curve.append(loss.data)
result = {'curve': curve, 'words': len(weight), 'bias': [bias.data, bias.grad], **{w: [v.data, v.grad] for w, v in weight.items()}}
