# "if v" asks whether there is a Value at all, as with any object
class Value:
    def __init__(self, data, parents=()):
        self.data = data
        self.grad = 0.0
        self.parents = parents
    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])
    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])
    def backward(self, g=1.0):
        self.grad += g
        for p, d in self.parents: p.backward(g * d)

# Instead: from autograd import Value

class Linear:
    def __init__(self, w, b=None):
        self.w, self.b = w, b
    def __call__(self, x):
        out = self.w * x
        if self.b:                          # there is a bias
            out = out + self.b
        return out

layer = Linear(Value(2.0), Value(0.0))      # it starts at zero
losses = []
for _ in range(3):
    e = layer(Value(1.5)) + Value(-1.0)
    loss = e * e
    layer.w.grad = layer.b.grad = 0.0
    loss.backward()
    layer.w.data -= 0.1 * layer.w.grad
    layer.b.data -= 0.1 * layer.b.grad
    losses.append(loss.data)
result = losses + [layer.w.data, layer.b.data]
