"""Differences of nearly equal numbers, whose rounding error is far above that of the result."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Log, Uniform, case

FAMILY = "cancellation"


@case(FAMILY, Log(1e-4, 1, signed=True))
def versine(v):
    return 1 - m.cos(v[0])


@case(FAMILY, Log(1e-4, 2, signed=True))
def log_of_one_and_square(v):
    return m.log(1 + v[0] * v[0])


@case(FAMILY, Uniform(0, 15))
def softplus_of_minus(v):
    return m.log(1 + m.exp(-v[0]))


@case(FAMILY, Log(1, 1e6))
def difference_of_roots(v):
    return m.sqrt(v[0] + 1) - m.sqrt(v[0])


@case(FAMILY, Log(1e-5, 2, signed=True))
def exponential_quotient(v):
    return (m.exp(v[0]) - 1) / v[0]


@case(FAMILY, Log(1e-2, 2, signed=True))
def cosine_quotient(v):
    return (1 - m.cos(v[0])) / v[0] ** 2


@case(FAMILY, Log(1e-2, 2, signed=True))
def x_minus_sine(v):
    return v[0] - m.sin(v[0])


@case(FAMILY, Uniform(0.01, 0.5))
def shifted_there_and_back(v):
    return v[0] * v[0] / 2 + 3.7 - 3.7


@case(FAMILY, Uniform(-2, 2, n=3))
def expanded_square_distance(v):
    c = np.array([0.9, -1.1, 0.3]) + 0 * v
    return v @ v + c @ c - 2 * (v @ c)


@case(FAMILY, Uniform(9, 11, n=4))
def textbook_variance(v):
    return (v * v).sum() / 4 - (v.sum() / 4) ** 2


@case(FAMILY, Uniform(0.5, 2), Uniform(30, 300), Uniform(0.5, 2))
def small_root(v):
    a, b, c = v
    return (-b + m.sqrt(b * b - 4 * a * c)) / (2 * a)


@case(FAMILY, Log(1e-3, 1, signed=True))
def exponential_tail(v):
    return m.exp(v[0]) - 1 - v[0]


@case(FAMILY, Log(1e-3, 1, signed=True))
def tanh_minus_x(v):
    return m.tanh(v[0]) - v[0]


@case(FAMILY, Uniform(0.5, 1.5), Uniform(0.5, 1.5))
def expanded_cube(v):
    a, b = v
    return a**3 - 3 * a * a * b + 3 * a * b * b - b**3


@case(FAMILY, Log(1, 1e4))
def difference_of_arctangents(v):
    return m.atan(v[0] + 1) - m.atan(v[0])


@case(FAMILY, Uniform(0.2, 0.3, n=4))
def divergence_near_its_optimum(v):
    p = v / v.sum()
    return (p * m.log(p / 0.25)).sum()


@case(FAMILY, Uniform(3, 4), Uniform(4, 5), Uniform(6.5, 6.9))
def area_by_heron(v):
    a, b, c = v
    s = (a + b + c) / 2
    return m.sqrt(s * (s - a) * (s - b) * (s - c))


@case(FAMILY, Log(1, 1e4))
def difference_of_reciprocals(v):
    return 1 / v[0] - 1 / (v[0] + 1)


@case(FAMILY, Log(1e-4, 1, signed=True))
def pseudo_huber(v):
    return m.sqrt(1 + v[0] ** 2) - 1


@case(FAMILY, Log(1e-3, 5, signed=True))
def log_cosh(v):
    return m.log(m.cosh(v[0]))


@case(FAMILY, Uniform(0.99, 1.01), Uniform(0.99, 1.01), Uniform(0.99, 1.01))
def nearly_singular(v):
    a, b, c = v
    return a * c - b * b


@case(FAMILY, Uniform(-0.5, 0.5))
def polynomial_near_a_multiple_root(v):
    x = v[0] + 1
    return x**5 - 5 * x**4 + 10 * x**3 - 10 * x**2 + 5 * x - 1


@case(FAMILY, Uniform(0.1, 1.2))
def on_a_large_offset(v):
    return (1e6 + m.sin(v[0])) - 1e6


@case(FAMILY, Uniform(-1, 1, n=3))
def energy_with_an_offset(v):
    return 1e5 + (v * v).sum() + v[0] * v[1]


@case(FAMILY, Log(1e-2, 1), Log(1e-2, 1))
def log_one_minus_exp(v):
    return m.log(1 - m.exp(-v[0])) - v[1] * m.log(1 - m.exp(-v[1]))


@case(FAMILY, Uniform(0.2, 1.4))
def identity_of_pythagoras(v):
    return m.sin(v[0]) ** 2 + m.cos(v[0]) ** 2 - 1 + v[0] ** 3
