"""Every row against mpmath: values, first and second derivatives, over the whole domain.

The only thing written a second time is each forward, as mpmath spells it. Derivatives come
from difference quotients of it in several hundred digits, so that no rule is written twice.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product
from typing import Any

import pytest
from mpmath import mp, mpf

from autograd import TABLE, Op, Value, gradients, primitive, trace
from autograd.domain import Joint
from autograd.forms import form
from autograd.lowering import value_function
from autograd.operation import Primitive

Args = tuple[float, ...]
ROWS = {name: op for name, op in TABLE.items() if op.arity}
PARTIALS = [(name, slot) for name, op in ROWS.items() for slot in range(op.arity or 0)]

TINY = sys.float_info.min  # the smallest normal number; what is smaller has fewer bits
HUGE = sys.float_info.max
NEXT_BELOW_1 = math.nextafter(1.0, 0.0)


def products(args: Sequence[Any]) -> list[Any]:
    """Return the terms that dot adds: n weights times n inputs, and the bias if there is one."""
    n = len(args) // 2
    return [*(w * x for w, x in zip(args[:n], args[n : 2 * n], strict=True)), *args[2 * n :]]


def exact_pow(x: mpf, y: mpf) -> mpf:
    return mpf(1) if y == 0 else mpf(0) if x == 0 else x**y


def clipped(x: mpf) -> mpf:
    """Return x within bounds beyond which exp and erfc are 0 or infinite as floats.

    mpmath would spend most of the tests' time on exp(1e300), and can't do erfc(1e300).
    """
    return max(min(x, mpf(10_000)), mpf(-10_000))


def exact_exp(x: mpf) -> mpf:
    return mp.exp(clipped(x))


def exact_erfc(x: mpf) -> mpf:
    return mp.erfc(clipped(x))


def exact_sign(x: mpf) -> mpf:
    return mpf((x > 0) - (x < 0))


EXACT: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "pow": exact_pow,
    "exp": exact_exp,
    "expm1": lambda x: mp.expm1(clipped(x)),
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
    "sinh": lambda x: mp.sinh(clipped(x)),
    "cosh": lambda x: mp.cosh(clipped(x)),
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "erf": lambda x: mp.erf(clipped(x)),
    "erfc": exact_erfc,
    "sigmoid": lambda x: 1 / (1 + exact_exp(-x)),
    "softplus": lambda x: max(x, 0) + mp.log1p(exact_exp(-abs(x))),
    "gelu": lambda x: x * exact_erfc(-x / mp.sqrt(2)) / 2,
    "silu": lambda x: x / (1 + exact_exp(-x)),
    "heaviside": lambda x: mpf(x > 0),
    "sign": exact_sign,
    "where": lambda c, a, b: a if c > 0 else b,
    "abs": abs,
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(clipped(x)),
    "maximum": max,
    "minimum": min,
    "max": lambda *xs: max(xs),
    "min": lambda *xs: min(xs),
    "clamp": lambda x, low, high: min(max(x, low), high),
    "hypot": mp.hypot,
    "mul_no_nan": lambda x, y: x * y,
    "sum": lambda *xs: mp.fsum(xs),
    "dot": lambda *args: mp.fsum(products(args)),
    "logsumexp": lambda *xs: max(xs) + mp.log(mp.fsum(exact_exp(x - max(xs)) for x in xs)),
}
"""Every forward, as mpmath spells it."""

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
    names |= {"abs": abs, "min": min, "max": max, "log": lambda x: mp.log(abs(x))}
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
FEW = [
    0.0, 1e-310, TINY, 1e-300, 1e-160, 1e-16, 1e-5, 0.3, NEXT_BELOW_1, 1.0, 1.1, 2.0, 3.0, 5.5,
    30.0, 1e4, 1e16, 1e150, 1e300, HUGE,
]  # fmt: skip


def edges_of(op: Op, slot: int) -> list[float]:
    """Return the ends of an argument's domain and the points taken out of it."""
    if isinstance(op.domain, Joint) or not op.domain:
        return []
    domain = op.domain[slot]
    ends = [domain.low, domain.high, *domain.excluded]
    return [float(end) for end in ends if math.isfinite(end)]


def signed(xs: list[float]) -> list[float]:
    return [sign * x for x in xs for sign in (1.0, -1.0)]


