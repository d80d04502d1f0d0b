# a fast weight learns between the forward and the backward pass of the slow one
# (slopes are numbers of the forward pass here, as in microgpt)

class Num:
    __slots__ = "data grad inputs slopes".split()

    def __init__(self, data, inputs=(), slopes=()):
        self.data = data
        self.inputs, self.slopes = inputs, slopes
        self.grad = 0

    def __mul__(self, o):
        if not isinstance(o, Num):
            o = Num(o)
        return Num(self.data * o.data, (self, o), (o.data, self.data))

    def __sub__(self, o):
        if not isinstance(o, Num):
            o = Num(o)
        return Num(self.data - o.data, (self, o), (1, -1))

    def __pow__(self, n):
        return Num(self.data ** n, (self,), (n * self.data ** (n - 1),))

    def backward(self):
        seen, order = {self}, [self]
        for v in order:  # breadth first is enough: every input here is used once
            for u in v.inputs:
                if u not in seen:
                    seen.add(u)
                    order.append(u)
        self.grad = 1
        for v in order:
            for u, s in zip(v.inputs, v.slopes):
                u.grad += s * v.grad

# Instead: from autograd import Value as Num

slow, fast = Num(3.0), Num(2.0)
result = []
for x, target in ((1.0, 5.0), (2.0, 8.0)):
    y = slow * fast                      # with the fast weight as it is
    inner = (fast * x - target) ** 2     # which learns at once
    inner.backward()
    fast.data -= 0.125 * fast.grad
    fast.grad = 0
    outer = (y - target) ** 2            # the slow one learns from what was predicted
    outer.backward()
    slow.data -= 0.125 * slow.grad
    result += [outer.data, fast.data, slow.grad, slow.data]
    slow.grad = fast.grad = 0
