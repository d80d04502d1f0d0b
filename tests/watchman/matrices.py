"""Linear algebra at n <= 4."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Uniform, case

FAMILY = "matrices"


def square(v):
    n = round(len(v) ** 0.5)
    return v.reshape(n, n)


def symmetric(v):
    a = square(v)
    return (a + a.T) / 2


def definite(v):
    a = square(v)
    return a @ a.T + np.eye(len(a)) * 0.5


@case(FAMILY, Uniform(-1, 1, n=4))
def determinant_2(v):
    return m.det(square(v))


@case(FAMILY, Uniform(-1, 1, n=9))
def determinant_3(v):
    return m.det(square(v))


@case(FAMILY, Uniform(-1, 1, n=16))
def determinant_4(v):
    return m.det(square(v))


@case(FAMILY, Uniform(-1, 1, n=9))
def log_determinant(v):
    return m.log(m.det(definite(v)))


@case(FAMILY, Uniform(-1, 1, n=9))
def trace_of_inverse(v):
    return np.trace(m.inv(definite(v)))


@case(FAMILY, Uniform(-1, 1, n=9))
def entry_of_inverse(v):
    return m.inv(square(v) + 2 * np.eye(3))[0, 2]


@case(FAMILY, Uniform(-1, 1, n=9), Uniform(-1, 1, n=3))
def solution(v):
    return m.solve(square(v[:9]) + 2 * np.eye(3), v[9:]) @ np.array([1.0, -2.0, 0.5])


@case(FAMILY, Uniform(-1, 1, n=9))
def largest_eigenvalue(v):
    return max(m.eigenvalues(symmetric(v)))


@case(FAMILY, Uniform(-1, 1, n=9))
def largest_singular_value(v):
    return max(m.singular_values(square(v)))


@case(FAMILY, Uniform(-1, 1, n=9))
def nuclear_norm(v):
    return m.singular_values(square(v)).sum()


@case(FAMILY, Uniform(-1, 1, n=9))
def cholesky_factor(v):
    return m.cholesky(definite(v))[2, 1]


@case(FAMILY, Uniform(-1, 1, n=9))
def trace_of_cube(v):
    a = square(v)
    return np.trace(a @ a @ a)


@case(FAMILY, Uniform(-0.5, 0.5, n=4))
def exponential_by_series(v):
    a = square(v)
    term = total = np.eye(2) + 0 * a
    for k in range(1, 20):
        term = term @ a / k
        total = total + term
    return total[0, 1] + total[1, 1]


@case(FAMILY, Uniform(-1, 1, n=3), Uniform(-1, 1, n=9))
def quadratic_form(v):
    return v[:3] @ (square(v[3:]) @ v[:3])


@case(FAMILY, Uniform(-1, 1, n=9))
def frobenius(v):
    return m.sqrt((v * v).sum())


@case(FAMILY, Uniform(-1, 1, n=4))
def condition(v):
    s = m.singular_values(square(v))
    return max(s) / min(s)


@case(FAMILY, Uniform(-1, 1, n=3))
def rayleigh(v):
    a = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 0.5]])
    return v @ (a @ v) / (v @ v)


@case(FAMILY, Uniform(-1, 1, n=4))
def least_squares(v):
    a = np.array([[1.0, 0.2], [1.0, 1.1], [1.0, 1.9], [1.0, 3.2]]) + 0 * v[0]
    x = m.solve(a.T @ a, a.T @ v)
    return x[0] * x[1] + x[1]


@case(FAMILY, Uniform(-1, 1, n=4))
def power(v):
    a = square(v)
    b = a @ a
    return (b @ b)[0, 0]


@case(FAMILY, Uniform(-1, 1, n=9))
def gap_of_eigenvalues(v):
    e = sorted(m.eigenvalues(symmetric(v)))
    return (e[2] - e[1]) ** 2


@case(FAMILY, Uniform(-1, 1, n=4))
def log_of_gaussian(v):
    a = definite(v)
    y = np.array([0.3, -1.2]) + 0 * v[0]
    return 0.5 * (y @ m.solve(a, y)) + 0.5 * m.log(m.det(a))
