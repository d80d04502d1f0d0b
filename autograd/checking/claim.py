"""A derivative that is claimed, and what became of the claim."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import NamedTuple, Protocol

CAUTION = 4
"""The tolerance is this many times the estimated error."""


class Estimate(Protocol):
    """A numeric derivative."""

    @property
    def value(self) -> float:
        """The derivative."""

    @property
    def error(self) -> float:
        """Its estimated absolute error."""


class Claim(NamedTuple):
    """A derivative to be checked.

    Attributes:
        doubt: a bound on its own rounding error.
        rtol, atol: tolerances in place of the one that follows from the errors.
    """

    slope: float
    doubt: float = 0.0
    rtol: float | None = None
    atol: float | None = None

    def error(self, numeric: Estimate) -> float:
        """Return how far a right claim may lie from a numeric derivative."""
        return CAUTION * numeric.error + self.doubt

    def asked(self, numeric: Estimate) -> float | None:
        """Return the tolerance that was asked for, None if none was."""
        if self.rtol is None and self.atol is None:
            return None
        return (self.atol or 0.0) + (self.rtol or 0.0) * abs(numeric.value)

    def tolerance(self, numeric: Estimate) -> float:
        """Return the tolerance that was asked for, else the one that follows from the errors."""
        asked = self.asked(numeric)
        return self.error(numeric) if asked is None else asked

    def agrees(self, numeric: Estimate) -> bool:
        """Return whether the claim lies within the tolerance."""
        return abs(self.slope - numeric.value) <= self.tolerance(numeric)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claimed derivative beside the numeric one; see `autograd.checking.report.InputCheck`.

    Attributes:
        remark: what else there is to say of it.
        sides: at a kink, the slopes to the left and to the right.
    """

    numeric: float
    error: float
    tolerance: float
    verdict: str
    rate: float = nan
    remark: str = ""
    sides: tuple[float, float] = (nan, nan)
