"""Where an op may be applied: an interval per argument, or one predicate over all of them.

A domain speaks of undefined points only. Where a defined function has no derivative (a kink)
is the row's ``kinks``; where the derivative is infinite is found when it is computed.
NaN lies in every domain: it is the trace of an earlier accident, not a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from autograd.annotations import Any, NamedTuple


class Domain(NamedTuple):
    """The numbers one argument may take: an interval, less some points.

    >>> POSITIVE
    > 0
    >>> -1.0 in POSITIVE, inf in POSITIVE, 0.0 in REAL.without(0)
    (False, True, False)
    """

    low: float = -inf
    high: float = inf
    open_low: bool = False
    open_high: bool = False
    excluded: tuple[float, ...] = ()

    def without(self, *points: float) -> Domain:
        """Return this domain less the given points (poles)."""
        return self._replace(excluded=self.excluded + points)

    def __contains__(self, x: Any) -> bool:
        if x != x:
            return True
        above = x > self.low if self.open_low else x >= self.low
        below = x < self.high if self.open_high else x <= self.high
        return above and below and x not in self.excluded

    def __repr__(self) -> str:
        parts = []
        if self.open_low and self.open_high and (self.low, self.high) == (-inf, inf):
            parts.append("finite")
        elif self.low > -inf and self.high < inf:
            opening, closing = "[("[self.open_low], "])"[self.open_high]
            parts.append(f"in {opening}{self.low:g}, {self.high:g}{closing}")
        elif self.low > -inf:
            parts.append(f"{'>' if self.open_low else '>='} {self.low:g}")
        elif self.high < inf:
            parts.append(f"{'<' if self.open_high else '<='} {self.high:g}")
        parts += [f"!= {point:g}" for point in self.excluded]
        return " and ".join(parts) or "real"


class Joint:
    """A domain that ties the arguments together, such as ``low <= high`` of clamp.

    Args:
        text: the condition as the error message prints it, after "needs".
        holds: the condition on plain floats; it need not care about NaN.
    """

    __slots__ = ("holds", "text")

    def __init__(self, text: str, holds: Callable[..., bool]) -> None:
        self.text = text
        self.holds = holds

    def __repr__(self) -> str:
        return self.text


REAL = Domain()
FINITE = Domain(open_low=True, open_high=True)
POSITIVE = Domain(low=0, open_low=True)
NONNEGATIVE = Domain(low=0)
UNIT = Domain(low=-1, high=1)
