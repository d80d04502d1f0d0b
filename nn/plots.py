"""Pictures of training: matplotlib figures, made without pyplot and its global state.

The two colours differ in hue for every kind of colour vision, and in lightness when printed
grey; the shapes of the points tell the classes apart as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd import MissingExtraError, Value, sigmoid
from nn.module import Module
from nn.train import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Blue and orange of Okabe & Ito 2008, Color Universal Design.
BLUE, ORANGE = "#0072B2", "#E69F00"
INK, QUIET, RULE = "#222222", "#666666", "#DDDDDD"

FORMATS: dict[str, dict[str, None]] = {
    ".svg": {"Date": None},
    ".png": {},
    ".pdf": {"CreationDate": None},
}
"""The formats by extension, and the metadata to leave out: a picture has no date in it."""

CELLS = 72
"""Cells of the decision map along its longer side: a second of work, and no visible steps."""


def decision_boundary(
    model: Module,
    points: Sequence[Sequence[float]],
    labels: Sequence[float],
    path: str | PathLike[str] | None = None,
) -> Figure:
    """Return the picture of a two-input classifier: the points, and where its score is 0.

    Args:
        model: maps two numbers to one score; a score above 0 means a label above 0.
        points: the samples, two numbers each.
        labels: of the points, 0 and 1 or -1 and 1.
        path: where to write it, as .svg, .png or .pdf.

    Cost: about 5,000 forward passes.

    Raises:
        ValueError: the points are not two numbers each, or not as many as labels.
    """
    target = _target(path)
    if not len(points) or len(points) != len(labels) or any(len(point) != 2 for point in points):
        raise ValueError("decision_boundary needs points of two numbers, and a label for each")
    xs, ys = _grid(points)
    figure = _figure(6.0, min(0.9 + 5.2 * len(ys) / len(xs), 8.0))
    axes = figure.add_subplot()
    chances = [[_chance(model([x, y])) for x in xs] for y in ys]
    levels = [i / 10 for i in range(11)]
    axes.contourf(xs, ys, chances, levels, colors=_tints(len(levels) - 1))
    axes.contour(xs, ys, chances, [0.5], colors=INK, linewidths=1.6)
    for positive, colour, marker in ((False, BLUE, "o"), (True, ORANGE, "^")):
        chosen = [i for i, label in enumerate(labels) if (label > 0) is positive]
        if chosen:
            axes.scatter(
                [points[i][0] for i in chosen],
                [points[i][1] for i in chosen],
                s=30,
                c=colour,
                marker=marker,
                edgecolors="white",
                linewidths=0.7,
                label=f"label {labels[chosen[0]]:g}",
            )
    axes.set_aspect("equal")
    _title(axes, "Decision boundary")
    axes.set_xlabel("x1", color=QUIET)
    axes.set_ylabel("x2", color=QUIET)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        frameon=False,
        borderpad=0,
        handlelength=1.2,
        handletextpad=0.2,
        columnspacing=1.0,
    )
    return _written(figure, target)


def loss_curve(history: History, path: str | PathLike[str] | None = None) -> Figure:
    """Return the picture of the loss over the epochs, above the accuracy if there is one.

    Args:
        history: as `nn.fit` returns it.
        path: where to write it, as .svg, .png or .pdf.

    Raises:
        ValueError: the history has no epoch.
    """
    target = _target(path)
    if not history.loss:
        raise ValueError("the history has no whole epoch to draw")
    curves = [("Loss", history.loss, "{:.3g}")]
    if history.accuracy:
        curves.append(("Accuracy", [100 * share for share in history.accuracy], "{:.4g} %"))
    figure = _figure(6.4, 2.6 * len(curves))
    panels = figure.subplots(len(curves), sharex=True, squeeze=False)[:, 0]
    for axes, (name, heights, form) in zip(panels, curves, strict=True):
        epochs = len(heights)
        axes.plot(range(1, epochs + 1), heights, color=BLUE, linewidth=1.8, clip_on=False)
        axes.plot(epochs, heights[-1], "o", color=BLUE, markersize=5, clip_on=False)
        axes.annotate(
            form.format(heights[-1]),
            (epochs, heights[-1]),
            (8, 0),
            textcoords="offset points",
            verticalalignment="center",
            color=INK,
        )
        axes.set_xlim(1, max(epochs, 2))
        axes.locator_params(axis="y", nbins=5)
        axes.grid(axis="y", color=RULE, linewidth=0.8)
        _title(axes, name)
    panels[0].set_ylim(bottom=0)
    if history.accuracy:
        panels[1].set_ylim(top=100)
        panels[1].yaxis.set_major_formatter("{x:g} %")
    panels[-1].locator_params(axis="x", integer=True)
    panels[-1].set_xlabel("Epoch", color=QUIET)
    return _written(figure, target)


def _target(path: str | PathLike[str] | None) -> Path | None:
    """Return the path, once its extension is known to be a format."""
    if path is not None and Path(path).suffix.lower() not in FORMATS:
        raise ValueError(f"a picture is {', '.join(FORMATS)} by its extension: got {str(path)!r}")
    return path if path is None else Path(path)


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "this needs matplotlib, which is not installed: pip install 'chainrule[plot]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def _title(axes: Axes, text: str) -> None:
    """Give the axes their title, at the left, and a quiet frame."""
    axes.set_title(text, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(colors=QUIET, labelsize=9)


def _written(figure: Figure, path: Path | None) -> Figure:
    """Return the figure, written to ``path`` if there is one: the same bytes every time."""
    if path is not None:
        from matplotlib import rc_context

        suffix = path.suffix.lower()
        with rc_context({"svg.hashsalt": "chainrule"}):
            figure.savefig(path, format=suffix[1:], dpi=160, metadata=FORMATS[suffix])
    return figure


def _grid(points: Sequence[Sequence[float]]) -> tuple[list[float], list[float]]:
    """Return evenly spaced abscissas and ordinates around the points, with the same spacing."""
    ends = [(min(column), max(column)) for column in zip(*points, strict=True)]
    longer = max(high - low for low, high in ends) or 1.0
    ends = [(low - 0.1 * longer, high + 0.1 * longer) for low, high in ends]
    step = 1.2 * longer / CELLS
    xs, ys = (
        [low + step * i for i in range(math.ceil((high - low) / step) + 1)] for low, high in ends
    )
    return xs, ys


def _chance(score: Any) -> float:
    """Return σ(score): the probability of the second label, if the score is a logit."""
    if not isinstance(score, Value):
        raise ValueError(f"decision_boundary needs a model with one output: got {score!r:.60}")
    return sigmoid(score.data)


def _tints(n: int) -> list[tuple[float, float, float]]:
    """Return ``n`` colours from light blue over white to light orange."""
    blue, orange = ([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in (BLUE, ORANGE))
    tints = []
    for i in range(n):
        side = 2 * i / (n - 1) - 1
        strength = 0.25 * abs(side)
        r, g, b = (1 - strength * (1 - part) for part in (orange if side > 0 else blue))
        tints.append((r, g, b))
    return tints
