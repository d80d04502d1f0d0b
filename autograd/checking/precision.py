"""In which floating-point format numbers seem to have been computed.

Read off the numbers themselves: those of single precision have 24 bits, those of half 11, of
bfloat16 8, however large they are. The steps of ``round(x, 1)`` or ``floor(x)`` are as wide for
small numbers as for large ones.

>>> bits(0.375), bits(0.1)
(2, 52)
>>> kind_of_steps([1.5, 0.0078125, 3.015625, 200.0, 0.3359375, 0.00170135498046875])
'format'
>>> kind_of_steps([1.5, 2.5, 3.0, 10.5]), kind_of_steps([k / 300 for k in (90, 91, 93, 960, 51090)])
('own', 'own')
"""

from __future__ import annotations

import math
from collections.abc import Collection

FORMATS = (8, 11, 24)
"""The bits of a significand in bfloat16, half and single precision."""

EVIDENCE = 6
"""Bits by which numbers would have to have fallen on those of a format by chance."""

FEWEST_VALUES = 4
"""How many different numbers it takes to tell."""

ENOUGH = 8
"""Of how many numbers the one is sought that all are multiples of."""

LOST = 8
"""How many times as large as results the terms of a sum may be, without much ado."""

SMALL_BESIDE = 1e-6
"""What is smaller beside a number is its rounding."""

EXACT = 1e-15
"""Of what is smaller beside a number, floats tell no multiples."""


def bits(x: float) -> int:
    """Return how many bits a number's significand has, from the first 1 to the last."""
    n = abs(x.as_integer_ratio()[0])
    return (n // (n & -n)).bit_length() if n else 0


def length_of(values: Collection[float]) -> int:
    """Return the bits of the shortest format that has all values; 0 for double precision."""
    return next((n for n in FORMATS if all(bits(x) <= n for x in values)), 0)


def unit_of(values: Collection[float], x: float) -> float:
    """Return the unit in the last place of ``x`` in the shortest format that has all values."""
    length = length_of(values)
    return math.ldexp(1.0, math.frexp(x)[1] - length) if length and x else 0.0


def multiples(values: Collection[float]) -> list[float]:
    """Return which multiples of one number all values are; none if that number is too small.

    >>> multiples([0.3, 0.9, 1.5]), multiples([0.3, 0.9, math.pi])
    ([1.0, 3.0, 5.0], [])
    """
    unit = 0.0
    for x in sorted(values)[:ENOUGH]:
        rest = x
        while rest > SMALL_BESIDE * x:
            unit, rest = rest, min(unit % rest, rest - unit % rest) if unit else 0.0
        if max(values) * EXACT > unit:
            return []
        unit = x / round(x / unit)  # as exact as x
    found = [round(x / unit) for x in values] if unit else []
    is_each = all(
        abs(n * unit - x) <= SMALL_BESIDE * unit for n, x in zip(found, values, strict=True)
    )
    return [float(n) for n in found] if found and is_each else []


def is_short(values: Collection[float]) -> bool:
    """Return whether all values are numbers of half precision, or of bfloat16."""
    return length_of(values) in FORMATS[:2]


def kind_of_steps(values: Collection[float], near: Collection[float] = ()) -> str:
    """Return whether values lie in the steps of a "format", or in steps of their "own".

    "unclear" if they may be either, or are numbers of double precision.

    Args:
        near: those of the values that are not far from each other, if others are.
    """
    numbers = {abs(x) for x in values} - {0.0}
    length = length_of(numbers)
    is_direct = bool(length)
    if not length:
        numbers = set(multiples(numbers))
        length = length_of(numbers)
        if numbers and not length:
            return "own"
    if not length or len(numbers) < FEWEST_VALUES:
        return "unclear"
    units = [math.ldexp(1.0, math.frexp(x)[1] - length) for x in numbers]
    grid = min(math.ldexp(1.0, math.frexp(x)[1] - bits(x)) for x in numbers)
    if sum(math.log2(max(1.0, unit / grid)) for unit in units) >= EVIDENCE:
        return "format"
    if is_direct and math.ldexp(grid, length) <= LOST * max(map(abs, near or values)):
        return "unclear"  # the terms of a sum in that format have no smaller steps
    unused = sum(length - bits(x) for x in numbers)  # of a format's own numbers, one each
    return "own" if unused >= 2 * len(numbers) + EVIDENCE else "unclear"
