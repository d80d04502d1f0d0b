"""How a run is written: numbers, tables, the names of its nodes, the formulas of its rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain, repeat, zip_longest
from typing import Any

from autograd.engine import Value
from autograd.formula import rule_symbols, text
from autograd.operation import Number, Op, Symbol


def show(x: float | None) -> str:
    """Return a number for reading: as Python writes it if that is short, else 6 digits.

    >>> show(0.5), show(-3.0), show(0.1 + 0.2)
    ('0.5', '-3.0', '0.3')
    """
    written = repr(x)
    return written if len(written) <= 9 else repr(float(f"{x:.6g}"))


def counted(count: int, noun: str) -> str:
    """Return how many there are, as people say it.

    >>> counted(1, "event"), counted(1200, "event")
    ('1 event', '1,200 events')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


WAYS = {"<": str.ljust, ">": str.rjust}


def padded(
    rows: Sequence[Sequence[str]], sides: str = "<>", least: Sequence[int] = ()
) -> list[list[str]]:
    """Return rows whose cells are as wide as the widest of their column.

    Args:
        sides: where the cells of each column stand, to the left or the right; the last one is
            that of all further columns.
        least: widths that the first columns have at least.

    >>> padded([["a", "1", "x"], ["bc", "10", "y"]], "<>")
    [['a ', ' 1', 'x'], ['bc', '10', 'y']]
    """
    widest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths = [max(pair) for pair in zip_longest(widest, least, fillvalue=0)]
    ways = chain((WAYS[side] for side in sides), repeat(WAYS[sides[-1]]))
    columns = list(zip(ways, widths, strict=False))
    return [
        [way(cell, width) for (way, width), cell in zip(columns, row, strict=True)] for row in rows
    ]


def aligned(
    rows: Sequence[Sequence[str]], gap: str = "  ", sides: str = "<>", least: Sequence[int] = ()
) -> list[str]:
    """Return rows as lines, their columns as `padded` has them.

    >>> aligned([["", "loss"], ["1", "0.25"], ["10", "0.125"]])
    ['     loss', '1    0.25', '10  0.125']
    """
    return [gap.join(cells).rstrip() for cells in padded(rows, sides, least)]


def names_of(nodes: Sequence[Value]) -> list[str]:
    """Return what each node is called: its label on one line, or ``n<position>`` if that is taken.

    >>> names_of([Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "b"), Value(4.0, "n0"), Value(5.0)])
    ['a', 'n1', 'n2', 'n3', 'n4']
    """
    names = [f"n{i}" for i in range(len(nodes))]
    labels = {
        i: " ".join(str(node.label).split()) for i, node in enumerate(nodes) if node.label != ""
    }
    counts, positions = Counter(labels.values()), set(names)
    for i, label in labels.items():
        if label and counts[label] == 1 and label not in positions:
            names[i] = label
    return names


def named_args(node: Value, name: Callable[[Value], str]) -> tuple[Any, ...]:
    """Return the arguments of a node for a formula: its plain numbers, and a symbol per node."""
    return tuple(Number(arg) if isinstance(arg, float) else Symbol(name(arg)) for arg in node.args)


def formulas_of(node: Value) -> list[str]:
    """Return a computed node's op in x, y, z and, per argument, its local derivative, as text."""
    assert node.op is not None
    constants = tuple(arg if isinstance(arg, float) else None for arg in node.args)
    return _formulas(node.op, constants)


@lru_cache(maxsize=4096)
def _formulas(op: Op, constants: tuple[float | None, ...]) -> list[str]:
    return formulas(op, *rule_symbols(op, tuple("" if c is None else c for c in constants)))


def formulas(op: Op, out: Symbol, args: tuple[Any, ...]) -> list[str]:
    """Return the op applied to its arguments and, per argument, its local derivative, as text."""
    return [text(Symbol._apply(op, args)), *map(text, op.locals(out, args))]
