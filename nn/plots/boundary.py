"""`decision_boundary`: the picture of where a classifier of two inputs changes its mind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from os import PathLike
from typing import TYPE_CHECKING

from autograd import sigmoid
from nn.module import Module
from nn.plots.paper import (
    BLUE,
    INK,
    MARKERS,
    ORANGE,
    PALETTE,
    QUIET,
    blank,
    checked_target,
    head,
    literal,
    rgb,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELLS = 72
"""Cells of the decision map along its longer side: a second of work, and no visible steps."""

NEARLY_SQUARE = 4
"""By how much one side of the decision map may be longer for both to have the same scale."""


def decision_boundary(
    model: Module,
    points: Sequence[Sequence[float]],
    labels: Sequence[float],
    path: str | PathLike[str] | None = None,
    classes: Sequence[str] = (),
    columns: Sequence[str] = ("x1", "x2"),
) -> Figure:
    """Return the picture of a two-input classifier: the points, and where its answer changes.

    Args:
        model: maps two numbers to one score, above 0 for the second of two classes, or to the
            logits of several classes.
        points: the samples, two numbers each.
        labels: of the points: 0 and 1, -1 and 1, or for logits the class.
        path: where to write it, as .svg, .png or .pdf.
        classes: the names of the labels, if they have any.
        columns: the names of the two numbers.

    Cost: about 5,000 forward passes.

    Raises:
        ValueError: the points are not two numbers each, or not as many as labels; a label is
            none of the model's classes.
    """
    target = checked_target(path)
    if not len(points) or len(points) != len(labels) or any(len(point) != 2 for point in points):
        raise ValueError("decision_boundary needs points of two numbers, and a label for each")
    xs, ys, alike = _grid(points)
    found = iter(model.predict([[x, y] for y in ys for x in xs]))
    answers = [list(islice(found, len(xs))) for _ in ys]
    several = isinstance(answers[0][0], list)
    count = len(answers[0][0]) if several else 2
    places = [int(label) if several else int(label > 0) for label in labels]
    if not set(places) <= set(range(count)):
        raise ValueError(f"the model has {count} outputs, so labels go from 0 to {count - 1}")
    figure = blank(6.0, min(0.9 + 5.2 * len(ys) / len(xs), 8.0))
    axes = figure.add_subplot()
    if several:
        _draw_classes(axes, xs, ys, answers)
    else:
        chances = [[sigmoid(score) for score in row] for row in answers]
        levels = [i / 10 for i in range(11)]
        axes.contourf(xs, ys, chances, levels, colors=_tints(len(levels) - 1))
        _draw_contour(axes, xs, ys, chances, 0.5)
    for place in sorted(set(places)):
        chosen = [i for i, each in enumerate(places) if each == place]
        axes.scatter(
            [points[i][0] for i in chosen],
            [points[i][1] for i in chosen],
            s=30,
            c=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            edgecolors="white",
            linewidths=0.7,
            label=literal(classes[place]) if classes else f"label {labels[chosen[0]]:g}",
        )
    if alike:
        axes.set_aspect("equal")
    head(axes, "Decision boundary")
    axes.set_xlabel(literal(columns[0]), color=QUIET)
    axes.set_ylabel(literal(columns[1]), color=QUIET)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=min(count, 3),
        frameon=False,
        borderpad=0,
        handlelength=1.2,
        handletextpad=0.2,
        columnspacing=1.0,
    )
    return written(figure, target)


def _grid(points: Sequence[Sequence[float]]) -> tuple[list[float], list[float], bool]:
    """Return evenly spaced abscissas and ordinates around the points, and if on one scale.

    Columns of like size are: where one is several times as long, their units surely differ.
    """
    ends = [(min(column), max(column)) for column in zip(*points, strict=True)]
    longer = max(high - low for low, high in ends) or 1.0
    spans = [high - low or longer for low, high in ends]
    alike = longer <= NEARLY_SQUARE * min(spans)
    if alike:
        spans = [longer, longer]
    axes = []
    for (low, high), span in zip(ends, spans, strict=True):
        step = 1.2 * span / CELLS
        first, last = low - 0.1 * span, high + 0.1 * span
        axes.append([first + step * i for i in range(math.ceil((last - first) / step) + 1)])
    return axes[0], axes[1], alike


def _draw_classes(
    axes: Axes, xs: list[float], ys: list[float], logits: list[list[list[float]]]
) -> None:
    """Colour the regions of the classes, and draw the lines between them."""
    for place in range(len(logits[0][0])):
        leads = [
            [each[place] - max(each[:place] + each[place + 1 :], default=0.0) for each in row]
            for row in logits
        ]
        if max(map(max, leads)) > 0:
            colour = _faded(PALETTE[place % len(PALETTE)], 0.25)
            axes.contourf(xs, ys, leads, [0.0, max(map(max, leads))], colors=[colour])
            _draw_contour(axes, xs, ys, leads, 0.0)


def _draw_contour(
    axes: Axes, xs: list[float], ys: list[float], heights: list[list[float]], level: float
) -> None:
    """Draw the line at this height, if it runs through the picture."""
    if min(map(min, heights)) < level < max(map(max, heights)):
        axes.contour(xs, ys, heights, [level], colors=INK, linewidths=1.6)


def _faded(code: str, strength: float) -> tuple[float, float, float]:
    """Return the colour, mixed with white."""
    r, g, b = (1 - strength * (1 - part) for part in rgb(code))
    return r, g, b


def _tints(n: int) -> list[tuple[float, float, float]]:
    """Return ``n`` colours from light blue over white to light orange."""
    sides = [2 * i / (n - 1) - 1 for i in range(n)]
    return [_faded(ORANGE if side > 0 else BLUE, 0.25 * abs(side)) for side in sides]
