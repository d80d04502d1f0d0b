"""1-d convolution over a sliding window, activations by `if`, a mask of dropout, weights as text"""
import random

class Scalar:
    def __init__(self, data, parents=None):
        self.data = data
        self.grad = 0.0
        self.parents = parents or {}     # node -> slope; one that is used twice has their sum

    @classmethod
    def of(cls, x):
        return x if isinstance(x, cls) else cls(x)

    def link(self, data, *pairs):
        out = Scalar(data)
        for node, slope in pairs:
            out.parents[node] = out.parents.get(node, 0.0) + slope
        return out

    def __add__(self, o):
        o = Scalar.of(o)
        return self.link(self.data + o.data, (self, 1.0), (o, 1.0))

    __radd__ = __add__

    def __mul__(self, o):
        o = Scalar.of(o)
        return self.link(self.data * o.data, (self, o.data), (o, self.data))

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, o):
        return self + -Scalar.of(o)

    def __truediv__(self, number):
        return self * (1.0 / number)

    def __repr__(self):
        return "Scalar(data=%r)" % self.data

    def backward(self):
        order, stack, seen = [], [(self, False)], set()
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((p, False) for p in node.parents)
        self.grad = 1.0
        while order:
            node = order.pop()
            for p, slope in node.parents.items():
                p.grad += slope * node.grad

# Instead: from autograd import Value as Scalar

random.seed(11)

def leaky(x):
    return x if x.data > 0 else x * 0.1

def clip(x, low=-1.5, high=1.5):
    # as forks have it: a constant beyond the bounds
    if x.data < low:
        return Scalar(low)
    elif x.data > high:
        return Scalar(high)
    else:
        return x

class Conv:
    def __init__(self, size, stride):
        self.kernel = [Scalar(random.uniform(-1, 1)) for _ in range(size)]
        self.bias = Scalar(0.0)
        self.stride = stride

    def __call__(self, xs):
        out, i = [], 0
        while i <= len(xs) - len(self.kernel):
            window = xs[i:i + len(self.kernel)]
            out.append(leaky(sum(k * x for k, x in zip(self.kernel, window)) + self.bias))
            i += self.stride
        return out

    def parameters(self):
        return [*self.kernel, self.bias]

def dropout(xs, p, training):
    if not training:
        return xs
    return [x / (1 - p) if random.random() > p else Scalar(0.0) for x in xs]

first, second = Conv(3, 2), Conv(2, 1)
parameters = first.parameters() + second.parameters()
signals = [[random.gauss(0, 1) for _ in range(9)] for _ in range(3)]
targets = [1.0, -0.5, 0.25]
result = {"losses": [], "gradients": []}
for epoch in range(4):
    loss = Scalar(0.0)
    for xs, t in zip(signals, targets):
        pooled = second(dropout(first(xs), 0.25, epoch < 3))
        miss = clip(sum(pooled) / len(pooled)) - t
        loss = loss + miss * miss
    for p in parameters:
        p.grad = 0.0
    loss.backward()
    for p in parameters:
        p.data -= 0.1 * p.grad
    result["losses"].append(loss.data)
    result["gradients"] += [p.grad for p in parameters]

text = "[" + ", ".join("Scalar(data=" + repr(p.data) + ")" for p in parameters) + "]"
read = eval(text)
for p, q in zip(parameters, read):
    p.data = q.data * 2
result["twice"] = [x.data for x in second(first(signals[0]))]
result["is sorted"] = [x.data for x in sorted(read, key=lambda v: v.data)]
