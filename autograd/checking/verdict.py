"""What the check may say of a derivative."""

from __future__ import annotations

from typing import NamedTuple


class Verdict(NamedTuple):
    """A verdict.

    Attributes:
        means: what it says.
        confirms: whether the derivative is right then.
        style: how a terminal shows it.
    """

    means: str
    confirms: bool
    style: str


VERDICTS = {
    "wrong": Verdict("it is not the slope of f", False, "bold red"),
    "kink": Verdict("the slopes to both sides differ, and it lies between them", True, "yellow"),
    "noise": Verdict("rounding, or what else makes f rough, drowns the slope", False, "yellow"),
    "undefined": Verdict("f has no derivative there", False, ""),
    "ok": Verdict("it is the slope of f", True, "green"),
}
"""By name, the ones to be told of first before the others."""

CONFIRMED = frozenset(name for name, verdict in VERDICTS.items() if verdict.confirms)
"""The verdicts on gradients that are right."""
