# 4 -> 2 -> 4 autoencoder with one-hot inputs; the decoder's step is larger than the encoder's
import math
import random
from typing import Iterable, Optional, Union

Number = Union[int, float]


class Scalar:
    data: float
    grad: float

    def __init__(self, data: Number, origin: Optional['Operation'] = None) -> None:
        self.data = float(data)
        self.grad = 0.0
        self.origin = origin

    @staticmethod
    def of(x: Union['Scalar', Number]) -> 'Scalar':
        return x if isinstance(x, Scalar) else Scalar(x)

    def __add__(self, x): return Plus(self, Scalar.of(x)).result
    def __sub__(self, x): return Plus(self, Times(Scalar.of(x), Scalar(-1)).result).result
    def __mul__(self, x): return Times(self, Scalar.of(x)).result
    def __radd__(self, x): return Plus(Scalar.of(x), self).result
    def __rsub__(self, x): return Scalar.of(x) - self
    def __rmul__(self, x): return Times(Scalar.of(x), self).result
    def sigmoid(self): return Logistic(self).result

    def backward(self) -> None:
        self.grad = 1.0
        for operation in reversed(list(history(self, set()))):
            operation.pull()


class Operation:
    def __init__(self, *inputs: Scalar) -> None:
        self.inputs = inputs
        self.result = Scalar(self.value(*(i.data for i in inputs)), self)

    def pull(self) -> None:
        for i, d in zip(self.inputs, self.slopes()):
            i.grad += d * self.result.grad


class Plus(Operation):
    def value(self, a, b): return a + b
    def slopes(self): return 1.0, 1.0


class Times(Operation):
    def value(self, a, b): return a * b
    def slopes(self): return self.inputs[1].data, self.inputs[0].data


class Logistic(Operation):
    def value(self, a): return 1 / (1 + math.exp(-a))
    def slopes(self): return (self.result.data * (1 - self.result.data),)


def history(s: Scalar, seen: set) -> Iterable[Operation]:
    op = s.origin
    if op is None or op in seen:
        return
    seen.add(op)
    for i in op.inputs:
        yield from history(i, seen)
    yield op

# Instead: from autograd import Value as Scalar

random.seed(21)

class Dense:
    def __init__(self, n_in: int, n_out: int) -> None:
        self.kernel = [[Scalar(random.uniform(-1, 1)) for _ in range(n_in)] for _ in range(n_out)]
        self.bias = [Scalar(0) for _ in range(n_out)]

    def __call__(self, x):
        return [(sum(k * xi for k, xi in zip(row, x)) + b).sigmoid() for row, b in zip(self.kernel, self.bias)]

    @property
    def weights(self): return [*(k for row in self.kernel for k in row), *self.bias]

encoder, decoder = Dense(4, 2), Dense(2, 4)
eye = [[float(i == j) for j in range(4)] for i in range(4)]
curve = []
for epoch in range(5):
    loss = Scalar(0)
    for x in eye:
        y = decoder(encoder(x))
        loss = loss + sum((yi - xi) * (yi - xi) for yi, xi in zip(y, x))
    for w in encoder.weights + decoder.weights:
        w.grad = 0.0
    loss.backward()
    for part, lr in ((encoder, 0.5), (decoder, 1.0)):
        for w in part.weights:
            w.data -= lr * w.grad
    curve.append(loss.data)

codes = [[c.data for c in encoder(x)] for x in eye]
result = {'curve': curve, 'codes': codes, 'grads': [w.grad for w in encoder.weights + decoder.weights]}
