"""Every row against mpmath: values, first and second derivatives, over the whole domain.

The only thing written a second time is each forward, as mpmath spells it. Derivatives come
from difference quotients of it in several hundred digits, so that no rule is written twice.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from typing import Any

import pytest
from mpmath import mp, mpf

from autograd import TABLE
from autograd.domain import Joint
from autograd.kernels import local_function, value_function
from autograd.operation import Op, Primitive

Args = tuple[float, ...]
ROWS = {name: op for name, op in TABLE.items() if op.arity}
PARTIALS = [(name, slot) for name, op in ROWS.items() for slot in range(op.arity or 0)]

TINY = sys.float_info.min  # the smallest normal number; what is smaller has fewer bits
HUGE = sys.float_info.max
NEXT_BELOW_1 = math.nextafter(1.0, 0.0)


def exact_pow(x: mpf, y: mpf) -> mpf:
    return mpf(1) if y == 0 else mpf(0) if x == 0 else x**y


def exact_erfc(x: mpf) -> mpf:
    return mp.erfc(min(x, mpf(100)))  # from there on it is 0 as a float; mpmath overflows


def exact_sign(x: mpf) -> mpf:
    return mpf((x > 0) - (x < 0))


EXACT: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "pow": exact_pow,
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "sqrt": mp.sqrt,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "erf": mp.erf,
    "erfc": exact_erfc,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "gelu": lambda x: x * exact_erfc(-x / mp.sqrt(2)) / 2,
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "heaviside": lambda x: mpf(x > 0),
    "sign": exact_sign,
    "where": lambda c, a, b: a if c > 0 else b,
    "abs": abs,
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "maximum": max,
    "minimum": min,
    "clamp": lambda x, low, high: min(max(x, low), high),
    "hypot": mp.hypot,
    "mul_no_nan": lambda x, y: x * y,
}

BEYOND_4_ULP: dict[tuple[str, int | str], str] = {
    ("pow", 0): "d/dx within 4 + abs((y - 1) * log(x)) ulp",
    ("atan2", 0): "derivatives within 4 ulp or 4e-309 absolute",
    ("atan2", 1): "derivatives within 4 ulp or 4e-309 absolute",
    ("tanh", 0): "derivative within 4.5e-16 absolute",
    ("erf", 0): "derivative within 4 + x**2 ulp",
    ("erfc", 0): "derivative within 4 + x**2 ulp",
    ("sigmoid", 0): "derivative within 2.3e-16 absolute",
    ("gelu", "value"): "value within 4 + 2*min(x, 0)**2 ulp",
    ("gelu", 0): "derivative within 4.5e-16 absolute",
    ("elu", 0): "d/dx within 4 ulp or abs(alpha) * 5e-324 absolute",
    ("silu", "value"): "value within 4 ulp or 4e-321 absolute",
    ("silu", 0): "derivative within 4 ulp or 2.3e-16 absolute",
}
"""Every bound that isn't 4 ulp, in the words of the row's note; the tests evaluate the words."""


CLAUSE = re.compile(r"(?:within|or) (\S.*?) (ulp|absolute)")


def allowed(name: str, what: int | str, args: Args, exact: mpf) -> mpf:
    """Return the largest error that the table promises, absolute."""
    promise = BEYOND_4_ULP.get((name, what), "within 4 ulp")
    names = dict(zip(TABLE[name].parameters, map(mpf, args), strict=True))
    names |= {"abs": abs, "min": min, "log": lambda x: mp.log(abs(x))}
    bounds = {unit: eval(formula, names) for formula, unit in re.findall(CLAUSE, promise)}
    return max(bounds.get("ulp", 0) * ulp(exact), mpf(bounds.get("absolute", 0)))


def ulp(exact: mpf) -> mpf:
    """Return the distance of neighbouring floats around ``exact``."""
    exponent = mp.frexp(exact)[1] if exact else -2000
    return mp.ldexp(1, max(exponent, sys.float_info.min_exp) - 53)


def error(got: float, exact: mpf) -> mpf:
    """Return the distance of a float from the truth; infinity counts as 2**1024."""
    if math.isnan(got):
        return mp.inf
    largest = mp.ldexp(1, 1024)
    exact = max(min(exact, largest), -largest)
    return abs(max(min(mpf(got), largest), -largest) - exact)


# The points


MAGNITUDES = [
    5e-324, 1e-310, math.nextafter(TINY, 0), TINY, math.nextafter(TINY, 1), 1e-300, 1e-200, 1e-160,
    1e-100, 1e-30, 1e-16, 1e-10, 1e-8, 1e-5, 1e-3, 0.01, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 0.99,
    NEXT_BELOW_1, 1.0, math.nextafter(1, 2), 1.1, 1.5, math.pi / 2, 1.9, 2.0, math.e, 3.0, math.pi,
    4.0, 5.5, 7.0, 8.3, 10.0, 17.3, 19.0, 20.0, 26.5, 27.2, 30.0, 36.7, 37.0, 38.5, 50.0, 88.0,
    355.0, 708.0, 709.7, 710.4, 744.0, 745.2, 1e3, 1e4, 1e5, 1e8, 1e10, 1e16, 1e22, 1e100, 1e150,
    1e200, 1e300, 1.7e308, HUGE,
]  # fmt: skip
FEW = [0.0, 1e-310, TINY, 1e-300, 1e-160, 1e-16, 1e-5, 0.3, NEXT_BELOW_1, 1.0, 1.1, 2.0, 3.0, 5.5, 30.0, 1e4, 1e16, 1e150, 1e300, HUGE]  # fmt: skip


def edges_of(op: Op, slot: int) -> list[float]:
    """Return the ends of an argument's domain and the points taken out of it."""
    if isinstance(op.domain, Joint) or not op.domain:
        return []
    domain = op.domain[slot]
    ends = [domain.low, domain.high, *domain.excluded]
    return [float(end) for end in ends if math.isfinite(end)]


