"""What a Value is said to equal, where numbers could and Values can't: they go by identity."""

from __future__ import annotations

from collections.abc import Set
from numbers import Real
from typing import Any

from autograd.engine import Value

EQUAL = (
    "== of a recorded value{}: what is compiled holds for all numbers, so none can decide, and a "
    "Value equals no number and no other; write arithmetic, where(c, a, b), and take(values, i) "
    "where an argument chooses one of some values"
)


def is_of_numbers(node: Value, other: Any, arguments: Set[Value]) -> bool:
    """Return whether a node is compared with a number, or both are arguments, which calls give so.

    A parameter is a Value in calls, too, and equals what it is.
    """
    if other.__class__ is Value:
        return node is not other and node in arguments and other in arguments
    return isinstance(other, Real) or getattr(other, "dtype", None) == "bool"


def is_same(data: Any, before: Any) -> bool:
    """Return whether a number was left alone; a float, which may be made anew, to the bit."""
    is_float = type(data) is float and type(before) is float
    return data is before or (is_float and data.hex() == before.hex())
