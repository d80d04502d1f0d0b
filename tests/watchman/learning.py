"""Softmax and what is built on it, losses, layers."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Log, Uniform, case

FAMILY = "learning"


def softmax(z):
    e = m.exp(z - z.max())
    return e / e.sum()


def logsumexp(z):
    return z.max() + m.log(m.exp(z - z.max()).sum())


def sigmoid(z):
    return 1 / (1 + m.exp(-z))


@case(FAMILY, Uniform(-5, 5, n=5))
def log_sum_exp(v):
    return logsumexp(v)


@case(FAMILY, Uniform(-3, 3, n=4))
def naive_log_sum_exp(v):
    return m.log(m.exp(v).sum())


@case(FAMILY, Uniform(-4, 4, n=4))
def one_probability(v):
    return softmax(v)[1]


@case(FAMILY, Uniform(-8, 8, n=5))
def cross_entropy(v):
    return logsumexp(v) - v[2]


@case(FAMILY, Uniform(-3, 3, n=4))
def entropy(v):
    p = softmax(v)
    return -(p * m.log(p)).sum()


@case(FAMILY, Uniform(-4, 4))
def focal_loss(v):
    p = sigmoid(v[0])
    return -((1 - p) ** 2) * m.log(p)


@case(FAMILY, Uniform(-12, 12))
def naive_binary_cross_entropy(v):
    p = sigmoid(v[0])
    return -(0.3 * m.log(p) + 0.7 * m.log(1 - p))


@case(FAMILY, Uniform(-5, 5, n=4))
def smoothed_cross_entropy(v):
    target = np.array([0.025, 0.925, 0.025, 0.025])
    return -(target * (v - logsumexp(v))).sum()


@case(FAMILY, Uniform(-2, 2, n=3), Log(0.2, 5))
def with_a_temperature(v):
    return softmax(v[:3] / v[3])[0]


@case(FAMILY, Uniform(-1, 1, n=12))
def attention(v):
    q, k, values = v[:4], v[4:8].reshape(2, 2), v[8:].reshape(2, 2)
    scores = k @ q[:2] / 2**0.5
    return (softmax(scores) @ values * q[2:]).sum()


@case(FAMILY, Uniform(-2, 2, n=6))
def divergence_of_two(v):
    p, q = softmax(v[:3]), softmax(v[3:])
    return (p * m.log(p / q)).sum()


@case(FAMILY, Uniform(-2, 2), Uniform(-1, 2))
def gaussian_likelihood(v):
    mean, log_variance = v
    return 0.5 * (log_variance + (1.3 - mean) ** 2 * m.exp(-log_variance))


@case(FAMILY, Uniform(-1, 2), Log(0.3, 9))
def negative_binomial(v):
    mu, r = m.exp(v[0]), v[1]
    return -(m.gammaln(3 + r) - m.gammaln(r) + r * m.log(r / (r + mu)) + 3 * m.log(mu / (r + mu)))


@case(FAMILY, Uniform(-2, 2, n=4))
def layer_norm(v):
    centred = v - v.sum() / 4
    return centred[0] / m.sqrt((centred * centred).sum() / 4 + 1e-5)


@case(FAMILY, Uniform(-2, 2, n=4))
def root_mean_square_norm(v):
    return (v / m.sqrt((v * v).sum() / 4 + 1e-6) * np.array([1.0, 0.5, -2.0, 0.3])).sum()


@case(FAMILY, Uniform(-4, 4))
def gelu(v):
    return 0.5 * v[0] * (1 + m.erf(v[0] / 2**0.5))


@case(FAMILY, Uniform(-4, 4))
def gelu_by_tanh(v):
    x = v[0]
    return 0.5 * x * (1 + m.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))


@case(FAMILY, Uniform(-5, 5))
def mish(v):
    return v[0] * m.tanh(m.log1p(m.exp(v[0])))


@case(FAMILY, Uniform(-1, 1, n=9))
def network(v):
    hidden = m.tanh(v[:6].reshape(3, 2) @ np.array([0.3, -1.2]))
    return m.tanh(hidden @ v[6:])


@case(FAMILY, Uniform(-1, 1, n=8))
def gated_unit(v):
    x, h = v[:4], v[4:]
    gate = sigmoid(x + h * 0.5)
    return (gate * h + (1 - gate) * m.tanh(x * h)).sum()


@case(FAMILY, Uniform(-1, 1, n=6))
def contrastive(v):
    a, b = v[:3], v[3:]
    a, b = a / m.sqrt(a @ a), b / m.sqrt(b @ b)
    scores = np.array([a @ b, a[0] - b[1], a[2] * b[0]]) / 0.1
    return logsumexp(scores) - scores[0]


@case(FAMILY, Uniform(0.05, 0.95, n=4))
def soft_dice(v):
    truth = np.array([1.0, 0.0, 1.0, 1.0])
    return 1 - (2 * (v * truth).sum() + 1) / (v.sum() + 3 + 1)


@case(FAMILY, Uniform(-2, 2), Log(0.1, 3), Uniform(-2, 2), Log(0.1, 3))
def divergence_of_gaussians(v):
    a, s, b, t = v
    return m.log(t / s) + (s * s + (a - b) ** 2) / (2 * t * t) - 0.5


@case(FAMILY, Uniform(-1, 1, n=5))
def product_of_inputs(v):
    return v.prod()


@case(FAMILY, Uniform(0.1, 3), Uniform(1.1, 1.9))
def tweedie(v):
    mu, p = v
    return -1.7 * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p)