@cache
def points(name: str) -> list[Args]:
    """Return where a row is tested: extremes, neighbours of every special point, and random."""
    op, rng = ROWS[name], random.Random(name)
    signed = lambda xs: [sign * x for x in xs for sign in (1.0, -1.0)]  # noqa: E731
    if op.arity == 1:
        xs = [0.0, *signed(MAGNITUDES)]
        for edge in edges_of(op, 0):
            xs += [edge, math.nextafter(edge, HUGE), math.nextafter(edge, -HUGE)]
            xs += [edge + d for d in signed([1e-300, 1e-12, 1e-6])]
        xs += [rng.uniform(-40, 40) for _ in range(40)]
        xs += [rng.choice((1, -1)) * 10 ** rng.uniform(-20, 20) for _ in range(40)]
        candidates: list[Args] = [(x,) for x in xs]
    else:
        grid = list(product(signed(FEW), repeat=op.arity))
        candidates = rng.sample(grid, 200)
        for _ in range(80):
            args = [rng.uniform(-6, 6) for _ in range(op.arity)]
            candidates.append(tuple(args))
            args[rng.randrange(op.arity)] = float(rng.randint(-9, 9))
            candidates.append(tuple(args))
            args[1] = math.nextafter(args[0], rng.choice((HUGE, -HUGE)))
            candidates.append(tuple(args))
            candidates.append(tuple(10 ** rng.uniform(-20, 20) for _ in args))
            candidates.append(tuple(10 ** rng.uniform(-150, 150) for _ in args))
    if name == "pow":
        for _ in range(80):  # where neither overflows: bases near 1, whole exponents
            candidates.append((1 + rng.uniform(-1, 1) * 1e-6, rng.uniform(-1e8, 1e8)))
            candidates.append((rng.uniform(-9, 9), float(rng.randint(-300, 300))))
            candidates.append((10 ** rng.uniform(-300, 300), rng.uniform(-1, 1)))
    return [args for args in dict.fromkeys(candidates) if not op.violation(list(args))]


# The truth


