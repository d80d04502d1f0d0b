"""Simplifications that keep every bit: never x * 0, never another order of a sum."""

from __future__ import annotations

import math
from collections.abc import Callable
from struct import Struct
from typing import Any

from autograd import ops
from autograd.operation import Op

SIMPLIFIED = frozenset((ops.sum, ops.dot))
"""The rows that `simplified` knows something of even where no argument is a float."""

bits = Struct("d").pack
"""Returns what tells a float from any other, and from a whole number of its size, as 0.0 from -0.0
and 0, which are equal in Python. Its text takes three times as long."""


def simplified(op: Op, args: list[Any]) -> Any:
    """Return what ``op`` of ``args`` always equals, to the bit; None if it must be computed.

    That is an argument, a constant, or another row and what it is applied to.

    Args:
        args: plain floats, and at least one operand.
    """
    rule = RULES.get(op)
    return rule(*args) if rule else None


def _sum(*args: Any) -> Any:
    return args[0] if len(args) == 1 else None


def _dot(*args: Any) -> Any:
    return (ops.mul, args) if len(args) == 2 else None


def _mul(x: Any, y: Any) -> Any:
    for arg, c in ((x, y), (y, x)):
        if c.__class__ is float:
            if c == 1:
                return arg
            if c == -1:
                return ops.neg, [arg]
    return None


def _div(x: Any, c: Any) -> Any:
    if c.__class__ is float:
        if c == 1:
            return x
        if _is_power_of_two(c):
            return ops.mul, [x, 1 / c]
    return None


def _sub(x: Any, c: Any) -> Any:
    return x if c.__class__ is float and c == 0 and math.copysign(1.0, c) > 0 else None


def _add(x: Any, y: Any) -> Any:
    for arg, c in ((x, y), (y, x)):
        if c.__class__ is float and c == 0 and math.copysign(1.0, c) < 0:
            return arg
    return None


def _pow(x: Any, c: Any) -> Any:
    if c.__class__ is float and c == 1:
        return x
    return 1.0 if c.__class__ is float and c == 0 else None  # of NaN, too


def _where(c: Any, a: Any, b: Any) -> Any:
    if c.__class__ is float:
        return a if c > 0 else b
    return None


def _mul_no_nan(x: Any, y: Any) -> Any:
    return (ops.mul, [x, y]) if x.__class__ is float and x != 0 and x == x else None


def _is_power_of_two(x: float) -> bool:
    """Return whether x and 1 / x are normal powers of two: to divide by x is to multiply."""
    if not math.isfinite(x):
        return False
    mantissa, exponent = math.frexp(abs(x))
    return mantissa == 0.5 and -1020 < exponent < 1020


RULES: dict[Op, Callable[..., Any]] = {
    ops.sum: _sum,
    ops.dot: _dot,
    ops.mul: _mul,
    ops.div: _div,
    ops.sub: _sub,
    ops.add: _add,
    ops.pow: _pow,
    ops.where: _where,
    ops.mul_no_nan: _mul_no_nan,
}
