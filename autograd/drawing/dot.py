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
# survives in grey, and ink keeps a contrast of 4.5 on the darkest (WCAG AA).
NEGATIVE = ("#fdf1e4", "#fbd9b3", "#f5b36b", "#e58a2c")
POSITIVE = ("#edf4fb", "#c9dff3", "#97c3e8", "#5a9bd5")

STEPS = (1 / 64, 1 / 8, 1 / 2)
"""Where the next stronger colour begins, as a share of the largest gradient."""

SYMMETRIC = {"add", "mul", "maximum", "minimum", "hypot"}
"""Ops whose arguments may change places, so that a drawing need not tell them apart."""

NO_BACKWARD = "no backward yet: gradients appear after .backward()"

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 forbids or discourages (section 2.2)."""

# Helvetica is known by name to every renderer; a list of fonts is not.
_FONT = {"fontname": "Helvetica", "fontcolor": INK, "fontsize": "11"}
# Without nslimit, the layout's time explodes with long edges (17 s for a polynomial of degree 60,
# 0.4 s with it); the pictures of networks come out the same.
GRAPH = {"bgcolor": "white", "nodesep": "0.2", "ranksep": "0.3", "nslimit": "2"} | _FONT
NODE = {"shape": "plain"} | _FONT
EDGE = {"arrowsize": "0.6", "color": GREY}
_SMALL_SHAPE = 'margin="0.05,0.02" width=0.3 height=0.3'


def statements(order: list[Value]) -> Iterator[str]:
    """Yield the statements of the graph whose nodes stand in ``order``, its root last.

    Cost: linear in nodes and edges.
    """
    position = {node: i for i, node in enumerate(order)}
    names = _names(order)
    differentiated = order[-1].grad != 0
    largest = max((abs(node.grad) for node in order if math.isfinite(node.grad)), default=0.0)
    yield f"label=<{_legend(largest) if differentiated else _small(NO_BACKWARD)}>"
    for i, node in enumerate(order):
        fill = shade(node.grad, largest) if differentiated else ""
        table, tip = _table(node, i, names[i], fill), _tip(node, names[i], fill)
        yield f"n{i} [label=<{table}> tooltip={_quoted(tip)}]"
        if node.op is None:
            continue
        args = [names[position[a]] if isinstance(a, Value) else constant(a) for a in node.args]
        definition = shorten(f"{names[i]} = {node.op.spell(*args)}", 500)
        yield (
            f"n{i}op [label=<{_markup(caption(node.op, node.args, args))}> shape=ellipse"
            f' style=filled color="{PALE}" {_SMALL_SHAPE} tooltip={_quoted(definition)}]'
        )
        yield f"n{i}op -> n{i} [weight=4]"
        for slot, arg in enumerate(node.args):
            if isinstance(arg, Value):
                yield f"n{position[arg]} -> n{i}op"
            elif node.op.arity is None:
                yield f'n{i}c{slot} [label="{args[slot]}" shape=box color="{PALE}" {_SMALL_SHAPE}]'
                yield f"n{i}c{slot} -> n{i}op"


def caption(op: Op, args: tuple[Value | float, ...], names: list[str]) -> str:
    """Return what the oval of an op says: its symbol, and what the edges can't.

    That is the plain numbers among the arguments, and the arguments' ``names`` where several
    nodes meet that may not change places: ``*``, ``** 2``, ``2 -``, ``x - y``.
    """
    nodes = sum(isinstance(arg, Value) for arg in args)
    if op.arity in (None, 1) or (nodes > 1 and op.name in SYMMETRIC):
        return str(op)
    hole = "" if op.binds else "·"
    spelled = [
        name if isinstance(arg, float) else hole if nodes == 1 else _atom(shorten(name, 12))
        for arg, name in zip(args, names, strict=True)
    ]
    return op.spell(*spelled).strip()


def _atom(name: str) -> str:
    """Return a name such that no reader takes its words, ``a + b``, for part of the formula."""
    return f"({name})" if " " in name else name


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


def constant(x: float) -> str:
    """Return a plain number, to six digits.

    >>> constant(2.0), constant(-0.0), constant(1 / 3)
    ('2', '0', '0.333333')
    """
    return number(float(show(x)))


def _names(order: list[Value]) -> list[str]:
    """Return what each node is called: its label if that is unique, else ``n<position>``."""
    counts = Counter(node.label for node in order)
    return [
        (counts[node.label] == 1 and shorten(node.label)) or f"n{i}" for i, node in enumerate(order)
    ]


def _table(node: Value, i: int, name: str, fill: str) -> str:
    """Return the box of a value: label, module path, data, grad."""
    label = shorten(node.label)
    title = [f"<B>{_markup(label)}</B>"] if label else []
    if name == f"n{i}":
        title.append(_small(name))
    rows = [f'<TR><TD COLSPAN="2">{" ".join(title)}</TD></TR>']
    if path := _path(node):
        rows.append(f'<TR><TD COLSPAN="2">{_small(_markup(shorten(path)), size=8)}</TD></TR>')
    rows.append(_row("data", node.data))
    if fill:
        rows.append(_row("grad", node.grad, fill))
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="{GREY}"'
        f' BGCOLOR="white">{"".join(rows)}</TABLE>'
    )


def _row(what: str, x: float, fill: str = "") -> str:
    ink = "white" if fill == INK else INK if fill else GREY
    # A border in the colour of the fill hides the seam between the cells.
    cell = f' BORDER="1" COLOR="{fill}" BGCOLOR="{fill}"' if fill else ""
    written = show(x + 0.0)  # -0.0 is printed as 0.0
    if fill == INK:
        written = f'<FONT COLOR="white">{written}</FONT>'
    return (
        f'<TR><TD ALIGN="LEFT"{cell}>{_small(what, ink)}</TD>'
        f'<TD ALIGN="RIGHT"{cell}>{written}</TD></TR>'
    )


def _tip(node: Value, name: str, fill: str) -> str:
    """Return the tooltip of a value: everything in full."""
    lines = [node.label or name, _path(node), f"data {node.data!r}"]
    if fill:
        lines.append(f"grad {node.grad!r}")
    return "\n".join(filter(None, lines))


def _path(node: Value) -> str:
    return node.origin[0] if node.origin else ""


def _legend(largest: float) -> str:
    colours = (*reversed(NEGATIVE), "", *POSITIVE)
    cells = "".join(
        f'<TD WIDTH="14" BGCOLOR="{colour}"></TD>' if colour else f"<TD>{_small('0')}</TD>"
        for colour in colours
    )
    return (
        '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"><TR><TD></TD></TR>'
        f"<TR><TD>{_small(f'grad {show(-largest + 0.0)}')}</TD>{cells}"
        f"<TD>{_small(show(largest))}</TD></TR></TABLE>"
    )


def _small(markup: str, ink: str = GREY, size: int = 9) -> str:
    return f'<FONT COLOR="{ink}" POINT-SIZE="{size}">{markup}</FONT>'


def _clean(text: str) -> str:
    return html.escape(UNPRINTABLE.sub("\ufffd", text), quote=False)


def _markup(text: str) -> str:
    r"""Return ``text`` for an HTML-like label, where ``\N`` would be the name of the node."""
    return _clean(text).replace("\\", r"\\")


def _quoted(text: str) -> str:
    r"""Return ``text`` as a quoted tooltip; Graphviz takes backslashes off twice there.

    >>> print(_quoted('say "a\\b" & <c>'))
    "say \"a\\\\b\" &amp; &lt;c&gt;"
    """
    return '"' + _clean(text).replace("\\", r"\\\\").replace('"', r"\"") + '"'
