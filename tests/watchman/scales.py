"""Inputs, results and features of all magnitudes."""

import numpy as np

from tests.watchman import formula as m
from tests.watchman.case import Log, Uniform, case

FAMILY = "scales"


@case(FAMILY, Log(1e-10, 1e-8, signed=True))
def gigahertz(v):
    return m.sin(1e9 * v[0])


@case(FAMILY, Log(1e-3, 1))
def kilohertz(v):
    return m.sin(1e3 * v[0]) * v[0]


@case(FAMILY, Log(1e-20, 1e20, signed=True))
def square(v):
    return v[0] ** 2


@case(FAMILY, Log(1e-20, 1e20))
def logarithm(v):
    return m.log(v[0])


@case(FAMILY, Log(1e-12, 1e12, n=2))
def ratio(v):
    return v[0] / v[1]


@case(FAMILY, Log(1e-9, 1e-7))
def narrow_peak(v):
    return 1 / (1 + (v[0] / 1e-8) ** 2)


@case(FAMILY, Uniform(250, 1500), Log(1e4, 1e5))
def arrhenius(v):
    return 1e13 * m.exp(-v[1] / (8.314 * v[0]))


@case(FAMILY, Log(1e-7, 1e-5), Uniform(300, 6000))
def planck(v):
    wavelength, temperature = v
    return 3.74e-16 / wavelength**5 / (m.exp(0.014388 / (wavelength * temperature)) - 1)


@case(FAMILY, Log(1e-19, 1e-18, n=2), Log(1e-10, 1e-9))
def coulomb(v):
    return 8.9875e9 * v[0] * v[1] / v[2] ** 2


@case(FAMILY, Log(1e-21, 1e-18, signed=True))
def smoothed_absolute(v):
    return m.sqrt(1e-40 + v[0] ** 2)


@case(FAMILY, Log(1e14, 1e16), Log(1e-16, 1e-14))
def opposite_scales(v):
    return v[0] * v[1] + (v[0] / 1e15) ** 2


@case(FAMILY, Log(1e-8, 1e-6, signed=True))
def steep_tanh(v):
    return m.tanh(1e6 * v[0])


@case(FAMILY, Uniform(-2, 2), Log(1e3, 1e6), Log(1e-6, 1e-3))
def mixed_magnitudes(v):
    return v[0] * v[1] + v[2] * 1e3 + m.exp(v[0])


@case(FAMILY, Log(1e-20, 1e-3, signed=True))
def exponential_near_0(v):
    return m.exp(v[0])


@case(FAMILY, Log(1e11, 1e15))
def slowly(v):
    return m.exp(-v[0] / 1e15) + v[0] / 1e15


@case(FAMILY, Log(1e-3, 1e5))
def oscillating_far_out(v):
    return m.sin(v[0]) + m.cos(v[0] / 3)


@case(FAMILY, Uniform(-1, 1))
def waves_on_a_slope(v):
    return v[0] + m.sin(16 * np.pi * v[0])


@case(FAMILY, Log(1, 1e3))
def diode(v):
    return 1e-12 * (m.exp(v[0] / 40) - 1)


@case(FAMILY, Log(1e-3, 1e3, n=2))
def michaelis_menten(v):
    return v[0] * 3e-9 / (v[1] + v[0])


@case(FAMILY, Uniform(1e8, 1e9), Uniform(1e8, 1e9))
def large_distance(v):
    return m.sqrt(v[0] ** 2 + v[1] ** 2)


@case(FAMILY, Log(1e-25, 1e-18))
def tiny_cube(v):
    return v[0] ** 3 * 1e60


@case(FAMILY, Log(1e-2, 1e2))
def steep_power(v):
    return v[0] ** 9.5
