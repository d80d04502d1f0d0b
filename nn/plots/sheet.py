"""`Sheet`: a matplotlib figure that a notebook shows, without pyplot and its global state."""

from __future__ import annotations

from io import BytesIO

import matplotlib.figure

DPI = 120
"""Pixels an inch: a notebook keeps its pictures, so they are smaller than those in files."""

CSS_DPI = 96


class Sheet(matplotlib.figure.Figure):
    """A `matplotlib.figure.Figure`, which by itself shows only where pyplot is loaded."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the PNG for a notebook, and the size at which to show it."""
        png = BytesIO()
        self.savefig(png, format="png", dpi=DPI)
        width, height = self.get_size_inches() * CSS_DPI
        return png.getvalue(), {"width": round(width), "height": round(height)}
