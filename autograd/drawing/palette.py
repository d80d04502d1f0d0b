"""Colours for the sign and the size of a gradient, readable in grey and with any colour vision."""

from __future__ import annotations

INK, GREY, PALE = "#1f2328", "#59636e", "#eaeef2"
WIRE, BORDER, ACCENT = "#aeb7c0", "#d8dee4", "#6b3fd4"

RED = "#cf222e"
"""What a gradient check blames."""

# From weak to strong. Orange and blue differ for every kind of colour vision, the strength
# survives in grey, and ink keeps a contrast of 4.5 on the darkest (WCAG AA).
NEGATIVE = ("#fdf1e4", "#fbd9b3", "#f5b36b", "#e58a2c")
POSITIVE = ("#edf4fb", "#c9dff3", "#97c3e8", "#5a9bd5")
NORM = ("#f3f4f6", "#dce1e6", "#bcc5ce", "#97a3af")
"""A norm has no sign, and so no hue."""

NIGHT = {
    "negative": ("#2c2216", "#4a3112", "#6e460f", "#925a0a"),
    "positive": ("#16222e", "#17344f", "#1b4a75", "#1f61a0"),
    "norm": ("#1f242a", "#2c333b", "#3b444e", "#505b67"),
}
"""The same on a dark page, under white numbers."""

STEPS = (1 / 64, 1 / 8, 1 / 2)
"""Where the next stronger colour begins, as a share of the largest gradient."""


def strength(x: float, largest: float) -> int:
    """Return how strong a number is among its like, from 0 to 3."""
    return sum(abs(x) >= step * largest for step in STEPS)


def shade(grad: float, largest: float, *, signed: bool = True) -> str:
    """Return the colour of a gradient: sign by hue, share of ``largest`` by strength.

    >>> shade(1.0, 1.0) == POSITIVE[-1], shade(-1e-9, 1.0) == NEGATIVE[0], shade(0.0, 1.0)
    (True, True, 'white')
    """
    if grad != grad:
        return INK
    if grad == 0:
        return "white"
    palette = (POSITIVE if grad > 0 else NEGATIVE) if signed else NORM
    return palette[strength(grad, largest)]
