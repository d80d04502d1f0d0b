"""What all plots are drawn on and with: sheets, colours, dressed axes, and files of the same bytes.

The colours differ in hue for every kind of colour vision, and the first two in lightness when
printed grey; the shapes of the points tell the classes apart as well.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from autograd import missing_extra, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of Okabe & Ito 2008, Color Universal Design.
BLUE, ORANGE = "#0072B2", "#E69F00"
MARKERS = "o^sDvP"
PALETTE = (BLUE, ORANGE, "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
INK, QUIET, RULE = "#222222", "#666666", "#DDDDDD"

FORMATS: dict[str, dict[str, None]] = {
    ".svg": {"Date": None},
    ".png": {},
    ".pdf": {"CreationDate": None},
}
"""The formats by extension, and the metadata to leave out: a picture has no date in it."""


def checked_target(path: str | PathLike[str] | None) -> Path | None:
    """Return the path, once its extension is known to be a format."""
    if path is not None and Path(path).suffix.lower() not in FORMATS:
        raise ValueError(
            f"a picture is {', '.join(FORMATS)} by its extension: got {str(path)[-200:]!r}"
        )
    return path if path is None else Path(path)


def blank(width: float, height: float) -> Figure:
    try:
        from nn.plots.sheet import Sheet
    except ImportError as error:
        missing_extra("matplotlib", "plot", error)
    return Sheet(figsize=(width, height), layout="constrained")


def written(figure: Figure, path: Path | None) -> Figure:
    """Return the figure, written to ``path`` if there is one: the same bytes every time."""
    if path is not None:
        from matplotlib import rc_context

        suffix, content = path.suffix.lower(), BytesIO()
        with rc_context({"svg.hashsalt": "chainrule"}), warnings.catch_warnings():
            # A letter that the font lacks is a box, which says as much, and once.
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            figure.savefig(content, format=suffix[1:], dpi=160, metadata=FORMATS[suffix])
        write_whole(path, content.getvalue())
    return figure


def literal(text: str) -> str:
    """Return a name such that matplotlib takes no formula for it."""
    return text.replace("$", r"\$")


def head(axes: Axes, text: str) -> None:
    """Give the axes their title, at the left, and a quiet frame."""
    axes.set_title(text, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(colors=QUIET, labelsize=9)


def chart(axes: Axes, title: str, below: str) -> None:
    """Dress the axes for heights over a count, such as of epochs or layers."""
    head(axes, title)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel(below, color=QUIET)


def rgb(code: str) -> list[float]:
    return [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
