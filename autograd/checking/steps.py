"""Functions that move in steps: of a number format, of what cancelled, or of their own.

A function that is rounded is constant, or smooth, between jumps. Within one step its slope is
one, over many of them another, and which of the two a gradient should be depends on what makes
the steps: for rounding that is no part of the function, it is the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from autograd.checking.line import EPSILON, Line
from autograd.checking.precision import is_short, kind_of_steps
from autograd.checking.stencil import PLATEAU, ROUNDED, Stencil

FINE = 2.0**-17
"""Steps of this width, beside the input or 1, are taken for rounding."""

WIDEST_STEPS = 2.0**-10
"""Wider ones are not, unless the values are of a format; what is between is unclear."""

SINGLE = 2.0**-18
"""Steps of this height, beside the values nearby, are those of single precision."""

CANCELLED_HEIGHT = 1e4 * EPSILON
"""Steps of this height, beside 1 or what f varies, are the rounding of what has cancelled."""

CLOSE = 0.2
"""At most how far noise is that tells of steps, beside the input or 1."""

FAR = (1.3e-3, 2.9, 170.0, 1.1e4, 0.9e6)
"""Where to look what f is far away, per unit of the input or of 1."""

SIDES = (1, -1.43)
"""To which sides: not as far to both, where steps that have a symmetry would say the same."""


def unit(line: Line) -> float:
    """Return the size of the middle, or 1 if that is larger."""
    return max(abs(line.x), 1.0)


def far_reach(line: Line, scales: tuple[float, ...] = FAR) -> float:
    """Return the steepest way to samples far away, per scale two."""
    found = [line.at(side * scale * unit(line)) for scale in scales for side in SIDES]
    return max((abs((value - line.middle) / t) for t, value in filter(None, found)), default=0.0)


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps in which a function moves: how wide they are, and how high beside its smooth part."""

    line: Line
    width: float
    height: float

    @property
    def are_fine(self) -> bool:
        """Whether they are taken for rounding, in double or single precision."""
        return self.are_narrow or self.are_low

    @property
    def are_narrow(self) -> bool:
        """Whether they are no wider than the rounding of an input."""
        return self.width <= FINE * unit(self.line)

    @property
    def are_low(self) -> bool:
        """Whether they are no higher than those of single precision."""
        return self.height <= SINGLE * max(map(abs, self.line.values(CLOSE * unit(self.line))))

    @property
    def are_wide(self) -> bool:
        """Whether they are wider than those of most formats."""
        return self.width > WIDEST_STEPS * unit(self.line)

    @property
    def kind(self) -> str:
        """What makes them, if f is constant within each: "format", "own" or "unclear".

        "cancelled" if they are as small as the rounding of numbers that the result has lost.
        """
        if self.height <= CANCELLED_HEIGHT * max(1.0, self.line.spread()):
            return "cancelled"
        if is_short_nearby(self.line):
            return kind_of_short(self.line)
        return "unclear" if self.are_fine else kind_of(self.line)


def steps_of(line: Line, seen: Iterable[Stencil], moving: Stencil, near: float, h: float) -> Steps:
    """Return the steps that make the noise of stencils.

    Args:
        near: the slope within one step, at the scale ``h``.
    """
    apart = abs(moving.slope.value - near)
    close = [
        s.noise
        for s in seen
        if s.is_own_noise
        and s.h <= CLOSE * unit(line)
        # What grows much faster than the scale is a kink, or curved, and no steps.
        and s.noise * moving.h <= PLATEAU * moving.noise * s.h
    ]
    noise = max(close, default=moving.noise if moving.is_noisy else 0.0)
    width = max(h, line.standstill(), noise / (ROUNDED * apart) if apart else inf)
    return Steps(line, width, width * apart)


def is_short_nearby(line: Line) -> bool:
    """Return whether all values nearby are numbers of half precision, or of bfloat16."""
    return is_short(line.values(2 * unit(line)))


def kind_of_short(line: Line) -> str:
    """Return the kind of steps of a function whose values nearby are those of a short format.

    What is far away tells: there, the steps of a format are others.
    """
    return kind_of(line) if is_short(line.values()) else "own"


def kind_of(line: Line) -> str:
    """Return the kind of steps of a function, by all its values."""
    return kind_of_steps(line.values(), line.values(unit(line)))
