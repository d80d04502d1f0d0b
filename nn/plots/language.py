"""What a `nn.GPT` has learnt, drawn: where its heads look, and which tokens are alike."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING

from nn.gpt import GPT
from nn.metrics import mean_of
from nn.plots.paper import BLUE, INK, QUIET, blank, chart, checked_target, head, literal, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def attention_maps(
    model: GPT,
    tokens: Sequence[int],
    path: str | PathLike[str] | None = None,
    names: Sequence[str] | None = None,
) -> Figure:
    """Return a square for each head: by position in a row, how much it takes of each before it.

    Args:
        tokens: the document, at most the model's ``block_size``.
        path: where to write it too: .png, .svg or .pdf.
        names: of the positions, such as their letters; by default the tokens.
    """
    target = checked_target(path)
    blocks = model.attention(tokens)
    labels = [literal(str(name)) for name in names or tokens]
    heads = len(blocks[0])
    figure = blank(2.4 * heads + 0.7, 2.6 * len(blocks) + 0.3)
    panels = figure.subplots(len(blocks), heads, squeeze=False)
    for b, weights in enumerate(blocks):
        for h, rows in enumerate(weights):
            axes = panels[b][h]
            full = [[*row, *[float("nan")] * (len(rows) - len(row))] for row in rows]
            image = axes.imshow(full, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
            axes.set_xticks(range(len(labels)), labels)
            axes.set_yticks(range(len(labels)), labels)
            axes.tick_params(colors=QUIET, labelsize=8, length=0)
            axes.spines[:].set_visible(False)
            where = f"Head {h + 1}" if len(blocks) == 1 else f"Block {b + 1}, head {h + 1}"
            axes.set_title(where, loc="left", fontsize=10, color=INK)
    panels[0][0].set_ylabel("at", color=QUIET)
    panels[-1][0].set_xlabel("looks at", color=QUIET)
    figure.colorbar(image, ax=panels, fraction=0.03, aspect=30)
    return written(figure, target)


def embedding_map(
    model: GPT, names: Sequence[str], path: str | PathLike[str] | None = None
) -> Figure:
    """Return the tokens' rows as points, seen from where they are spread most.

    These are the first two principal components: tokens that the model treats alike lie close
    together.

    Args:
        names: of the tokens, one for each.
        path: as for `attention_maps`.
    """
    target = checked_target(path)
    figure = blank(5.6, 5.0)
    import numpy

    rows = numpy.array([[w.data for w in row] for row in model.token.weight])
    if len(names) != len(rows):
        raise ValueError(f"there are {len(rows)} tokens, but {len(names)} names")
    centred = rows - rows.mean(axis=0)
    _, scales, directions = numpy.linalg.svd(centred, full_matrices=False)
    # A direction has two ends: the sign is chosen, so that the picture is the same everywhere.
    signs = numpy.sign(directions[numpy.arange(len(scales)), abs(directions).argmax(axis=1)])
    points = centred @ (directions * signs[:, None])[:2].T
    shares = scales**2 / (scales**2).sum()
    axes = figure.subplots()
    axes.scatter(points[:, 0], points[:, 1], s=260, color=BLUE, alpha=0.14, linewidths=0)
    for (x, y), name in zip(points, names, strict=True):
        axes.text(x, y, literal(name), ha="center", va="center", color=INK, fontsize=11)
    head(axes, "Tokens by what the model takes them for")
    axes.set_xlabel(f"first component, {shares[0]:.0%} of the spread", color=QUIET)
    axes.set_ylabel(f"second, {shares[1]:.0%}", color=QUIET)
    axes.margins(0.08)
    return written(figure, target)


def loss_by_step(losses: Sequence[float], path: str | PathLike[str] | None = None) -> Figure:
    """Return each step's loss as a point, and the mean of those around it as a line.

    Args:
        path: as for `attention_maps`.
    """
    target = checked_target(path)
    figure = blank(6.4, 4.0)
    axes = figure.subplots()
    steps = range(1, len(losses) + 1)
    axes.scatter(steps, losses, s=4, color=BLUE, alpha=0.25, linewidths=0)
    around = max(1, len(losses) // 40)
    means = [mean_of(losses[max(0, i - around) : i + around + 1]) for i in range(len(losses))]
    axes.plot(steps, means, color=BLUE, linewidth=1.8)
    chart(axes, "Loss by step", "step")
    return written(figure, target)
