"""Kinks, jumps, edges of domains: beside them, and at them."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Log, Uniform, case

FAMILY = "kinks"


@case(FAMILY, Log(1e-9, 3, signed=True))
def absolute(v):
    return abs(v[0])


@case(FAMILY, [[0.0]], slopes=lambda v: [0.0])
def absolute_at_0(v):
    return abs(v[0])


@case(FAMILY, Log(1e-4, 3, n=3, signed=True))
def relu(v):
    return sum(np.maximum(x, 0) for x in v) ** 2 + sum(np.maximum(x, 0) for x in v)


@case(FAMILY, [[0.0, 1.0], [0.0, -2.0]], slopes=lambda v: [0.0, max(v[1], 0) / abs(v[1])])
def relu_at_0(v):
    return np.maximum(v, 0).sum()


@case(FAMILY, Log(1e-3, 3, n=2, signed=True))
def leaky_relu(v):
    return sum(m.where(v > 0, v, 0.01 * v)) * v[0]


@case(FAMILY, Uniform(-2, 2, n=4))
def largest(v):
    return max(v) * 2 + min(v)


@case(FAMILY, [[1.0, 1.0], [-2.0, -2.0]], slopes=lambda v: [0.5, 0.5])
def largest_at_a_tie(v):
    return np.max(v)


@case(FAMILY, Uniform(-2, 2, n=5))
def median(v):
    return sorted(v)[2] ** 2


@case(FAMILY, Uniform(-2, 2, n=2))
def clipped(v):
    return np.minimum(np.maximum(v[0], -1), 1) * v[1]


@case(FAMILY, Uniform(-2, 2, n=3))
def hinge(v):
    return np.maximum(1 - (v[0] * 0.3 + v[1] * -1.2 + v[2]), 0)


@case(FAMILY, Uniform(-3, 3))
def huber(v):
    return m.where(abs(v[0]) < 1, 0.5 * v[0] ** 2, abs(v[0]) - 0.5)


@case(FAMILY, [[1.0], [-1.0]], slopes=lambda v: v)
def huber_where_its_pieces_meet(v):
    return np.where(abs(v[0]) < 1, 0.5 * v[0] ** 2, abs(v[0]) - 0.5)


@case(FAMILY, Uniform(-3, 3))
def elu(v):
    return m.where(v[0] > 0, v[0], m.exp(np.minimum(v[0], 0)) - 1)


@case(FAMILY, Log(1e-3, 2, n=3, signed=True))
def manhattan(v):
    return abs(v).sum() + v[0] * v[1]


@case(FAMILY, Uniform(-3, 3, n=6))
def sum_of_the_two_largest(v):
    return sum(sorted(v)[-2:]) ** 2


@case(FAMILY, Log(1e-3, 3, signed=True))
def to_the_power_of_three_halves(v):
    return abs(v[0]) ** 1.5


@case(FAMILY, [[0.0]], slopes=lambda v: [0.0])
def three_halves_at_0(v):
    return abs(v[0]) ** 1.5


@case(FAMILY, Uniform(-4, 8))
def relu6(v):
    return np.minimum(np.maximum(v[0], 0), 6) + 0.01 * v[0] ** 2


@case(FAMILY, Uniform(-5, 5))
def hard_swish(v):
    return v[0] * np.minimum(np.maximum(v[0] + 3, 0), 6) / 6


@case(FAMILY, Uniform(-2, 2, n=2))
def quantile_loss(v):
    error = v[0] - v[1]
    return m.where(error > 0, 0.9 * error, -0.1 * error)


@case(FAMILY, Uniform(0.1, 9.9))
def sawtooth(v):
    return v[0] - m.floor(v[0]) + v[0] ** 2


@case(FAMILY, Uniform(0.1, 9.9))
def triangle_wave(v):
    return abs(v[0] - 2 * m.floor(v[0] / 2 + 0.5)) * v[0]


@case(FAMILY, [[0.0, 0.0, 0.0]], slopes=lambda v: [0.0, 0.0, 0.0])
def norm_at_0(v):
    return np.sqrt(v @ v)


@case(FAMILY, Log(1e-8, 1e-2, n=2, signed=True))
def norm_near_0(v):
    return m.sqrt(v @ v)


@case(FAMILY, [[0.0]], slopes=lambda v: [0.0])
def smooth_through_a_kink(v):
    return v[0] * abs(v[0])


@case(FAMILY, Uniform(-3, 3, n=2))
def soft_threshold(v):
    return np.maximum(v[0] - 0.5, 0) ** 2 - np.maximum(-v[0] - 0.5, 0) * v[1]


@case(FAMILY, Uniform(-1, 1, n=6))
def relu_network(v):
    hidden = np.maximum(v[:4].reshape(2, 2) @ np.array([0.8, -0.5]) + 0.1, 0)
    return hidden @ v[4:]


@case("edges", Log(1e-12, 10))
def root(v):
    return m.sqrt(v[0])


@case("edges", Log(1e-12, 1))
def x_log_x(v):
    return v[0] * m.log(v[0])


@case("edges", Log(1e-10, 0.5))
def arccosine_near_1(v):
    return m.acos(1 - v[0])


@case("edges", [[0.0]], slopes=lambda v: [0.0])
def x_root_x_at_0(v):
    return v[0] * np.sqrt(v[0])


@case("edges", [[1.0, 0.4]], slopes=lambda v: [0.0, 1.0])
def power_at_the_end(v):
    return (1 - v[0]) ** 2.5 + v[1]


@case("edges", Uniform(-0.9999, 0.9999))
def half_circle(v):
    return m.sqrt(1 - v[0] ** 2)


@case("edges", Log(1e-9, 0.9))
def log_of_the_rest(v):
    return m.log(1 - v[0]) + m.log(v[0])


@case("edges", Log(1e-6, 0.3, n=3))
def entropy_at_the_border(v):
    rest = 1 - v.sum()
    return -(v * m.log(v)).sum() - rest * m.log(rest)


@case("edges", Log(1e-8, 1), Uniform(0.1, 2.5))
def positive_power(v):
    return v[0] ** v[1]


@case("edges", [[0.0, 2.0]], slopes=lambda v: [0.0, 1.0])
def power_at_0(v):
    return v[0] ** 2.0 + v[1]


@case("edges", [[0.0]], slopes=lambda v: [1.0])
def sine_of_a_root(v):
    return np.sin(np.sqrt(v[0])) ** 2


@case(FAMILY, Uniform(0.3, 3), exact=lambda v: v[0] ** 2)
def square_in_steps(v):
    return v[0] ** 2 + np.round(300 * v[0]) / 300


@case(FAMILY, Uniform(0.3, 3), exact=lambda v: m.sin(v[0]))
def sine_on_stairs(v):
    return m.sin(v[0]) + np.floor(7 * v[0]) / 7
