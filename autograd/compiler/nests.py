"""Loops over arrays as C: what each computes by a row of the table, and what it passes back.

For what is too long to be written out, or whose length is known only when it runs. As everywhere,
the derivatives are the rows' own rules.

>>> from autograd import ops
>>> terms = Element("w[i]", "g[i]"), Element("x[i]")
>>> total = Nest((), Element("s->y", "d->y"), ops.dot, terms, over=Range("i", "0", "n"))
>>> print(*forward([total], "double"), *backward([total], "double"), sep="\\n")
    {
        double y = w[0] * x[0];
        for (int i = 1; i < n; i++)
            y = w[i] * x[i] + y;
        s->y = y;
    }
    {
        const double a = d->y;
        for (int i = 0; i < n; i++)
            g[i] += a * x[i];
    }
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograd.compiler.headers import REALS, written
from autograd.compiler.rows import INFIX
from autograd.lowering import lower
from autograd.operation import Op, Primitive, Symbol, plain
from autograd.precedence import Template


class Range(NamedTuple):
    """An index that runs from ``start`` to before ``end``; both are C."""

    name: str
    start: str
    end: str


class Element(NamedTuple):
    """A number in C, by the indices of the loops around it, and where its adjoint is.

    Attributes:
        adjoint: "" where nothing is to be passed back.
    """

    text: str
    adjoint: str = ""


class Nest(NamedTuple):
    """``out = op(args)`` for all indices of the loops.

    Attributes:
        over: of a row of any number of arguments, the loop along them; ``args`` are one term.
    """

    loops: tuple[Range, ...]
    out: Element
    op: Op
    args: tuple[Element | float, ...]
    over: Range | None = None


def forward(nests: Sequence[Nest], real: str, kind: str = "") -> Iterator[str]:
    """Yield the lines that compute the nests one after the other, with the bits of the engine.

    Args:
        real: "double" or "float".
        kind: how that type is called in the code.
    """
    for nest in nests:
        args = _symbols(nest)
        if not nest.over:
            lines, (text,) = _lowered([_value(nest.op, args)], real, kind)
            yield from _within(nest.loops, [*lines, f"{nest.out.text} = {text};"])
            continue
        over, y = nest.over, Symbol("y")
        # The running result is the bias of a weighted sum; of others, the first argument.
        more = (*args, y) if nest.op.weighted else (y, *args)
        first, text = (_alone(_value(nest.op, some), real) for some in (args, more))
        first = re.sub(rf"\b{over.name}\b", over.start, first)
        start = str(int(over.start) + 1) if over.start.isdigit() else f"{over.start} + 1"
        along = over._replace(start=start)
        yield from _within(
            nest.loops,
            [
                f"{kind or real} y = {first};",
                *_within((along,), [f"y = {text};"], ""),
                f"{nest.out.text} = y;",
            ],
        )


def backward(nests: Sequence[Nest], real: str, kind: str = "") -> Iterator[str]:
    """Yield the lines that add to each adjoint what the nests pass back, the last nest first."""
    for nest in reversed(nests):
        slots = [i for i, arg in enumerate(nest.args) if isinstance(arg, Element) and arg.adjoint]
        if not nest.out.adjoint or not slots:
            continue
        slopes = nest.op.locals(Symbol(nest.out.text), _symbols(nest), slots)
        lines, texts = _lowered(
            [_passed(Symbol("a"), plain(slope)) for slope in slopes], real, kind
        )
        for slot, text in zip(slots, texts, strict=True):
            place = nest.args[slot]
            assert isinstance(place, Element)
            lines.append(f"{place.adjoint} += {text};")
        if nest.over:
            lines = list(_within((nest.over,), lines, ""))
        yield from _within(nest.loops, [f"const {kind or real} a = {nest.out.adjoint};", *lines])


def _passed(adjoint: Symbol, slope: Any) -> Any:
    """Return an adjoint times a local derivative, of a sum the adjoint itself."""
    return adjoint if isinstance(slope, float) and slope == 1.0 else adjoint * slope


def _within(loops: Sequence[Range], lines: Sequence[str], indent: str = "    ") -> Iterator[str]:
    """Yield lines inside of loops, in a block of their own if they are several."""
    for name, start, end in loops:
        yield f"{indent}for (int {name} = {start}; {name} < {end}; {name}++)"
        indent += "    "
    if len(lines) == 1:
        yield indent + lines[0]
        return
    indent = indent[4:] if loops else indent
    yield f"{indent}{{"
    yield from (f"{indent}    {line}" for line in lines)
    yield f"{indent}}}"


def _symbols(nest: Nest) -> tuple[Any, ...]:
    return tuple(Symbol(arg.text) if isinstance(arg, Element) else arg for arg in nest.args)


def _value(op: Op, args: tuple[Any, ...]) -> Any:
    return Symbol._apply(op, args) if isinstance(op.forward, Primitive) else op.forward(*args)


def _alone(expression: Any, real: str) -> str:
    """Return the text of an expression of one step."""
    lines, (text,) = _lowered([expression], real, real)
    assert not lines, text
    return text


def _lowered(expressions: list[Any], real: str, kind: str) -> tuple[list[str], list[str]]:
    spelled = REALS[real].spelled

    def template(op: Op, arity: int) -> Template:
        text = spelled[op.name]
        return INFIX.get(op.name) or (text if text.endswith(")") else f"({text})", 0)

    lines, texts = lower(expressions, template, lambda x: written(x, real))
    return [f"const {kind or real} {line};" for line in lines], texts
