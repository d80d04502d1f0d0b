"""Pictures of training: matplotlib figures, made without pyplot and its global state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from os import PathLike
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from nn.history import History
from nn.layers import Layer
from nn.module import Module
from nn.plots.paper import (
    BLUE,
    INK,
    ORANGE,
    PALETTE,
    blank,
    chart,
    checked_target,
    literal,
    rgb,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MANY_EPOCHS = 8
"""From how many epochs on single steps are noise, beside the medians of the epochs."""

LABEL_HEIGHT = 0.07
"""The height of a line of text, as a share of the axes."""


def loss_curve(history: History, path: str | PathLike[str] | None = None) -> Figure:
    """Return the picture of the loss over the epochs, above the accuracy if there is one.

    The validation's are drawn beside the training's.

    Args:
        history: as `nn.fit` returns it.
        path: where to write it, as .svg, .png or .pdf.

    Raises:
        ValueError: the history has no epoch.
    """
    target = checked_target(path)
    if not history.loss:
        raise ValueError("the history has no whole epoch to draw")
    validation = [history.validation_loss] if history.validation_loss else []
    curves: list[tuple[Any, ...]] = [("Loss", "{:.3g}", history.loss, *validation)]
    if history.accuracy:
        shares = [history.accuracy] + [history.validation_accuracy] * bool(validation)
        percents = [[100 * share for share in each] for each in shares]
        curves.append(("Accuracy", "{:.4g} %", *percents))
    figure = blank(6.4, 2.6 * len(curves))
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
        chart(axes, name, "Epoch" if axes is panels[-1] else "")
    if min(map(min, curves[0][2:])) >= 0:
        panels[0].set_ylim(bottom=0)
    if history.accuracy:
        panels[1].set_ylim(top=100)
        panels[1].yaxis.set_major_formatter("{x:g} %")
    return written(figure, target)


def gradient_flow(history: History, path: str | PathLike[str] | None = None) -> Figure:
    """Return the picture of the gradients' norm in each layer over the steps.

    Layers near the input are blue, near the output orange: vanishing gradients show as a fan,
    exploding ones as a climb. In a long training, each epoch's median stands before its steps.

    Args:
        history: as `nn.fit` returns it.
        path: where to write it, as .svg, .png or .pdf.

    Raises:
        ValueError: the history has no step.
    """
    target = checked_target(path)
    if not history.steps:
        raise ValueError("the history has no step to draw")
    figure = blank(6.4, 3.4)
    axes = figure.add_subplot()
    last = max(len(history.layers) - 1, 1)
    named = {0, len(history.layers) - 1} if len(history.layers) > 8 else range(last + 1)
    starts = [i for i, step in enumerate(history.steps) if step.batch == 0]
    epochs = list(pairwise([*starts, len(history.steps)]))
    for i, (layer, norms) in enumerate(
        zip(history.layers, zip(*(s.gradients for s in history.steps), strict=True), strict=True)
    ):
        # A logarithmic axis has no place for 0: the line breaks off there.
        heights = [norm or math.nan for norm in norms]
        style: dict[str, Any] = {"color": _mixed(i / last), "linewidth": 1.6}
        label = literal(layer or "model") if i in named else None
        if len(epochs) < MANY_EPOCHS:
            marker = "." if len(norms) == 1 else None
            axes.plot(range(1, len(norms) + 1), heights, label=label, marker=marker, **style)
        else:
            axes.plot(range(1, len(norms) + 1), heights, **style | {"linewidth": 0.5, "alpha": 0.3})
            middles = [median(norms[start:stop]) or math.nan for start, stop in epochs]
            places = [(start + stop + 1) / 2 for start, stop in epochs]
            axes.plot(places, middles, label=label, zorder=3, **style)
    if any(norm for step in history.steps for norm in step.gradients):
        axes.set_yscale("log")
    chart(axes, "Gradient norm by layer", "Step")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    return written(figure, target)


def gradient_by_depth(
    norms: Mapping[str, Sequence[float]], path: str | PathLike[str] | None = None
) -> Figure:
    """Return the picture of what is left of the gradient in each layer, for several networks.

    It runs as backpropagation does, from the output's layer on the left back to the inputs':
    vanishing gradients show as a fall, exploding ones as a climb.

    Args:
        norms: by what the network is called, the norms of its layers' gradients, inputs first,
            such as ``nn.hygiene.norms(nn.history.layers_of(model).values())`` after a backward
            pass, or ``history.steps[0].gradients``.
        path: where to write it, as .svg, .png or .pdf.

    Raises:
        ValueError: there is no network, one without layers, or a norm that is none.
    """
    target = checked_target(path)
    if not norms or not all(norms.values()):
        raise ValueError("gradient_by_depth needs at least one network, with at least one layer")
    for name, heights in norms.items():
        for i, norm in enumerate(heights):
            if not norm >= 0:
                raise ValueError(f"the gradient norm of {name} in layer {i + 1} is {norm}")
    # Zeros and infinities have no place on a logarithmic axis: the line breaks off there.
    drawn = {
        name: [norm if 0 < norm < math.inf else math.nan for norm in heights]
        for name, heights in norms.items()
    }
    figure = blank(7.2, 4.2)
    axes = figure.add_subplot()
    deepest = max(map(len, drawn.values()))
    for heights, colour in zip(drawn.values(), cycle(PALETTE), strict=False):
        axes.plot(range(1, len(heights) + 1), heights, color=colour, linewidth=2.0, marker=".")
    if any(norm > 0 for heights in drawn.values() for norm in heights):
        axes.set_yscale("log")
    axes.set_xlim(deepest + 0.02 * deepest, 1 - 0.02 * deepest)
    chart(axes, "Gradient norm on the way back", "Layer, from the output back to the input")
    _label_ends(axes, {name: heights[0] for name, heights in drawn.items()})
    return written(figure, target)


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
    target = checked_target(path)
    layers = [m for m in model.named_modules().values() if isinstance(m, Layer)]
    if not layers:
        raise ValueError(f"weight_images needs a model with a Layer: got {model!r:.60}")
    neurons = layers[0].neurons
    inputs = len(neurons[0].w)
    root = math.isqrt(inputs)
    width = width or (root if root * root == inputs else inputs)
    if inputs % width:
        raise ValueError(f"{inputs} inputs are no image of width {width}")
    square = math.ceil(math.sqrt(len(neurons)))
    # Up to twice as wide as high, if that leaves no gap in the last row.
    whole = (n for n in range(square, math.isqrt(2 * len(neurons)) + 1) if len(neurons) % n == 0)
    columns = next(whole, square)
    rows = math.ceil(len(neurons) / columns)
    # One picture for all, a pixel without a value between two: axes for each take a second.
    height = inputs // width
    canvas = [[math.nan] * (columns * (width + 1) - 1) for _ in range(rows * (height + 1) - 1)]
    for i, neuron in enumerate(neurons):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        for j, w in enumerate(neuron.w):
            canvas[top + j // width][left + j % width] = w.data
    largest = max(abs(w.data) for neuron in neurons for w in neuron.w) or 1.0
    figure = blank(0.9 * columns + 0.8, 0.9 * rows + 0.5)
    axes = figure.add_subplot()
    axes.set_axis_off()
    image = axes.imshow(canvas, cmap="PuOr_r", vmin=-largest, vmax=largest, interpolation="nearest")
    figure.colorbar(image, ax=axes, fraction=0.05, aspect=30)
    figure.suptitle(
        "Weights of the first layer", x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK
    )
    return written(figure, target)


def _label_ends(axes: Axes, ends: Mapping[str, float]) -> None:
    """Write names beside the axes, each as near to where its line ends as the others allow.

    Args:
        ends: by name, the height at which the line ends; NaN if it broke off below.
    """
    to_share = axes.transScale + axes.transLimits
    ranked = sorted(
        (float(to_share.transform((1.0, end))[1]) if math.isfinite(end) else 0.0, i, name)
        for i, (name, end) in enumerate(ends.items())
    )
    # Neighbours that would overlap stand together about their middle (isotonic regression).
    groups: list[list[float]] = []
    for k, (share, _, _) in enumerate(ranked):
        groups.append([share - k * LABEL_HEIGHT])
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    middles = [fmean(group) for group in groups for _ in group]
    places = [middle + k * LABEL_HEIGHT for k, middle in enumerate(middles)]
    for place, (share, i, name) in zip(places, ranked, strict=True):
        axes.plot(
            [1.0, 1.02, 1.05, 1.06],
            [share, share, place, place],
            color=PALETTE[i % len(PALETTE)],
            linewidth=1.2,
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.text(
            1.075,
            place,
            literal(name),
            transform=axes.transAxes,
            va="center",
            color=INK,
            fontsize=10,
        )


def _mixed(share: float) -> tuple[float, float, float]:
    """Return the colour that far on the way from blue to orange."""
    r, g, b = (x + share * (y - x) for x, y in zip(rgb(BLUE), rgb(ORANGE), strict=True))
    return r, g, b
