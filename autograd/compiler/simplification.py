"""Simplifications that keep every bit: never x * 0, never another order of a sum."""

from __future__ import annotations

import math
from typing import Any

from autograd import ops
from autograd.operation import Op

SIMPLIFIED = frozenset((ops.sum, ops.dot))
"""The rows that `simplified` knows something of even where no argument is a float."""


def simplified(op: Op, args: list[Any]) -> Any:
    """Return what ``op`` of ``args`` always equals, to the bit; None if it must be computed.

    That is an argument, a constant, or another row and what it is applied to.

    Args:
        args: plain floats, and at least one operand.
    """
    if op is ops.mul:
        for x, c in (args, reversed(args)):
            if c.__class__ is float:
                if c == 1:
                    return x
                if c == -1:
                    return ops.neg, [x]
    elif op is ops.div:
        x, c = args
        if c.__class__ is float:
            if c == 1:
                return x
            if _is_power_of_two(c):
                return ops.mul, [x, 1 / c]
    elif op is ops.sub:
        x, c = args
        if c.__class__ is float and c == 0 and math.copysign(1.0, c) > 0:
            return x
    elif op is ops.add:
        for x, c in (args, reversed(args)):
            if c.__class__ is float and c == 0 and math.copysign(1.0, c) < 0:
                return x
    elif op is ops.pow:
        x, c = args
        if c.__class__ is float and c == 1:
            return x
        if c.__class__ is float and c == 0:
            return 1.0  # of NaN, too
    elif op is ops.where:
        c, a, b = args
        if c.__class__ is float:
            return a if c > 0 else b
    elif op is ops.mul_no_nan:
        x, y = args
        if x.__class__ is float and x != 0 and x == x:
            return ops.mul, [x, y]
    elif op is ops.sum and len(args) == 1:
        return args[0]
    elif op is ops.dot and len(args) == 2:
        return ops.mul, args
    return None


def _is_power_of_two(x: float) -> bool:
    """Return whether x and 1 / x are normal powers of two: to divide by x is to multiply."""
    if not math.isfinite(x):
        return False
    mantissa, exponent = math.frexp(abs(x))
    return mantissa == 0.5 and -1020 < exponent < 1020
