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

from autograd import Value, missing_extra, sigmoid
from nn.history import History
from nn.layers import Layer
from nn.module import Module

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

    The validation's are drawn beside the training's.

    Args:
        history: as `nn.fit` returns it.
        path: where to write it, as .svg, .png or .pdf.

    Raises:
        ValueError: the history has no epoch.
    """
    target = _target(path)
    if not history.loss:
        raise ValueError("the history has no whole epoch to draw")
    validation = [history.validation_loss] if history.validation_loss else []
    curves: list[tuple[Any, ...]] = [("Loss", "{:.3g}", history.loss, *validation)]
    if history.accuracy:
        shares = [history.accuracy] + [history.validation_accuracy] * bool(validation)
        percents = [[100 * share for share in each] for each in shares]
        curves.append(("Accuracy", "{:.4g} %", *percents))
    figure = _figure(6.4, 2.6 * len(curves))
    panels = figure.subplots(len(curves), sharex=True, squeeze=False)[:, 0]
    for axes, (name, form, *lines) in zip(panels, curves, strict=True):
        for heights, colour, what in zip(lines, (BLUE, ORANGE), ("", " validation"), strict=False):
            epochs = len(heights)
            axes.plot(range(1, epochs + 1), heights, color=colour, linewidth=1.8, clip_on=False)
            axes.plot(epochs, heights[-1], "o", color=colour, markersize=5, clip_on=False)
            axes.annotate(
                form.format(heights[-1]) + what,
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


def gradient_flow(history: History, path: str | PathLike[str] | None = None) -> Figure:
    """Return the picture of the gradients' norm in each layer over the steps.

    Layers near the input are blue, near the output orange: vanishing gradients show as a fan,
    exploding ones as a climb.

    Args:
        history: as `nn.fit` returns it.
        path: where to write it, as .svg, .png or .pdf.

    Raises:
        ValueError: the history has no step.
    """
    target = _target(path)
    if not history.steps:
        raise ValueError("the history has no step to draw")
    figure = _figure(6.4, 3.4)
    axes = figure.add_subplot()
    last = max(len(history.layers) - 1, 1)
    named = {0, len(history.layers) - 1} if len(history.layers) > 8 else range(last + 1)
    for i, (layer, norms) in enumerate(
        zip(history.layers, zip(*(s.gradients for s in history.steps), strict=True), strict=True)
    ):
        axes.plot(
            range(1, len(norms) + 1),
            # A logarithmic axis has no place for 0: the line breaks off there.
            [norm or math.nan for norm in norms],
            color=_mixed(i / last),
            linewidth=1.4,
            label=(layer or "model") if i in named else None,
            marker="." if len(norms) == 1 else None,
        )
    if any(norm for step in history.steps for norm in step.gradients):
        axes.set_yscale("log")
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("Step", color=QUIET)
    _title(axes, "Gradient norm by layer")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    return _written(figure, target)


def weight_images(
    model: Module, path: str | PathLike[str] | None = None, width: int | None = None
) -> Figure:
    """Return the picture of the first layer's weights: one image for each neuron.

    Args:
        model: holds a `Layer`.
        path: where to write it, as .svg, .png or .pdf.
        width: of the images; by default the inputs' square root where it is whole, as for the
            8 × 8 pixels of `nn.data.digits`, else one row.

    Raises:
        ValueError: there is no layer, or its inputs are no images of that width.
    """
    target = _target(path)
    layers = [m for m in model.named_modules().values() if isinstance(m, Layer)]
    if not layers:
        raise ValueError(f"weight_images needs a model with a Layer: got {model!r:.60}")
    neurons = layers[0].neurons
    inputs = len(neurons[0].w)
    root = math.isqrt(inputs)
    width = width or (root if root * root == inputs else inputs)
    if inputs % width:
        raise ValueError(f"{inputs} inputs are no image of width {width}")
    columns = math.ceil(math.sqrt(len(neurons)))
    rows = math.ceil(len(neurons) / columns)
    figure = _figure(0.9 * columns + 0.8, 0.9 * rows + 0.5)
    panels = figure.subplots(rows, columns, squeeze=False)
    largest = max(abs(w.data) for neuron in neurons for w in neuron.w) or 1.0
    for i, axes in enumerate(panels.flat):
        axes.set_axis_off()
        if i < len(neurons):
            weights = [w.data for w in neurons[i].w]
            image = axes.imshow(
                [weights[j : j + width] for j in range(0, inputs, width)],
                cmap="PuOr_r",
                vmin=-largest,
                vmax=largest,
                interpolation="nearest",
            )
    figure.colorbar(image, ax=panels, fraction=0.05, aspect=30)
    figure.suptitle("Weights of the first layer", fontsize=12, fontweight="bold", color=INK)
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
        missing_extra("matplotlib", "plot", error)
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


def _mixed(share: float) -> tuple[float, float, float]:
    """Return the colour that far on the way from blue to orange."""
    blue, orange = ([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in (BLUE, ORANGE))
    r, g, b = (x + share * (y - x) for x, y in zip(blue, orange, strict=True))
    return r, g, b


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
