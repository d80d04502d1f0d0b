"""Results of iterations that stop early, of integrators, and with a jitter."""

import math

import mpmath
import numpy as np
from scipy.integrate import quad, solve_ivp

from tests.watchman import formula as m
from tests.watchman.case import Log, Uniform, case

FAMILY = "solvers"


@case(FAMILY, Log(0.1, 50), exact=lambda v: m.sqrt(v[0]), accuracy=1e-8)
def newton_root(v):
    y = 1.0
    while abs(y * y - v[0]) > 1e-8 * v[0]:
        y = (y + v[0] / y) / 2
    return y


def cosine_fixed_point(v):
    return mpmath.findroot(lambda y: mpmath.cos(v[0] * y) - y, 0.7)


@case(FAMILY, Uniform(0.3, 1.1), exact=cosine_fixed_point, accuracy=1e-8)
def fixed_point(v):
    y = 0.5
    for _ in range(500):
        y, before = math.cos(v[0] * y), y
        if abs(y - before) < 1e-8:
            break
    return y


def kepler_exactly(v):
    return mpmath.findroot(lambda e: e - v[1] * mpmath.sin(e) - v[0], v[0])


@case(FAMILY, Uniform(0.3, 2.8), Uniform(0.05, 0.7), exact=kepler_exactly, accuracy=1e-8)
def kepler(v):
    e = v[0]
    for _ in range(300):
        e, before = v[0] + v[1] * math.sin(e), e
        if abs(e - before) < 1e-8:
            break
    return e


@case(FAMILY, Log(0.2, 20), exact=lambda v: mpmath.cbrt(v[0]), accuracy=1e-10)
def bisection(v):
    low, high = 0.0, 30.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if middle**3 < v[0] else (low, middle)
    return (low + high) / 2


def logistic(v):
    rate, start = v
    grown = start * m.exp(2 * rate)
    return grown / (1 - start + grown)


@case(FAMILY, Uniform(0.3, 2), Uniform(0.1, 0.8), exact=logistic, accuracy=1e-3)
def integrated_logistic(v):
    found = solve_ivp(lambda t, y: v[0] * y * (1 - y), (0, 2), [v[1]])
    return found.y[0, -1]


def oscillator(v):
    damping, frequency = v
    w = m.sqrt(frequency**2 - damping**2)
    return m.exp(-damping * 3) * (m.cos(w * 3) + damping / w * m.sin(w * 3))


@case(FAMILY, Uniform(0.05, 0.3), Uniform(1, 2), exact=oscillator, accuracy=3e-3)
def integrated_oscillator(v):
    d, w = v
    found = solve_ivp(lambda t, y: [y[1], -w * w * y[0] - 2 * d * y[1]], (0, 3), [1.0, 0.0])
    return found.y[0, -1]


@case(FAMILY, Uniform(0.3, 2), exact=lambda v: m.exp(-v[0]), accuracy=1e-9)
def integrated_closely(v):
    return solve_ivp(lambda t, y: -v[0] * y, (0, 1), [1.0], rtol=1e-9, atol=1e-12).y[0, -1]


@case(FAMILY, Uniform(0.2, 2))
def euler_steps(v):
    y = 1.0
    for _ in range(50):
        y = y + 0.02 * (v[0] * y - y * y)
    return y


@case(FAMILY, Uniform(0.2, 3))
def simpson(v):
    x = np.linspace(0, 1, 21)
    weights = np.array([1] + [4, 2] * 9 + [4, 1]) / 60
    return (weights * m.exp(-v[0] * x * x)).sum()


@case(FAMILY, Uniform(0.2, 3), exact=lambda v: m.erf(v[0]), accuracy=1e-14)
def adaptive_quadrature(v):
    return 2 / math.pi**0.5 * quad(lambda t: v[0] * math.exp(-((v[0] * t) ** 2)), 0, 1)[0]


@case(
    FAMILY, Uniform(0.5, 2), Uniform(-1, 1), accuracy=1e-8,
    exact=lambda v: max(m.eigenvalues(np.array([[v[0] + 2, v[1]], [v[1], mpmath.mpf(1)]]))),
)  # fmt: skip
def power_iteration(v):
    a = np.array([[v[0] + 2, v[1]], [v[1], 1.0]])
    x, size, before = np.array([1.0, 0.3]), 1.0, 0.0
    while abs(size - before) > 1e-8:
        before, x = size, a @ x
        size = float(np.linalg.norm(x))
        x /= size
    return size


def jitter(x: float) -> float:
    """Return a number of [-1, 1] that has nothing to do with those beside it."""
    return math.sin(float(x) * 1e12) * 0.5 + math.sin(float(x) * 7.77e13) * 0.5


@case(FAMILY, Uniform(0.2, 3), exact=lambda v: m.sin(v[0]), accuracy=1e-12)
def jitter_of_1e_12(v):
    return math.sin(v[0]) + 1e-12 * jitter(v[0])


@case(FAMILY, Uniform(0.2, 3, n=2), exact=lambda v: m.exp(v[0]) * v[1], accuracy=1e-6)
def jitter_of_1e_6(v):
    return math.exp(v[0]) * v[1] * (1 + 1e-6 * jitter(v[0] + v[1]))


@case(FAMILY, Uniform(0.2, 3), exact=lambda v: m.log(v[0]) + 2, accuracy=1e-6)
def printed_to_six_digits(v):
    return float(f"{math.log(v[0]) + 2:.6e}")


def ridge_exactly(v):
    return (3 * v[0] + 1) ** 2 / (v[1] + 2) ** 2


@case(FAMILY, Uniform(-1, 1), Uniform(0.1, 2), exact=ridge_exactly, accuracy=1e-8)
def gradient_descent(v):
    w = 0.0
    for _ in range(1000):
        step = (v[1] + 2) * w - (3 * v[0] + 1)
        w -= 0.15 * step
        if abs(step) < 1e-8:
            break
    return w * w


def sinkhorn_plan(v, tolerance, n):
    k = m.exp(-np.array([[0, v[0]], [v[1], v[0] * v[1]]]) + 0 * v[0])
    a, b = np.array([0.4, 0.6]), np.array([0.3, 0.7])
    x = y = np.array([1, 1]) + 0 * v[0]
    for _ in range(n):
        before = x
        x = a / (k @ y)
        y = b / (k.T @ x)
        if max(abs(x - before)) < tolerance:
            break
    return x[0] * k[0, 0] * y[0]


@case(FAMILY, Uniform(0.2, 2, n=2), exact=lambda v: sinkhorn_plan(v, 1e-90, 2000), accuracy=1e-8)
def sinkhorn(v):
    return sinkhorn_plan(v, 1e-8, 1000)


def volatility_exactly(v):
    price = lambda s: mpmath.erf(s / 2 / mpmath.sqrt(2)) - v[0]
    return mpmath.findroot(price, 0.5)


@case(FAMILY, Uniform(0.05, 0.6), exact=volatility_exactly, accuracy=1e-8)
def implied_volatility(v):
    s = 0.5
    for _ in range(100):
        slope = math.exp(-s * s / 8) / (2 * math.pi) ** 0.5
        step = (math.erf(s / 2 / 2**0.5) - v[0]) / slope
        s -= step
        if abs(step) < 1e-6:
            break
    return s
