"""Special functions and densities."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Log, Uniform, case

FAMILY = "special"


@case(FAMILY, Log(0.05, 40))
def log_gamma(v):
    return m.gammaln(v[0])


@case(FAMILY, Log(0.05, 40))
def psi(v):
    return m.digamma(v[0])


@case(FAMILY, Uniform(-3, 3))
def error_function(v):
    return m.erf(v[0])


@case(FAMILY, Uniform(-1, 4))
def complementary_error_function(v):
    return m.erfc(v[0])


@case(FAMILY, Uniform(-0.999, 0.999))
def inverse_error_function(v):
    return m.erfinv(v[0])


@case(FAMILY, Uniform(-5, 3))
def log_normal_cdf(v):
    return m.log(0.5 * m.erfc(-v[0] / 2**0.5))


@case(FAMILY, Uniform(0.001, 0.999))
def probit(v):
    return 2**0.5 * m.erfinv(2 * v[0] - 1)


@case(FAMILY, Uniform(-6, 6))
def bessel_i0(v):
    return m.i0(v[0])


@case(FAMILY, Log(1e-3, 30))
def bessel_ratio(v):
    return m.i1(v[0]) / m.i0(v[0])


@case(FAMILY, Uniform(-20, 20))
def bessel_j0(v):
    return m.j0(v[0])


@case(FAMILY, Uniform(1.05, 8))
def riemann_zeta(v):
    return m.zeta(v[0])


@case(FAMILY, Log(1e-3, 10))
def exponential_integral(v):
    return m.exp1(v[0])


@case(FAMILY, Uniform(0.01, 0.99))
def elliptic_k(v):
    return m.ellipk(v[0])


@case(FAMILY, Uniform(-0.3, 5))
def lambert_w(v):
    return m.lambertw(v[0])


@case(FAMILY, Uniform(-4, 4))
def dawson(v):
    return m.dawsn(v[0])


@case(FAMILY, Uniform(-8, 3))
def airy_ai(v):
    return m.airy(v[0])


@case(FAMILY, Uniform(0.05, 1.9))
def dilogarithm(v):
    return m.spence(v[0])


@case(FAMILY, Log(0.1, 20), Log(0.1, 20))
def log_beta(v):
    return m.gammaln(v[0]) + m.gammaln(v[1]) - m.gammaln(v[0] + v[1])


@case(FAMILY, Log(0.2, 10, n=4))
def log_dirichlet_norm(v):
    return sum(m.gammaln(a) for a in v) - m.gammaln(v.sum())


@case(FAMILY, Uniform(-0.5, 0.5, n=1), Log(0.3, 3))
def normal_density(v):
    return m.exp(-0.5 * (v[0] / v[1]) ** 2) / v[1] / 2.5066282746310002


@case(FAMILY, Uniform(-3, 3), Log(0.5, 30))
def log_student_t(v):
    x, nu = v
    return m.gammaln((nu + 1) / 2) - m.gammaln(nu / 2) - (nu + 1) / 2 * m.log(1 + x * x / nu)


@case(FAMILY, Uniform(0.01, 0.99), Log(0.3, 9), Log(0.3, 9))
def log_beta_density(v):
    x, a, b = v
    return (a - 1) * m.log(x) + (b - 1) * m.log1p(-x) + m.gammaln(a + b) - m.gammaln(a)


@case(FAMILY, Log(1e-4, 50))
def poisson_log_likelihood(v):
    return 3 * m.log(v[0]) - v[0] - m.gammaln(4.0)


@case(FAMILY, Uniform(-3.1, 3.1), Log(0.01, 20))
def log_von_mises(v):
    return v[1] * m.cos(v[0]) - m.log(m.i0(v[1]))


@case(FAMILY, Uniform(-6, 6))
def sinus_cardinalis(v):
    return m.sin(np.pi * v[0]) / (np.pi * v[0])


@case(FAMILY, Log(1e-6, 3))
def scaled_erfc(v):
    return m.exp(v[0] ** 2) * m.erfc(v[0])


@case(FAMILY, Uniform(0.02, 0.98))
def logit(v):
    return m.log(v[0] / (1 - v[0]))


@case(FAMILY, Log(0.3, 4), Log(0.1, 8), Uniform(0, 5))
def weibull_log_density(v):
    k, scale, x = v
    return m.log(k / scale) + (k - 1) * m.log(x / scale) - (x / scale) ** k


@case(FAMILY, Uniform(50, 150), Uniform(80, 120), Uniform(0.1, 0.6), Uniform(0.1, 2))
def black_scholes(v):
    spot, strike, volatility, time = v
    spread = volatility * m.sqrt(time)
    d1 = (m.log(spot / strike) + 0.03 * time) / spread + spread / 2
    cdf = lambda z: 0.5 * m.erfc(-z / 2**0.5)
    return spot * cdf(d1) - strike * m.exp(-0.03 * time) * cdf(d1 - spread)
