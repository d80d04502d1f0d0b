"""Pictures of a graph: each value a box with label, data and grad, each op an oval.

>>> from autograd import Value
>>> x = Value(3.0, label="x")
>>> y = x * x
>>> y.backward()
>>> print(draw_dot(y).source.count("n0 -> n1op"))
2

The same as text, which needs no library:

>>> print(text_of(picture_of(y, local=True)), end="")
n1 = x * x  data 9.0  grad 1.0
  [3.0] x   data 3.0  grad 6.0
  [3.0] x   data 3.0  grad 6.0
<BLANKLINE>
grad: at most 6.0 in size
on each edge: the local derivative d node / d argument

In a notebook a drawing shows itself; `write` makes a file of it.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypedDict, Unpack

from autograd.debugging import first_stale
from autograd.drawing import dot, mermaid, outline
from autograd.drawing.levels import IN_A_ROW, LEVELS, Folding, fitting, fold
from autograd.drawing.neighbourhood import between, nearest
from autograd.drawing.picture import Picture
from autograd.drawing.reading import Change, Moment, Now, Reading
from autograd.drawing.structure import Structure
from autograd.drawing.view import View
from autograd.engine import Value
from autograd.errors import StaleValueWarning, quoted
from autograd.files import write_whole
from autograd.graph import topological_order
from autograd.modes import source_line
from autograd.operation import Op
from autograd.stepping.events import Recording

if TYPE_CHECKING:
    from autograd.drawing.renderer import Drawing


class Options(TypedDict, total=False):
    """What may be asked of a picture besides its direction; see `picture_of`."""

    level: str
    local: bool
    expand: bool
    budget: int | None
    focus: Value | None
    radius: int
    paths: tuple[Value, Value] | None


class FileOptions(Options, total=False):
    """What may be asked of a file."""

    rankdir: str


class HasRecording(Protocol):
    """What holds a recording, as a Stepper does."""

    recording: Recording


class Cursor(HasRecording, Protocol):
    """What stands somewhere in a recording, as a Stepper does."""

    position: int


RANKDIRS = ("LR", "TB", "RL", "BT")
FORMATS = ("svg", "png", "pdf", "dot", "mmd", "txt")

MOST_BOXES = 200
"""Boxes beyond which a picture folds by itself: more fit on no screen."""


def draw_dot(
    out: Value,
    format: str = "svg",
    rankdir: str = "LR",
    **options: Unpack[Options],
) -> Drawing:
    """Return the drawing of the graph below ``out``, a `graphviz.Digraph`.

    Before any ``backward()`` it says so instead of showing gradients.

    Args:
        out: the root.
        format: what its ``render`` and ``pipe`` make by default.
        rankdir, options: as for `picture_of`: level, local, expand, budget, focus, radius, paths.

    Raises:
        MissingExtraError: a library is not installed; when rendering, also: no renderer is.
        ValueError, TypeError: as `picture_of`; no such format; when rendering, also: without a
            budget, the graph is too large.
        CycleError: the graph was tampered with.

    Cost: linear in nodes and edges, until it is rendered.
    """
    from autograd.drawing.renderer import drawing_of

    return drawing_of(picture_of(out, rankdir, **options), format)


def picture_of(
    out: Value,
    rankdir: str = "LR",
    *,
    level: str = "op",
    local: bool = False,
    expand: bool = False,
    budget: int | None = MOST_BOXES,
    focus: Value | None = None,
    radius: int = 2,
    paths: tuple[Value, Value] | None = None,
) -> Picture:
    """Return what a drawing of the graph below ``out`` shows, as data; `text_of` prints it.

    Args:
        out: the root.
        rankdir: the way it runs: "LR" (left to right), "TB" (top to bottom), "RL", "BT".
        level: "op" for every node; "neuron" for a box per innermost module of the model,
            "layer" for what holds those, "network" for one box. What repeats, over samples or
            steps, is one box "× 20". A box tells what flows through it: of the values that leave
            it and of their gradients the L2 norm, the least, the largest, and how they are
            spread; and the norm of its parameters' gradients.
        local: write the local derivative on each edge.
        expand: show a weighted sum (`dot`) term by term.
        budget: the number of boxes beyond which the picture folds what is alike, then shows
            coarser modules, and at last leaves out what is far from ``out``. None: no bound.
        focus: show only what is at most ``radius`` edges away from this node.
        paths: show only the paths from the first of these nodes to the second.

    Raises:
        ValueError: no such direction or level; a node is not part of the graph; no path.
        TypeError: ``out`` is no Value.
        CycleError: the graph was tampered with.

    Warns:
        StaleValueWarning: a ``.data`` was changed after other nodes had been computed from it.
    """
    if not isinstance(out, Value):
        raise TypeError(f"expected the Value to draw, got {type(out).__name__}")
    _check(rankdir, level, budget)
    if focus is not None and paths is not None:
        raise ValueError("choose what to show by focus or by paths, not by both")
    if type(radius) is not int or radius < 0:
        raise ValueError(f"radius is a number of edges from 0 on, got {quoted(radius)}")
    nodes = topological_order(out)
    if stale := first_stale(nodes):
        message = f"{stale}: the picture shows what is stored; compute it again to see it follow"
        warnings.warn_explicit(message, StaleValueWarning, *source_line())
    view = _view(
        nodes,
        Now(nodes),
        level,
        budget,
        focus=focus,
        radius=radius,
        paths=paths,
        local=local,
        expand=expand,
    )
    return view.picture(rankdir, budget)


def diff(
    before: Recording | HasRecording,
    after: Recording | HasRecording,
    format: str = "svg",
    rankdir: str = "LR",
    *,
    level: str = "op",
    budget: int | None = MOST_BOXES,
) -> Drawing:
    """Return the drawing of what changed between two runs, as between two training steps.

    Each number reads ``before → after``; the colour is its change.

    Args:
        before, after: recordings, or steppers, of graphs of the same shape: the same ops on
            the same arguments. Plain numbers may differ.
        format, rankdir, level, budget: as for `draw_dot`.

    Raises:
        ValueError: the graphs differ in shape; the message names the first difference.
    """
    from autograd.drawing.renderer import drawing_of

    first, second = _recording(before), _recording(after)
    _check(rankdir, level, budget)
    if difference := _difference(first, second):
        raise ValueError(f"the two runs are not of the same shape: {difference}")
    view = _view(list(second.nodes), Change(first, second), level, budget)
    return drawing_of(view.picture(rankdir, budget), format)


def draw_moment(
    at: Cursor,
    format: str = "svg",
    rankdir: str = "LR",
    *,
    level: str = "op",
    budget: int | None = MOST_BOXES,
) -> Drawing:
    """Return the drawing of a graph as it is known where a stepper stands.

    A gradient is unknown ("?"), partial (outlined) or complete (filled); the current edge is
    drawn thick. A graph beyond the budget is shown around the current node.

    Args:
        at: a stepper; all that counts is its recording and its position.
        format, rankdir, level, budget: as for `draw_dot`.
    """
    from autograd.drawing.renderer import drawing_of

    _check(rankdir, level, budget)
    recording = _recording(at)
    nodes, moment = list(recording.nodes), Moment(recording, at.position)
    far = budget is not None and level == "op" and len(nodes) > budget
    focus = moment.event.node if far and moment.event else None
    view = _view(nodes, moment, level, budget, focus=focus, radius=IN_A_ROW)
    return drawing_of(view.picture(rankdir, budget), format)


PRINTERS = {"dot": dot.source, "mmd": mermaid.source, "txt": outline.source}
"""What prints a picture as text, by the extension of the file that is to hold it."""


def text_of(picture: Picture, format: str = "txt") -> str:
    """Return a picture as text.

    Args:
        format: "txt", an outline for the terminal; "dot", what Graphviz reads; or "mmd", a
            Mermaid flowchart, which Markdown files can hold.

    Raises:
        ValueError: no such format.

    Cost: linear in items and links.
    """
    if format not in PRINTERS:
        known = ", ".join(map(repr, PRINTERS))
        raise ValueError(f"the text of a picture is one of {known}, not {format!r:.40}")
    return PRINTERS[format](picture)


def write(
    out: Value | Drawing | Picture, path: str | os.PathLike[str], **options: Unpack[FileOptions]
) -> Path:
    """Write a picture to a file and return its path.

    The extension decides: .svg, .png, .pdf (with the system's Graphviz only), .dot, .mmd
    (Mermaid), or .txt. The file appears whole or not at all.

    Args:
        out: a drawing, or a Value to draw.
        options: how to draw a Value, as for `draw_dot`: rankdir, level, budget, ...

    Raises:
        ValueError: another extension, or the graph is too large for a picture; else as
            `picture_of`.
        TypeError: options for what is drawn already.
        MissingExtraError: something to draw with is not installed.
        OSError: the file can't be written.
    """
    path = Path(path)
    format = path.suffix[1:].lower()
    if format not in FORMATS:
        known = " ".join(f".{known}" for known in FORMATS)
        where = str(path)[-200:]  # the end of it, which is at fault
        raise ValueError(f"can't draw to {where!r}: its extension must be one of {known}")
    found = getattr(out, "picture", out)
    if not isinstance(found, Picture):
        found = picture_of(found, **options)
    elif options:
        raise TypeError(f"this is drawn already: draw it with {', '.join(options)} before")
    write_whole(path, _content(found, format))
    return path


def _content(found: Picture, format: str) -> bytes:
    if format in PRINTERS:
        return text_of(found, format).encode()
    from autograd.drawing.renderer import drawing_of

    return drawing_of(found).file(format)


def _check(rankdir: str, level: str, budget: int | None) -> None:
    if rankdir not in RANKDIRS:
        raise ValueError(f"rankdir is one of {', '.join(RANKDIRS)}, got {quoted(rankdir)}")
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(LEVELS)}, got {quoted(level)}")
    if budget is not None and (type(budget) is not int or budget < 1):
        raise ValueError(f"budget is a number of boxes from 1 on, or None, got {quoted(budget)}")


def _view(
    nodes: list[Value],
    reading: Reading,
    level: str,
    budget: int | None,
    *,
    focus: Value | None = None,
    radius: int = 0,
    paths: tuple[Value, Value] | None = None,
    local: bool = False,
    expand: bool = False,
) -> View:
    """Return the view that is asked for, folded and cut to the budget."""
    structure = Structure(nodes)
    chosen: set[int] | None = None
    if focus is not None:
        folding = fold(structure, level)
        start = folding.box[_position(structure, focus)]
        chosen = nearest(structure, folding.box, start, radius, budget)
    elif paths is not None:
        on_the_way = between(structure, *(_position(structure, node) for node in paths))
        if not on_the_way:
            names = " to ".join(repr(node) for node in paths)
            raise ValueError(f"there is no path from {names}: name the argument first")
        folding = fold(structure, level)
        chosen = {folding.box[i] for i in on_the_way}
    else:
        folding = fitting(structure, level, budget)
    chosen = _cut(structure, folding, chosen, budget)
    return View(structure, folding, chosen, reading, local=local, expand=expand)


def _cut(
    structure: Structure, folding: Folding, chosen: set[int] | None, budget: int | None
) -> set[int] | None:
    """Return the boxes to show: those chosen, if too many only the nearest to the last."""
    count = max(folding.box) + 1 if chosen is None else len(chosen)
    if budget is None or count <= budget:
        return chosen
    last = len(structure.nodes) - 1
    if chosen is not None:
        last = max(i for i, box in enumerate(folding.box) if box in chosen)
    start = folding.box[last]
    return nearest(structure, folding.box, start, IN_A_ROW, budget, up=False, among=chosen)


def _position(structure: Structure, node: Value) -> int:
    if node not in structure.position:
        raise ValueError(f"{quoted(node)} is not part of the graph that is drawn")
    return structure.position[node]


def _recording(run: Recording | HasRecording) -> Recording:
    found = getattr(run, "recording", run)
    if not isinstance(found, Recording):
        raise TypeError(f"expected a recording (Stepper(out) makes one), got {quoted(found)}")
    return found


def _difference(before: Recording, after: Recording) -> str:
    """Return how two runs differ in shape; "" if they don't."""
    for old, new in zip(before.nodes, after.nodes, strict=False):
        if _shape(before, old) != _shape(after, new):
            return f"{before.definition(old)} before, {after.definition(new)} after"
    if len(before.nodes) != len(after.nodes):
        return f"{len(before.nodes):,} nodes before, {len(after.nodes):,} after"
    return ""


def _shape(run: Recording, node: Value) -> tuple[Op | None, list[int | None]]:
    return node.op, [run.position[a] if isinstance(a, Value) else None for a in node.args]