REACH: dict[tuple[str, int], Callable[..., float]] = {
    ("pow", 0): lambda x, y: abs(x),
    ("pow", 1): lambda x, y: max(x, 0.0),
    ("sin", 0): lambda x: 1.0,
    ("cos", 0): lambda x: 1.0,
    ("tan", 0): lambda x: 1.0,
    ("atan2", 0): lambda x, y: abs(x) if y < 0 else math.hypot(x, y),
    ("atan2", 1): math.hypot,
    ("clamp", 1): lambda x, low, high: high - low,
    ("clamp", 2): lambda x, low, high: high - low,
}
"""Distance to the nearest singularity that neither the domain nor the kinks tell of."""


def reach(name: str, slot: int, args: Args) -> float:
    """Return how far the row is smooth around ``args``; 0 where it has no derivative."""
    op = ROWS[name]
    distances = [max(1.0, abs(args[slot])), *(abs(args[slot] - end) for end in edges_of(op, slot))]
    if op.kinks:
        distances += [abs(float(distance)) for distance in op.kinks(*args)]
    if (name, slot) in REACH:
        distances.append(REACH[name, slot](*args))
    return min(distances)


@cache
def exact_value(name: str, args: Args) -> mpf:
    with mp.workprec(200):
        return EXACT[name](*map(mpf, args))


@cache
def exact_slope(name: str, slot: int, args: Args) -> mpf | None:
    """Return d row / d args[slot], or None where it has none.

    The step is 2**-200 of the reach, so the truncation is below 1e-60 of the derivative even
    beside a pole. The precision rises until 100 bits of the difference are left; 3000 bits
    resolve every derivative that isn't 0 as a float.
    """
    size = reach(name, slot, args)
    if not size:
        return None
    slope = mpf(0)
    for bits in (400, 1600, 3000):
        with mp.workprec(bits):
            step = mp.ldexp(mpf(size), -200)
            at = [[mpf(x) + (i == slot) * h for i, x in enumerate(args)] for h in (step, -step)]
            high, low = EXACT[name](*at[0]), EXACT[name](*at[1])
            slope = (high - low) / (2 * step)
            if abs(high - low) > mp.ldexp(max(abs(high), abs(low)), 100 - bits):
                break
    return slope


# The check


def outside_promise(args: Args, out: float) -> bool:
    """Return whether a number has fewer bits than a float: the table promises nothing then."""
    return math.isinf(out) or any(0 < abs(x) < TINY for x in (*args, out))


def wrong_values(op: Op, name: str) -> Iterator[str]:
    """Yield the points where ``op`` misses the value that row ``name`` should have."""
    forward = value_function(op, op.arity or 0)
    for args in points(name):
        exact = exact_value(name, args)
        got = forward(*args)
        if error(got, exact) > allowed(name, "value", args, exact):
            yield f"{name}{args} = {got}, not {mp.nstr(exact, 20)}: {mp.nstr(error(got, exact) / ulp(exact), 3)} ulp"


def wrong_slopes(op: Op, slot: int, name: str) -> Iterator[str]:
    """Yield the points where ``op`` misses the partial derivative of row ``name``."""
    forward = value_function(op, op.arity or 0)
    local = local_function(op, slot, op.arity or 0)
    for args in points(name):
        exact = exact_slope(name, slot, args)
        if exact is None:
            continue
        out = forward(*args)
        got = local(out, *args)
        miss = error(got, exact)
        if miss > allowed(name, slot, args, exact) and not outside_promise(args, out):
            yield f"d {name}{args} / d {slot} = {got}, not {mp.nstr(exact, 20)}: {mp.nstr(miss / ulp(exact), 3)} ulp"


@pytest.mark.parametrize(("name", "what"), BEYOND_4_ULP)
def test_bounds_are_the_notes(name: str, what: int | str) -> None:
    assert BEYOND_4_ULP[name, what] in TABLE[name].note


@pytest.mark.parametrize("name", ROWS)
def test_values(name: str) -> None:
    assert not list(wrong_values(TABLE[name], name))


@pytest.mark.parametrize(("name", "slot"), PARTIALS)
def test_first_derivatives(name: str, slot: int) -> None:
    assert not list(wrong_slopes(TABLE[name], slot, name))
