"""Float functions with the results of IEEE 754 where Python's raise.

Python turns division by zero, overflow and invalid operations into exceptions; rules,
gradient graphs and compiled code need the infinities and NaNs of the standard. A function
of ``math`` that never raises is used as it is and has no twin here.

Source: IEEE Std 754-2019, sections 6 and 7; ISO C17, annex F.10 (special cases of libm).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import wraps
from math import copysign, inf, nan
from types import MappingProxyType


def div(x: float, y: float) -> float:
    """Return x / y; a zero divisor gives a signed infinity, 0 / 0 gives NaN."""
    try:
        return x / y
    except ZeroDivisionError:
        return nan if x == 0 or x != x else copysign(inf, x) * copysign(1.0, y)


def pow(x: float, y: float) -> float:
    """Return x to the power y; a negative base with a fractional exponent gives NaN."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0 and _is_odd(y) else inf
    except ValueError:
        if x == 0:
            return copysign(inf, x) if _is_odd(y) else inf
        return nan


def _is_odd(x: float) -> bool:
    # Not x % 2, which Python rounds: it is 1.0 for the float next to -1.
    return math.fmod(x, 2.0) in (1.0, -1.0)


def _unbounded(function: Callable[[float], float]) -> Callable[[float], float]:
    """Return ``function`` with an infinity of its sign in place of its OverflowError."""

    @wraps(function)
    def total(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return copysign(inf, function(copysign(1.0, x)))

    return total


def _nan_outside(
    function: Callable[[float], float], poles: Mapping[float, float] = MappingProxyType({})
) -> Callable[[float], float]:
    """Return ``function`` with NaN in place of its ValueError, and an infinity at ``poles``."""

    @wraps(function)
    def total(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return poles.get(x, nan)

    return total


exp, expm1, sinh, cosh = map(_unbounded, (math.exp, math.expm1, math.sinh, math.cosh))
sqrt, sin, cos, tan = map(_nan_outside, (math.sqrt, math.sin, math.cos, math.tan))
asin, acos, acosh = map(_nan_outside, (math.asin, math.acos, math.acosh))
log = _nan_outside(math.log, {0.0: -inf})
log1p = _nan_outside(math.log1p, {-1.0: -inf})
atanh = _nan_outside(math.atanh, {-1.0: -inf, 1.0: inf})


def maximum(x: float, y: float) -> float:
    """Return the larger number, x at a tie (also of zeros); NaN if either is NaN."""
    return x if x >= y or x != x else y


def minimum(x: float, y: float) -> float:
    """Return the smaller number, x at a tie (also of zeros); NaN if either is NaN."""
    return x if x <= y or x != x else y


def heaviside(x: float) -> float:
    """Return 1 for x > 0, 0 for x <= 0, NaN for NaN."""
    return 1.0 if x > 0 else 0.0 if x <= 0 else x


def sign(x: float) -> float:
    """Return -1, 0 or 1, NaN for NaN."""
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 if x == 0 else x


def where(c: float, a: float, b: float) -> float:
    """Return a if c > 0, else b."""
    return a if c > 0 else b


def mul_no_nan(x: float, y: float) -> float:
    """Return x * y, and 0 if x is 0, also where y is infinite or NaN."""
    return 0.0 if x == 0 else x * y
