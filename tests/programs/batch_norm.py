# batch norm by hand: statistics over the batch, running ones on the side, learnable scale and shift
import random


class Value:
    def __init__(self, data, _children=(), _op=''):
        self.data, self.grad = data, 0
        self._prev, self._op = _children, _op
        self._backward = None

    def __add__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data + other.data, (self, other), '+')
        def _backward(g):
            self.grad += g
            other.grad += g
        out._backward = _backward
        return out

    def __mul__(self, other):
        if not isinstance(other, Value):
            other = Value(other)
        out = Value(self.data * other.data, (self, other), '*')
        def _backward(g):
            self.grad += g * other.data
            other.grad += g * self.data
        out._backward = _backward
        return out

    def __pow__(self, k):
        out = Value(self.data**k, (self,), f'**{k}')
        def _backward(g):
            self.grad += g * k * self.data**(k - 1)
        out._backward = _backward
        return out

    def relu(self):
        out = Value(max(self.data, 0.0), (self,), 'relu')
        def _backward(g):
            if self.data > 0:
                self.grad += g
        out._backward = _backward
        return out

    def __neg__(self): return -1 * self
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other
    def __truediv__(self, other): return self * (other**-1)
    def __rtruediv__(self, other): return other * self**-1
    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        nodes = []
        mark = set()
        def dfs(n):
            mark.add(n)
            for c in n._prev:
                if c not in mark:
                    dfs(c)
            nodes.insert(0, n)
        dfs(self)
        self.grad = 1
        for n in nodes:
            if n._backward is not None:
                n._backward(n.grad)

# Instead: from autograd import Value

class BatchNorm:
    def __init__(self, dim, eps=1e-5, momentum=0.1):
        self.gamma = [Value(1.0) for _ in range(dim)]
        self.beta = [Value(0.1 * (j + 1)) for j in range(dim)]
        self.running_mean = [0.0] * dim
        self.running_var = [1.0] * dim
        self.eps, self.momentum, self.training = eps, momentum, True

    def __call__(self, batch):
        columns = list(zip(*batch))
        out = []
        for j, col in enumerate(columns):
            if self.training:
                mean = sum(col) / len(col)
                var = sum((x - mean) ** 2 for x in col) / (len(col) - 1)
                m = self.momentum
                self.running_mean[j] = (1 - m) * self.running_mean[j] + m * mean.data
                self.running_var[j] = (1 - m) * self.running_var[j] + m * var.data
            else:
                mean, var = self.running_mean[j], self.running_var[j]
            std = (var + self.eps) ** 0.5
            out.append([self.gamma[j] * ((x - mean) / std) + self.beta[j] for x in col])
        return list(map(list, zip(*out)))

random.seed(6)
W1 = [[Value(random.gauss(0, 1)) for _ in range(2)] for _ in range(3)]
W2 = [Value(random.gauss(0, 1)) for _ in range(3)]
bn = BatchNorm(3)
X = [[random.gauss(1, 2), random.gauss(-1, 1)] for _ in range(5)]
Y = [1.0 if x[0] + x[1] > 0 else -1.0 for x in X]
learn = [w for row in W1 for w in row] + W2 + bn.gamma + bn.beta

def net(batch):
    pre = [[sum(w * xi for w, xi in zip(row, x)) for row in W1] for x in batch]
    return [sum(w * h.relu() for w, h in zip(W2, hs)) for hs in bn(pre)]

result = {'loss': []}
for it in range(4):
    loss = sum((o - y) ** 2 for o, y in zip(net(X), Y)) / len(X)
    for p in learn: p.grad = 0
    loss.backward()
    for p in learn: p.data -= 0.05 * p.grad
    result['loss'].append(loss.data)
result['grads'] = [p.grad for p in W2 + bn.gamma + bn.beta]
result['running'] = bn.running_mean + bn.running_var
bn.training = False
result['eval'] = [o.data for o in net(X[:2])]