@cache
def points(name: str) -> list[Args]:
    """Return where a row is tested: extremes, neighbours of every special point, and random."""
    op, rng = ROWS[name], random.Random(name)
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
        candidates = rng.sample(grid, 120)
        for _ in range(30):
            args = [rng.uniform(-6, 6) for _ in range(op.arity)]
            candidates.append(tuple(args))
            args[rng.randrange(op.arity)] = float(rng.randint(-9, 9))
            candidates.append(tuple(args))
            args[1] = math.nextafter(args[0], rng.choice((HUGE, -HUGE)))
            candidates.append(tuple(args))
            candidates.append(tuple(10 ** rng.uniform(-20, 20) for _ in args))
            candidates.append(tuple(10 ** rng.uniform(-150, 150) for _ in args))
    if name == "pow":
        for _ in range(30):  # where neither overflows: bases near 1, whole exponents
            candidates.append((1 + rng.uniform(-1, 1) * 1e-6, rng.uniform(-1e8, 1e8)))
            candidates.append((rng.uniform(-9, 9), float(rng.randint(-300, 300))))
            candidates.append((10 ** rng.uniform(-300, 300), rng.uniform(-1, 1)))
        # From 2**53 on, y - 1 is y, and a negative base gets the wrong sign, as the note says.
        candidates = [(x, y) for x, y in candidates if x > 0 or abs(y) < 2**53]
    plain_zero = [tuple(x + 0.0 for x in args) for args in candidates]
    return [args for args in dict.fromkeys(plain_zero) if not op.violation(list(args))]


# The truth

SAME_SLOPE: dict[str, Callable[..., Any]] = {
    "erf": lambda x: EXACT["erf"](x) if abs(x) < 1.05 else -exact_sign(x) * exact_erfc(abs(x)),
    "erfc": lambda x: EXACT["erfc"](x) if abs(x) < 1.05 else exact_sign(x) * exact_erfc(abs(x)),
}
"""Rows less a constant, where that saves the digits that their difference would lose."""

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
    op = TABLE[name]
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
    function = SAME_SLOPE.get(name, EXACT[name])
    slope = mpf(0)
    for bits in (400, 1600, 3000):
        with mp.workprec(bits):
            step = mp.ldexp(mpf(size), -200)
            at = [[mpf(x) + (i == slot) * h for i, x in enumerate(args)] for h in (step, -step)]
            high, low = function(*at[0]), function(*at[1])
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
    for args in points(name):
        exact = exact_value(name, args)
        got = value_function(op, len(args))(*args)
        if got != float(exact) and error(got, exact) > allowed(name, "value", args, exact):
            yield f"{op.spell(*args)} = {got}, not {mp.nstr(exact, 20)}"


def slope(op: Op, slot: int, out: float, args: Args) -> float:
    """Return d op / d args[slot] as the engine computes it."""
    pattern = tuple(i == slot for i in range(len(args)))
    return form(op, pattern).locals(out, *args)[slot]


def wrong_slopes(op: Op, slot: int, name: str) -> Iterator[str]:
    """Yield the points where ``op`` misses the partial derivative of row ``name``."""
    for args in points(name):
        exact = exact_slope(name, slot, args)
        out = TABLE[name].ieee(*args)
        if exact is None or outside_promise(args, out):
            continue
        got = slope(op, slot, out, args)
        if got != float(exact) and error(got, exact) > allowed(name, slot, args, exact):
            yield f"d {op.spell(*args)} / d args[{slot}] = {got}, not {mp.nstr(exact, 20)}"


@pytest.mark.parametrize(("name", "what"), BEYOND_4_ULP)
def test_bounds_are_the_notes(name: str, what: int | str) -> None:
    assert BEYOND_4_ULP[name, what] in TABLE[name].note


@pytest.mark.parametrize("name", ROWS)
def test_values(name: str) -> None:
    assert not list(wrong_values(TABLE[name], name))


@pytest.mark.long
@pytest.mark.parametrize(("name", "slot"), PARTIALS)
def test_first_derivatives(name: str, slot: int) -> None:
    assert not list(wrong_slopes(TABLE[name], slot, name))


def test_error_is_counted_in_ulp() -> None:
    assert ulp(mpf(1)) == sys.float_info.epsilon
    assert error(math.nextafter(3.0, 4.0), mpf(3)) == ulp(mpf(3))
    assert error(5e-324, mpf(0)) == ulp(mpf(0)) == 5e-324
    assert error(math.inf, mpf(10) ** 400) == 0 < error(HUGE, mpf(10) ** 400)
    assert error(math.nan, mpf(1)) == math.inf


# Rows of any number of arguments


