# parameters as a subclass that knows whether it may be trained
class Value:
    def __init__(self, data, parents=(), back=None):
        self.data, self.grad = data, 0.0
        self.parents, self.back = parents, back

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        def back(g):
            self.grad += g * other.data; other.grad += g * self.data
        return Value(self.data * other.data, (self, other), back)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        def back(g):
            self.grad += g; other.grad += g
        return Value(self.data + other.data, (self, other), back)

    def backward(self):
        order = []
        def visit(v):
            if v in order: return
            for p in v.parents: visit(p)
            order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            if v.back: v.back(v.grad)

# Instead: from autograd import Value

class Parameter(Value):
    def __init__(self, data, trainable=True):
        super().__init__(data)
        self.trainable = trainable

w, b = Parameter(0.5), Parameter(0.25, trainable=False)
losses = []
for _ in range(4):
    e = w * 3.0 + b + -2.0
    loss = e * e
    for p in (w, b): p.grad = 0.0
    loss.backward()
    for p in (w, b):
        if p.trainable: p.data -= 0.02 * p.grad
    losses.append(loss.data)
result = losses + [w.data, b.data, w.grad, b.grad]
