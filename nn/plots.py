"""Pictures of training: matplotlib figures, made without pyplot and its global state.

The colours differ in hue for every kind of colour vision, and the first two in lightness when
printed grey; the shapes of the points tell the classes apart as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from os import PathLike
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from autograd import Value, missing_extra, no_grad, sigmoid
from nn.history import History
from nn.layers import Layer
from nn.module import Module

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

CELLS = 72
"""Cells of the decision map along its longer side: a second of work, and no visible steps."""

ALIKE = 4
"""By how much one side of the decision map may be longer for both to have the same scale."""

MANY_EPOCHS = 8
"""From how many epochs on single steps are noise, beside the medians of the epochs."""

LINE = 0.07
"""The height of a line of text, as a share of the axes."""


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
    target = _target(path)
    if not len(points) or len(points) != len(labels) or any(len(point) != 2 for point in points):
        raise ValueError("decision_boundary needs points of two numbers, and a label for each")
    xs, ys, alike = _grid(points)
    with no_grad():
        answers = [[_plain(model([x, y])) for x in xs] for y in ys]
    several = isinstance(answers[0][0], list)
    count = len(answers[0][0]) if several else 2
    places = [int(label) if several else int(label > 0) for label in labels]
    if not set(places) <= set(range(count)):
        raise ValueError(f"the model has {count} outputs, so labels go from 0 to {count - 1}")
    figure = _figure(6.0, min(0.9 + 5.2 * len(ys) / len(xs), 8.0))
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
            label=_literal(classes[place]) if classes else f"label {labels[chosen[0]]:g}",
        )
    if alike:
        axes.set_aspect("equal")
    _title(axes, "Decision boundary")
    axes.set_xlabel(_literal(columns[0]), color=QUIET)
    axes.set_ylabel(_literal(columns[1]), color=QUIET)
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
        _chart(axes, name, "Epoch" if axes is panels[-1] else "")
    if min(map(min, curves[0][2:])) >= 0:
        panels[0].set_ylim(bottom=0)
    if history.accuracy:
        panels[1].set_ylim(top=100)
        panels[1].yaxis.set_major_formatter("{x:g} %")
    return _written(figure, target)


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
    target = _target(path)
    if not history.steps:
        raise ValueError("the history has no step to draw")
    figure = _figure(6.4, 3.4)
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
        label = _literal(layer or "model") if i in named else None
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
    _chart(axes, "Gradient norm by layer", "Step")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
    return _written(figure, target)


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
    target = _target(path)
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
    figure = _figure(7.2, 4.2)
    axes = figure.add_subplot()
    deepest = max(map(len, drawn.values()))
    for heights, colour in zip(drawn.values(), cycle(PALETTE), strict=False):
        axes.plot(range(1, len(heights) + 1), heights, color=colour, linewidth=2.0, marker=".")
    if any(norm > 0 for heights in drawn.values() for norm in heights):
        axes.set_yscale("log")
    axes.set_xlim(deepest + 0.02 * deepest, 1 - 0.02 * deepest)
    _chart(axes, "Gradient norm on the way back", "Layer, from the output back to the input")
    _label_ends(axes, {name: heights[0] for name, heights in drawn.items()})
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
    square = math.ceil(math.sqrt(len(neurons)))
    # Up to twice as wide as high, if that leaves no gap in the last row.
    whole = (n for n in range(square, math.isqrt(2 * len(neurons)) + 1) if len(neurons) % n == 0)
    columns = next(whole, square)
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
    figure.suptitle(
        "Weights of the first layer", x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK
    )
    return _written(figure, target)


def _target(path: str | PathLike[str] | None) -> Path | None:
    """Return the path, once its extension is known to be a format."""
    if path is not None and Path(path).suffix.lower() not in FORMATS:
        raise ValueError(f"a picture is {', '.join(FORMATS)} by its extension: got {str(path)!r}")
    return path if path is None else Path(path)


def _figure(width: float, height: float) -> Figure:
    try:
        from nn.figure import Figure
    except ImportError as error:
        missing_extra("matplotlib", "plot", error)
    return Figure(figsize=(width, height), layout="constrained")


def _literal(text: str) -> str:
    """Return a name such that matplotlib takes no formula for it."""
    return text.replace("$", r"\$")


def _title(axes: Axes, text: str) -> None:
    """Give the axes their title, at the left, and a quiet frame."""
    axes.set_title(text, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(QUIET)
    axes.tick_params(colors=QUIET, labelsize=9)


def _chart(axes: Axes, title: str, below: str) -> None:
    """Dress the axes for heights over a count, such as of epochs or layers."""
    _title(axes, title)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel(below, color=QUIET)


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
        groups.append([share - k * LINE])
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    middles = [fmean(group) for group in groups for _ in group]
    places = [middle + k * LINE for k, middle in enumerate(middles)]
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
            _literal(name),
            transform=axes.transAxes,
            va="center",
            color=INK,
            fontsize=10,
        )


def _written(figure: Figure, path: Path | None) -> Figure:
    """Return the figure, written to ``path`` if there is one: the same bytes every time."""
    if path is not None:
        from matplotlib import rc_context

        suffix = path.suffix.lower()
        with rc_context({"svg.hashsalt": "chainrule"}):
            figure.savefig(path, format=suffix[1:], dpi=160, metadata=FORMATS[suffix])
    return figure


def _grid(points: Sequence[Sequence[float]]) -> tuple[list[float], list[float], bool]:
    """Return evenly spaced abscissas and ordinates around the points, and if on one scale.

    Columns of like size are: where one is several times as long, their units surely differ.
    """
    ends = [(min(column), max(column)) for column in zip(*points, strict=True)]
    longer = max(high - low for low, high in ends) or 1.0
    spans = [high - low or longer for low, high in ends]
    alike = longer <= ALIKE * min(spans)
    if alike:
        spans = [longer, longer]
    axes = []
    for (low, high), span in zip(ends, spans, strict=True):
        step = 1.2 * span / CELLS
        first, last = low - 0.1 * span, high + 0.1 * span
        axes.append([first + step * i for i in range(math.ceil((last - first) / step) + 1)])
    return axes[0], axes[1], alike


def _plain(answer: Any) -> Any:
    """Return a model's answer as a number, or a list of them."""
    if isinstance(answer, list):
        return [_plain(x) for x in answer]
    return answer.data if isinstance(answer, Value) else answer


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


def _rgb(code: str) -> list[float]:
    return [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _mixed(share: float) -> tuple[float, float, float]:
    """Return the colour that far on the way from blue to orange."""
    r, g, b = (x + share * (y - x) for x, y in zip(_rgb(BLUE), _rgb(ORANGE), strict=True))
    return r, g, b


def _faded(code: str, strength: float) -> tuple[float, float, float]:
    """Return the colour, mixed with white."""
    r, g, b = (1 - strength * (1 - part) for part in _rgb(code))
    return r, g, b


def _tints(n: int) -> list[tuple[float, float, float]]:
    """Return ``n`` colours from light blue over white to light orange."""
    sides = [2 * i / (n - 1) - 1 for i in range(n)]
    return [_faded(ORANGE if side > 0 else BLUE, 0.25 * abs(side)) for side in sides]