U = mpf(2) ** -53
VARIADIC: dict[str, tuple[str, Callable[[Args], Any]]] = {
    "sum": ("within n 2**-53 (|x1| + ... + |xn|)", lambda xs: len(xs) * U * mp.fsum(map(abs, xs))),
    "dot": (
        "within (n + 1) 2**-53 (|w1 x1| + ... + |wn xn| + |b|)",
        lambda args: (len(args) // 2 + 1) * U * mp.fsum(map(abs, products(list(map(mpf, args))))),
    ),
    "max": ("", lambda xs: 0),
    "min": ("", lambda xs: 0),
    "logsumexp": (
        "within (2 n + 4) 2**-53 max(1, |largest x|)",
        lambda xs: (2 * len(xs) + 4) * U * max(1, abs(max(xs))),
    ),
}
"""For each row its bound in the words of the note, and the same as a function."""


@cache
def lists(name: str) -> list[Args]:
    """Return argument lists of many lengths and scales; logits of 1e4 included."""
    rng = random.Random(name)
    lengths = [n + (name == "dot") for n in (1, 2, 3, 5, 8)]
    scales = [1e-300, 1e-3, 1.0, 30.0, 1e4, 1e100] * 4
    found = [tuple(rng.uniform(-s, s) for _ in range(n)) for n in lengths for s in scales]
    return [*found, *((7.0,) * n for n in lengths)]


def wrong_sums(op: Op, name: str) -> Iterator[str]:
    """Yield the arguments where a variadic row misses its value."""
    for xs in lists(name):
        got = value_function(op, len(xs))(*xs)
        if error(got, exact_value(name, xs)) > VARIADIC[name][1](xs) + ulp(mpf(0)):
            yield f"{name}{xs} = {got}, not {mp.nstr(exact_value(name, xs), 20)}"


def wrong_pullbacks(op: Op, name: str) -> Iterator[str]:
    """Yield the arguments where a variadic row misses a derivative.

    Those of sum and dot are arguments themselves, those of max and min 0 and 1. That of
    logsumexp is exp(x - z): the error of z and the rounding of x - z are relative errors of the
    result; exp adds 2 ulp.
    """
    for xs in lists(name):
        out = TABLE[name].ieee(*xs)
        for slot, x in enumerate(xs):
            exact, got = exact_slope(name, slot, xs), slope(op, slot, out, xs)
            if exact is None:
                continue  # a tie of max or min
            bound = mpf(0)
            if name == "logsumexp":
                bound = (VARIADIC[name][1](xs) + (abs(mpf(x) - out) + 4) * U) * exact + ulp(mpf(0))
            if error(got, exact) > max(bound, ulp(exact) / 2):
                yield f"d {name}{xs} / d args[{slot}] = {got}, not {mp.nstr(exact, 20)}"


@pytest.mark.long
@pytest.mark.parametrize("name", VARIADIC)
def test_variadic_rows(name: str) -> None:
    assert VARIADIC[name][0] in TABLE[name].note
    assert not list(wrong_sums(TABLE[name], name))
    assert not list(wrong_pullbacks(TABLE[name], name))


# Second derivatives


@cache
def smooth_points(name: str) -> list[Args]:
    """Return ordinary points, at least 1e-3 away from everything special."""
    rng = random.Random(name)
    arity = ROWS[name].arity or 0
    candidates = [
        tuple(rng.choice((0.3, 1.0, 4.0, 20.0)) * rng.uniform(-1, 1) for _ in range(arity))
        for _ in range(60)
    ]
    candidates += [tuple(1 + rng.expovariate(1) for _ in range(arity)) for _ in range(4)]
    return [
        args
        for args in candidates
        if not ROWS[name].violation(list(args))
        and all(reach(name, slot, args) > 1e-3 for slot in range(arity))
    ]


@cache
def exact_second(name: str, i: int, j: int, args: Args) -> mpf:
    """Return d2 row / d args[i] d args[j]; the steps of 2**-150 leave an error below 1e-60."""
    with mp.workprec(1000):
        steps = [mp.ldexp(mpf(reach(name, slot, args)), -150) for slot in (i, j)]

        def shifted(a: int, b: int) -> mpf:
            xs = list(map(mpf, args))
            xs[i] += a * steps[0]
            xs[j] += b * steps[1]
            return EXACT[name](*xs)

        difference = shifted(1, 1) - shifted(1, -1) - shifted(-1, 1) + shifted(-1, -1)
        return difference / (4 * steps[0] * steps[1])


def rounding_bound(result: Value) -> float:
    """Return how far the roundings on the way can have moved ``result``.

    Every node is wrong by at most 4 ulp (gelu, which is worse, occurs in no rule), and its
    adjoint says how much of that arrives; twice the sum covers the terms of second order.
    """
    result.backward()
    nodes, _ = trace(result)
    ulps = [abs(n.grad) * abs(n.data) * sys.float_info.epsilon for n in nodes if n.op and n.grad]
    return 2 * 4 * math.fsum(ulps) + 1e-100  # to which the truth itself is known


def wrong_second(op: Op, slot: int, name: str) -> Iterator[str]:
    """Yield the points where the gradient of the gradient of ``op`` misses row ``name``."""
    for args in smooth_points(name):
        leaves = list(map(Value, args))
        (first,) = gradients(op(*leaves), [leaves[slot]])
        for j, got in enumerate(gradients(first, leaves)):
            exact = exact_second(name, slot, j, args)
            if not error(got.data, exact) <= rounding_bound(got) < math.inf:
                yield f"d2 {op.spell(*args)} / d {slot} d {j} = {got.data}, not {mp.nstr(exact)}"


@pytest.mark.long
@pytest.mark.parametrize(("name", "slot"), PARTIALS)
def test_second_derivatives(name: str, slot: int) -> None:
    assert smooth_points(name)
    assert not list(wrong_second(TABLE[name], slot, name))


# The watchman is watched


MUTATIONS: dict[str, Callable[[Any], Any]] = {
    "scaled": lambda x: 1.001 * x,
    "shifted": lambda x: x + 1e-3,
    "negated": lambda x: -x,
    "zeroed": lambda x: 0.0 * x,
}


def mutant(op: Op, column: str, value: Any) -> Op:
    """Return ``op`` with one column replaced, outside the table."""
    twin = object.__new__(Op)
    twin.__dict__.update(op.__dict__, **{column: value})
    return twin


def mutant_forward(op: Op, mutate: Callable[[Any], Any]) -> Op:
    forward = op.forward
    if isinstance(forward, Primitive):
        return mutant(op, "forward", primitive(lambda *args: mutate(forward.ieee(*args))))
    return mutant(op, "forward", lambda *args: mutate(forward(*args)))


def mutant_partial(op: Op, slot: int, mutate: Callable[[Any], Any]) -> Op:
    partials = list(op.partials)
    partials[slot] = lambda *args: mutate(op.partials[slot](*args))
    return mutant(op, "partials", tuple(partials))


def mutant_pullback(op: Op, slot: int, mutate: Callable[[Any], Any]) -> Op:
    def pullback(g: Any, out: Any, args: Any) -> list[Any]:
        parts = list(op.pullback(g, out, args))
        slot_here = slot % len(parts)
        return [*parts[:slot_here], mutate(parts[slot_here]), *parts[slot_here + 1 :]]

    return mutant(op, "pullback", pullback)


@pytest.mark.parametrize("how", MUTATIONS)
@pytest.mark.parametrize("name", EXACT)
def test_wrong_forward_is_found(name: str, how: str) -> None:
    op = mutant_forward(TABLE[name], MUTATIONS[how])
    check = wrong_sums if name in VARIADIC else wrong_values
    assert next(check(op, name), None)


ZERO = [("heaviside", 0), ("sign", 0), ("where", 0)]
"""Partials that are 0 everywhere: scaling, negating and zeroing leave them as they are."""


@pytest.mark.parametrize("how", MUTATIONS)
@pytest.mark.parametrize(("name", "slot"), PARTIALS)
def test_wrong_partial_is_found(name: str, slot: int, how: str) -> None:
    op = mutant_partial(TABLE[name], slot, MUTATIONS[how])
    found = next(wrong_slopes(op, slot, name), None)
    assert found or ((name, slot) in ZERO and how != "shifted")


@pytest.mark.parametrize(("name", "slot"), PARTIALS)
def test_wrong_second_derivative_is_found(name: str, slot: int) -> None:
    op = mutant_partial(TABLE[name], slot, MUTATIONS["scaled"])
    found = next(wrong_second(op, slot, name), None)
    assert found or not any(
        exact_second(name, slot, j, args) for args in smooth_points(name) for j in range(len(args))
    )


@pytest.mark.parametrize("how", MUTATIONS)
@pytest.mark.parametrize("slot", [0, 1, -1])
@pytest.mark.parametrize("name", VARIADIC)
def test_wrong_pullback_is_found(name: str, slot: int, how: str) -> None:
    op = mutant_pullback(TABLE[name], slot, MUTATIONS[how])
    assert next(wrong_pullbacks(op, name), None)
