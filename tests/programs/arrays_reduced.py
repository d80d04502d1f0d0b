# what numpy can do with an array of objects: means, norms, outer products, einsum, where, sort
import numpy as np


class Scalar:
    """operators spelled out for numpy: true division, powers, comparison, and sqrt"""
    def __init__(self, data, *edges):
        self.data = data
        self.edges = edges
        self.grad = 0.0

    def __add__(self, o): return Scalar(self.data + o.data, (self, 1.0), (o, 1.0)) if isinstance(o, Scalar) else Scalar(self.data + o, (self, 1.0))
    def __sub__(self, o): return Scalar(self.data - o.data, (self, 1.0), (o, -1.0)) if isinstance(o, Scalar) else Scalar(self.data - o, (self, 1.0))
    def __mul__(self, o): return Scalar(self.data * o.data, (self, o.data), (o, self.data)) if isinstance(o, Scalar) else Scalar(self.data * o, (self, o))
    def __truediv__(self, o): return Scalar(self.data / o.data, (self, 1 / o.data), (o, -self.data / o.data / o.data)) if isinstance(o, Scalar) else Scalar(self.data / o, (self, 1 / o))
    def __pow__(self, n): return Scalar(self.data ** n, (self, n * self.data ** (n - 1)))
    def __radd__(self, o): return self + o
    def __rmul__(self, o): return self * o
    def __rsub__(self, o): return self * -1 + o
    def __neg__(self): return self * -1
    def __abs__(self): return self if self.data > 0 else -self
    def sqrt(self): return self ** 0.5
    def __lt__(self, o): return self.data < (o.data if isinstance(o, Scalar) else o)
    def __gt__(self, o): return self.data > (o.data if isinstance(o, Scalar) else o)
    def __le__(self, o): return not self > o
    def __ge__(self, o): return not self < o

    def backward(self):
        found, line = {}, [self]
        for v in line:                      # grows while we walk along it
            for u, _ in v.edges:
                found[id(u)] = found.get(id(u), 0) + 1
                if found[id(u)] == 1: line.append(u)
        self.grad = 1.0
        free = [self]
        for v in free:
            for u, d in v.edges:
                u.grad += d * v.grad
                found[id(u)] -= 1
                if found[id(u)] == 0: free.append(u)

# Instead: from autograd import Value as Scalar

numbers = np.array([[0.5, -1.5, 2.5], [3.0, 0.25, -0.75]])
box = np.frompyfunc(Scalar, 1, 1)
unbox = np.frompyfunc(lambda v: v.grad, 1, 1)

def gradient(f):
    A = box(numbers)
    out = f(A)
    out.backward()
    return [out.data, unbox(A).astype(float).tolist()]

M = np.arange(9.0).reshape(3, 3) / 4
result = {
    'sum': gradient(lambda A: (A * A).sum()),
    'mean': gradient(lambda A: (A ** 2).mean()),
    'axis': gradient(lambda A: (A.sum(axis=0) ** 3).sum()),
    'variance': gradient(lambda A: ((A - A.mean(axis=0)) ** 2).mean()),
    'norms': gradient(lambda A: np.sqrt((A * A).sum(axis=1)).sum()),
    'matmul': gradient(lambda A: (A @ M @ A.T).trace()),
    'numbers first': gradient(lambda A: (M @ A.T)[1, 0] * 2.0),
    'outer': gradient(lambda A: np.outer(A[0], A[1])[2].sum()),
    'einsum': gradient(lambda A: np.einsum('ij,ij,j->', A, A, M[2])),
    'where': gradient(lambda A: np.where(A > 0, A * A, A * 0.1).sum()),
    'maximum': gradient(lambda A: np.maximum(A * 2, A * A).sum()),
    'abs': gradient(lambda A: np.abs(A).sum() * 0.5),
    'sort': gradient(lambda A: np.sort(A, axis=None)[-2] * 3.0 + A.min()),
    'argmax': gradient(lambda A: A[1, A[1].argmax()] * A[0, 1]),
    'cumsum': gradient(lambda A: np.cumsum(A)[-2] * 1.5),
    'prod': gradient(lambda A: np.prod(A[:, 1:])),
    'stack': gradient(lambda A: np.concatenate([A, A * 2], axis=1).sum() + np.stack([A[0], A[1]])[0, 2]),
    'dot': gradient(lambda A: np.dot(A[0], [1.0, 2.0, 3.0])),
    'broadcast': gradient(lambda A: ((A - A.mean(axis=0)) / 2.0 * np.array([1.0, 2.0, 3.0])).T[1, 0]),
    'numpy numbers': gradient(lambda A: np.float64(2) * A[0, 0] + A[1, 1] / np.float64(4) - np.int64(3) * A[0, 2]),
    'reduce': gradient(lambda A: np.add.reduce(A.ravel()) * 2.0),
}
