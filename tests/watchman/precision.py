"""Functions that compute in single or half precision, although they are handed doubles."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Uniform, case
from tests.watchman.learning import logsumexp, sigmoid, softmax

FAMILY = "precision"

SINGLE = 3e-7

HALF = 3e-3


def single(*inputs, accuracy=SINGLE, dtype=np.float32):
    """Return a decorator that enters a function as computed in less precision."""

    def enter(f):
        def computed(v):
            return f(v.astype(dtype))

        computed.__name__ = f.__name__
        case(FAMILY, *inputs, exact=f, accuracy=accuracy)(computed)
        return f

    return enter


X = np.array([[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]])


def constants(array, v):
    return array.astype(v.dtype) if v.dtype != object else array


@single(Uniform(-1, 1, n=9))
def tanh_network_32(v):
    hidden = m.tanh(v[:6].reshape(3, 2) @ constants(X[0], v))
    return hidden @ v[6:]


@single(Uniform(-1, 1, n=9))
def relu_network_32(v):
    hidden = np.maximum(v[:6].reshape(3, 2) @ constants(X[1], v) + v[6:], 0)
    return (hidden * constants(np.array([1.0, -0.7, 0.4]), v)).sum()


@single(Uniform(-1, 1, n=6))
def classifier_32(v):
    total = 0
    for x, label in zip(constants(X, v), (0, 2, 1), strict=True):
        z = v.reshape(3, 2) @ x
        total = total + logsumexp(z) - z[label]
    return total / 3


@single(Uniform(-3, 3, n=4))
def log_sum_exp_32(v):
    return logsumexp(v)


@single(Uniform(-3, 3, n=4))
def probability_32(v):
    return softmax(v)[0]


@single(Uniform(0.3, 1.5))
def polynomial_32(v):
    return v[0] ** 3 - 2 * v[0] ** 2 + v[0]


@single(Uniform(0.2, 2, n=3))
def norm_32(v):
    return m.sqrt((v * v).sum())


@single(Uniform(-2, 2, n=4))
def layer_norm_32(v):
    centred = v - v.sum() / 4
    return centred[1] / m.sqrt((centred * centred).sum() / 4 + constants(np.array(1e-5), v)[()])


@single(Uniform(0.2, 6))
def sine_32(v):
    return m.sin(v[0]) * v[0]


@single(Uniform(-1, 1, n=8))
def convolution_32(v):
    kernel, signal = v[:3], v[3:]
    return sum((kernel @ signal[i : i + 3]) ** 2 for i in range(3))


@single(Uniform(-2, 2), Uniform(-1, 1))
def gaussian_32(v):
    return (v[1] + (v[0] - 1) ** 2 * m.exp(-v[1])) / 2


@single(Uniform(-4, 4, n=2))
def logistic_32(v):
    return m.log1p(m.exp(-v[0] * 2)) + sigmoid(v[1])


@single(Uniform(0.5, 2, n=2), accuracy=HALF, dtype=np.float16)
def product_16(v):
    return v[0] * v[1] + v[0] ** 2


@single(Uniform(-1, 1, n=3), accuracy=HALF, dtype=np.float16)
def probability_16(v):
    return softmax(v)[0]


@case(FAMILY, Uniform(-1, 1, n=3), accuracy=SINGLE, exact=lambda v: (v * v).sum() + v[0])
def single_result(v):
    return np.float32((v * v).sum() + v[0])
