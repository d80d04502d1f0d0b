"""A number that was measured, and what is wanted of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FINE = ("×", "s", "ms", "µs")
"""Units of which three digits are worth reading; of others, whole numbers are."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, as the sentence "value label": "4.7 × as fast as CasADi".

    Attributes:
        value: seconds, shares and ratios as they are.
        unit: "×", "s", "%", or any other that is printed as it is.
        wanted: the bound that `value` should keep; None if nothing is wanted.
        at_most: whether that is an upper bound.
    """

    value: float
    unit: str
    label: str
    wanted: float | None = None
    at_most: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the value keeps the bound, if there is one."""
        if self.wanted is None:
            return True
        return self.value <= self.wanted if self.at_most else self.value >= self.wanted

    @property
    def bound(self) -> str:
        """What is wanted, for people.

        >>> Figure(4.7, "×", "as fast as CasADi", wanted=4).bound
        '≥ 4 ×'
        """
        if self.wanted is None:
            return ""
        return f"{'≤' if self.at_most else '≥'} {amount(self.wanted, self.unit, is_bound=True)}"

    def __str__(self) -> str:
        """Return the figure as a sentence.

        >>> print(Figure(58_231.4, "×", "as fast as micrograd", wanted=20_000))
        58,231 × as fast as micrograd (wanted ≥ 20,000 ×)
        """
        bound = f" (wanted {self.bound})" if self.bound else ""
        return f"{amount(self.value, self.unit)} {self.label}{bound}"

    def to_json(self) -> dict[str, Any]:
        """Return the figure as plain data."""
        return {
            "value": self.value,
            "unit": self.unit,
            "label": self.label,
            "wanted": self.wanted,
            "bound": None if self.wanted is None else "at most" if self.at_most else "at least",
            "reached": None if self.wanted is None else self.is_reached,
        }


def amount(value: float, unit: str, is_bound: bool = False) -> str:
    """Return a number with its unit, as people read it.

    Args:
        is_bound: whether it is a round number, or as good as one.

    >>> amount(0.0131, "s"), amount(7.3e-6, "s"), amount(0.02, "s", is_bound=True)
    ('13.1 ms', '7.30 µs', '20 ms')
    >>> amount(4.68, "×"), amount(58_231.4, "×"), amount(0.9995, "%"), amount(144.0, "bytes")
    ('4.68 ×', '58,231 ×', '100.0 %', '144 bytes')
    """
    if unit == "s":
        unit, scale = unit_of_seconds(value)
        value /= scale
    elif unit == "%":
        value *= 100
    if is_bound:
        return f"{f'{value:,.1f}'.removesuffix('.0')} {unit}".rstrip()
    if unit == "%":
        return f"{value:.1f} %"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits if unit in FINE else 0}f} {unit}".rstrip()


def unit_of_seconds(seconds: float) -> tuple[str, float]:
    """Return the unit in which seconds read best, and how long it is."""
    if seconds >= 1:
        return "s", 1.0
    return ("ms", 1e-3) if seconds >= 1e-3 else ("µs", 1e-6)
