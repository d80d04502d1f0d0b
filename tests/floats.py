"""Floats as the tests compare them."""

from __future__ import annotations

import math
import struct


def bits(x: float) -> bytes:
    """Return what makes two floats the same: -0.0 isn't 0.0, and every NaN is NaN."""
    return struct.pack("d", math.nan if x != x else x)
