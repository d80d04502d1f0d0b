"""The numbers that code computes with: what they are called elsewhere, and how they are written."""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple

from autograd.errors import quoted


class Real(NamedTuple):
    """A kind of floating-point number.

    Attributes:
        dtype, name, suffix: what NumPy calls it, what LLVM, and what LLVM's functions of it.
        size: how many bytes it takes.
        code: what `struct` calls it.
        mark: what the names of libm's functions of it end with.
        whole: up to where all whole numbers are among them.
    """

    dtype: str
    name: str
    suffix: str
    size: int
    code: str
    mark: str
    whole: int

    def rounded(self, x: float) -> float:
        """Return the nearest of these numbers, by IEEE 754: beyond the largest, infinity.

        >>> SINGLE.rounded(0.1), SINGLE.rounded(1e39), SINGLE.rounded(2**24 + 1)
        (0.10000000149011612, inf, 16777216.0)
        """
        try:
            (found,) = struct.unpack(self.code, struct.pack(self.code, x))
        except OverflowError:
            return math.copysign(math.inf, x)
        return float(found)

    def written(self, x: float) -> str:
        """Return a number as LLVM writes it, rounded to one of these: as a double in any case.

        >>> DOUBLE.written(1.0)
        '0x3FF0000000000000'
        """
        return f"0x{struct.unpack('<Q', struct.pack('<d', self.rounded(x)))[0]:016X}"


DOUBLE = Real("float64", "double", "f64", 8, "d", "", 2**53)
SINGLE = Real("float32", "float", "f32", 4, "f", "f", 2**24)

REALS = {real.dtype: real for real in (DOUBLE, SINGLE)}
"""By NumPy's names."""


def real_of(dtype: Any) -> Real:
    """Return the kind of numbers that a dtype is: its name, or NumPy's own.

    Raises:
        ValueError: it is none of them.

    >>> real_of("float32").size
    4
    """
    # A string, NumPy's dtype, or a type.
    for name in (dtype, getattr(dtype, "name", None), getattr(dtype, "__name__", None)):
        if isinstance(name, str) and name in REALS:
            return REALS[name]
    raise ValueError(f'dtype must be "float64" or "float32": got {quoted(dtype)}')
