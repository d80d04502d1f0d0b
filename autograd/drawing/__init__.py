"""Pictures of a graph: each value a box with label, data and grad, each op an oval.

>>> from autograd import Value
>>> x = Value(3.0, label="x")
>>> y = x * x
>>> y.backward()
>>> print(draw_dot(y).source.count("n0 -> n1op"))
2

In a notebook the drawing shows itself; `write` makes a file of it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from autograd.drawing import dot
from autograd.engine import Value
from autograd.graph import node_args, topological_order

if TYPE_CHECKING:
    import graphviz

FORMATS = ("svg", "png", "pdf", "dot")
RANKDIRS = ("LR", "TB", "RL", "BT")

# Up to here a picture takes a few seconds; the layout's time grows faster than the graph.
MOST_NODES = 2_000
MOST_LEVELS = 15_000


def draw_dot(out: Value, format: str = "svg", rankdir: str = "LR") -> graphviz.Digraph:
    """Return the drawing of the graph below ``out``, a `graphviz.Digraph`.

    Before any ``backward()`` it says so instead of showing gradients. Graphs of more than
    2,000 nodes, or with very many long edges, have a ``.source`` but refuse to be rendered.

    Args:
        format: what its ``render`` and ``pipe`` make by default.
        rankdir: the way the graph runs: "LR" (left to right), "TB" (top to bottom), "RL", "BT".

    Raises:
        MissingExtraError: a library is not installed; when rendering, also: no renderer is.
        ValueError: no such format or direction; when rendering, also: the graph is too large.
        CycleError: the graph was tampered with.

    Cost: linear in nodes and edges, until it is rendered.
    """
    from autograd.drawing.renderer import Drawing

    if not isinstance(out, Value):
        raise TypeError(f"expected the Value to draw, got {type(out).__name__}")
    if rankdir not in RANKDIRS:
        raise ValueError(f"rankdir is one of {', '.join(RANKDIRS)}, got {rankdir!r}")
    order = topological_order(out)
    drawing = Drawing(
        format=format,
        graph_attr=dot.GRAPH | {"rankdir": rankdir},
        node_attr=dot.NODE,
        edge_attr=dot.EDGE,
        body=[f"\t{statement}\n" for statement in dot.statements(order)],
    )
    drawing.refusal = _refusal(order)
    return drawing


def write(out: Value, path: str | os.PathLike[str]) -> Path:
    """Write the picture of the graph below ``out`` and return its path.

    The extension decides: .svg, .png, .pdf (with the system's Graphviz only), or .dot for the
    text. The file appears whole or not at all.

    Raises:
        ValueError: another extension, or the graph is too large for a picture.
        MissingExtraError: something to draw with is not installed.
        OSError: the file can't be written.
    """
    path = Path(path)
    format = path.suffix[1:].lower()
    if format not in FORMATS:
        known = " ".join(f".{known}" for known in FORMATS)
        raise ValueError(f"can't draw to {str(path)!r}: its extension must be one of {known}")
    drawing = draw_dot(out, format)
    content = drawing.source.encode() if format == "dot" else drawing.pipe()
    beside = path.with_name(f".{secrets.token_hex(8)}.{format}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        beside.unlink(missing_ok=True)
    return path


def _refusal(order: list[Value]) -> str:
    """Return why a graph is too large for a picture, "" if it isn't.

    What costs time is less the nodes than the levels that their edges cross: the layout puts
    a point on each. The levels are counted as it does, from the root.
    """
    level = {order[-1]: 0}
    for node in reversed(order):
        for arg in node_args(node):
            level[arg] = max(level.get(arg, 0), level[node] + 1)
    crossed = sum(level[arg] - level[node] for node in order for arg in node_args(node))
    if len(order) <= MOST_NODES and crossed <= MOST_LEVELS:
        return ""
    return (
        f"this graph is too large for a picture: {len(order):,} nodes (at most {MOST_NODES:,}), "
        f"whose edges cross {crossed:,} levels (at most {MOST_LEVELS:,}). Draw an inner node, "
        "which shows the part below it, or keep the text: autograd.drawing.write(out, 'graph.dot')"
    )
