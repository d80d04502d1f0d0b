# parameters are stepped before the second loss goes backward: local gradients are those of the forward pass
class Value:
    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad, self.children, self.local_grads = data, 0.0, children, local_grads
    def __mul__(self, other): return Value(self.data * other.data, (self, other), (other.data, self.data))
    def backward(self, g=1.0):
        self.grad += g
        for c, l in zip(self.children, self.local_grads): c.backward(l * g)

# Instead: from autograd import Value

a, b = Value(2.0), Value(-3.0)
one, other = a * b, a * a
one.backward()
a.data -= 0.1 * a.grad
result = [one.data, other.data, a.data, a.grad, b.grad]
a.grad = 0.0
other.backward()
result.append(a.grad)
