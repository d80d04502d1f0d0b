"""A graph as DOT text: a table per value, an oval per op, an edge per argument.

The text follows from the graph alone, to the byte: nodes are numbered by their position in
topological order, numbers are rounded by Python, and all quoting is done here. A label may
hold anything; it is escaped for the place where it stands, shortened in the box and whole in
the tooltip.
"""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Iterator

from autograd.engine import Value
from autograd.events import show
from autograd.formula import number
from autograd.operation import Op

INK, GREY, PALE = "#1f2328", "#59636e", "#eaeef2"

# From weak to strong. Orange and blue differ for every kind of colour vision, the strength
# survives in grey, and ink on the darkest keeps a contrast of 4.5 (WCAG AA).
NEGATIVE = ("#fdf1e4", "#fbd9b3", "#f5b36b", "#e58a2c")
POSITIVE = ("#edf4fb", "#c9dff3", "#97c3e8", "#5a9bd5")

STEPS = (1 / 64, 1 / 8, 1 / 2)
"""Where the next stronger colour begins, as a share of the largest gradient."""

SYMMETRIC = {"add", "mul", "maximum", "minimum", "hypot"}
"""Ops whose arguments may change places, so that a drawing need not tell them apart."""

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 forbids or discourages (section 2.2)."""

FONT = {"fontname": "Helvetica", "fontcolor": INK, "fontsize": "11"}
GRAPH = {"bgcolor": "white", "nodesep": "0.2", "ranksep": "0.3"} | FONT
NODE = {"shape": "plain"} | FONT
EDGE = {"arrowsize": "0.6", "color": GREY}


def statements(order: list[Value]) -> Iterator[str]:
    """Yield the statements of the graph whose nodes stand in ``order``, its root last.

    Cost: linear in nodes and edges.
    """
    position = {node: i for i, node in enumerate(order)}
    names = _names(order)
    differentiated = order[-1].grad != 0
    largest = max((abs(node.grad) for node in order if math.isfinite(node.grad)), default=0.0)
    note = _legend(largest) if differentiated else _grey("no backward yet: no gradients", 9)
    yield f"label=<{note}>"
    for i, node in enumerate(order):
        fill = shade(node.grad, largest) if differentiated else ""
        yield f"n{i} [label=<{_table(node, names[i], f'n{i}', fill)}> tooltip={_tip(node, i, fill)}]"
        if node.op is None:
            continue
        operands = [
            names[position[arg]] if isinstance(arg, Value) else _constant(arg) for arg in node.args
        ]
        yield (
            f"n{i}op [label=<{_markup(caption(node.op, node.args, operands))}>"
            f' shape=ellipse style=filled color="{PALE}" margin="0.05,0.02" width=0.3 height=0.3'
            f" tooltip={_quoted(f'{names[i]} = {node.op.spell(*operands)}')}]"
        )
        yield f"n{i}op -> n{i} [weight=4]"
        for slot, arg in enumerate(node.args):
            if isinstance(arg, Value):
                yield f"n{position[arg]} -> n{i}op"
            elif node.op.arity is None:
                yield f'n{i}c{slot} [label=<{operands[slot]}> margin="0.05,0.02"]'
                yield f"n{i}c{slot} -> n{i}op"


def caption(op: Op, args: tuple[Value | float, ...], operands: list[str]) -> str:
    """Return what the oval of an op says.

    The symbol, with the plain numbers among the arguments, if it has any; and with the names
    of all where several may not change places: ``*``, ``** 2``, ``2 -``, ``x - y``.
    """
    nodes = sum(isinstance(arg, Value) for arg in args)
    if op.arity in (None, 1) or (nodes > 1 and op.name in SYMMETRIC):
        return str(op)
    if nodes == 1:
        hole = "" if op.binds else "·"
        operands = [
            hole if isinstance(arg, Value) else operand
            for arg, operand in zip(args, operands, strict=True)
        ]
    return op.spell(*operands).strip()


def shade(grad: float, largest: float) -> str:
    """Return the colour of a gradient: sign by hue, share of ``largest`` by strength.

    >>> shade(1.0, 1.0) == POSITIVE[-1], shade(-1e-9, 1.0) == NEGATIVE[0], shade(0.0, 1.0)
    (True, True, 'white')
    """
    if grad != grad:
        return INK
    if grad == 0:
        return "white"
    level = sum(abs(grad) >= step * largest for step in STEPS)
    return (POSITIVE if grad > 0 else NEGATIVE)[level]


def shorten(text: str, longest: int = 24) -> str:
    """Return ``text`` on one line, the middle left out beyond ``longest`` characters.

    >>> shorten("layers.0.neurons.3.weights.11"), shorten(" two\\nlines ")
    ('layers.0.neu….weights.11', 'two lines')
    """
    text = " ".join(text.split())
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[half + 1 - longest :]}"


def _names(order: list[Value]) -> list[str]:
    """Return how each node is called elsewhere in the drawing: its label if that is unique."""
    labels = [shorten(node.label, 16) for node in order]
    counts = Counter(labels)
    return [
        label if label and counts[label] == 1 else f"n{i}" for i, label in enumerate(labels)
    ]
