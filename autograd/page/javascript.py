"""Rows of the table as JavaScript: one table spells the primitives, the rules do the rest.

>>> from autograd.operation import TABLE
>>> print(rows([(TABLE["tanh"], 1)]).text, end="")
export const ROWS = {
"tanh/1": {
 value: (x0) => { return Math.tanh(x0); },
 locals: (out, x0) => { return [1 - out * out]; } },
};
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from autograd.formula import number
from autograd.graph import topological_order
from autograd.lowering import lower
from autograd.operation import Op, Primitive, Symbol
from autograd.precedence import Template, call

SPELLING: dict[str, Template] = {
    "add": ("{0} + {1}", 1),
    "sub": ("{0} - {1}", 1),
    "mul": ("{0} * {1}", 2),
    "div": ("{0} / {1}", 2),
    "neg": ("-{0}", 3),
    "pow": ("power({0}, {1})", 0),
    "abs": ("Math.abs({0})", 0),
    "atan2": ("Math.atan2({0}, {1})", 0),
    "hypot": ("Math.hypot({0}, {1})", 0),
    "erf": ("erf({0})", 0),
    "erfc": ("erfc({0})", 0),
    "heaviside": ("heaviside({0})", 0),
    "sign": ("sign({0})", 0),
    "where": ("({0} > 0 ? {1} : {2})", 0),
    "maximum": ("maximum({0}, {1})", 0),
    "minimum": ("minimum({0}, {1})", 0),
    "mul_no_nan": ("mulNoNan({0}, {1})", 0),
} | {
    name: (f"Math.{name}({{0}})", 0)
    for name in (
        "exp expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh"
    ).split()
}
"""How each primitive is spelled, with its precedence."""

LACKED = {text.partition("(")[0] for text, _ in SPELLING.values()} & set(
    "power erf erfc heaviside sign maximum minimum mulNoNan".split()
)
"""What JavaScript lacks, or has with other special cases: functions of engine/primitives.js."""

EXACT: dict[str, str] = dict.fromkeys("add sub mul div sqrt".split(), "rounded by IEEE 754") | (
    dict.fromkeys(
        "neg abs heaviside where maximum minimum mul_no_nan".split(), "chosen, not rounded"
    )
)
"""The primitives that have the same bits in every language, and why."""


MOST_ARGUMENTS = 30_000
"""A function of JavaScript has at most 65,535 parameters; a longer row isn't live."""


class RowScript(NamedTuple):
    """Generated rows.

    Attributes:
        text: the module that exports them as ``ROWS``.
        live: the keys ``name/arity`` of the rows that are among them.
        exact: those whose local derivatives follow from the recorded values to the bit.
    """

    text: str
    live: frozenset[str]
    exact: frozenset[str]


def key(op: Op, arity: int) -> str:
    """Return under which key the page finds a row."""
    return f"{op.name}/{arity}"


def rows(ops: Iterable[tuple[Op, int]]) -> RowScript:
    """Return value, local derivatives and kinks of rows, each with its number of arguments.

    A row that leads to an opaque forward, or to a primitive that has no spelling, is left out, and
    so is one of very many arguments.
    """
    called: dict[str, str] = {}
    written: dict[str, str] = {}
    exact: set[str] = set()
    for op, arity in ops:
        if (name := key(op, arity)) in written or arity > MOST_ARGUMENTS:
            continue
        out, args = Symbol("out"), tuple(Symbol(f"x{i}") for i in range(arity))
        names = ", ".join(arg.name for arg in args)
        slots = op.locals(out, args)
        kinks = list(op.kinks(*args)) if op.kinks else []
        needed: dict[str, str] = {}
        if _define(op, arity, called, needed) and _define_all(slots + kinks, called, needed):
            called |= needed
            if _is_exact(slots):
                exact.add(name)
            columns = [
                f"value: ({names}) => {{ {_value(op, args)} }}",
                f"locals: (out, {names}) => {{ {_body(slots, whole=True)} }}",
                *([f"kinks: ({names}) => {{ {_body(kinks, whole=True)} }}"] if kinks else []),
            ]
            written[name] = f'"{name}": {{\n ' + ",\n ".join(columns) + " },"
    lines = [*called.values(), "export const ROWS = {", *written.values(), "};", ""]
    text = _imported(lines) + "\n".join(lines)
    return RowScript(text, frozenset(written), frozenset(exact))


def _imported(lines: list[str]) -> str:
    """Return the import of the primitives that lines call."""
    called = set(re.findall(r"(?<![\w.])[a-zA-Z]\w*(?=\()", "\n".join(lines)))
    names = sorted(called & LACKED)
    return f'import {{ {", ".join(names)} }} from "./engine/primitives.js";\n' if names else ""


def _is_exact(expressions: list[Any]) -> bool:
    """Return whether expressions lead to `EXACT` primitives only."""
    return all(
        part.op is None or part.op.name in EXACT
        for expression in expressions
        if isinstance(expression, Symbol)
        for part in topological_order(expression)
    )


def _define_all(expressions: list[Any], known: dict[str, str], needed: dict[str, str]) -> bool:
    """Add the formula rows that ``expressions`` call to ``needed``; False if one has no script."""
    for expression in expressions:
        for part in topological_order(expression) if isinstance(expression, Symbol) else []:
            if part.op is not None:
                if isinstance(part.op.forward, Primitive) or part.op.opaque:
                    if part.op.name not in SPELLING:
                        return False
                elif not _define_called(part.op, len(part.args), known, needed):
                    return False
    return True


def _define(op: Op, arity: int, known: dict[str, str], needed: dict[str, str]) -> bool:
    """As `_define_all`, for what the value of a row needs."""
    if op.opaque or isinstance(op.forward, Primitive):
        return op.name in SPELLING
    formula = op.forward(*(Symbol(f"x{i}") for i in range(arity)))
    return _define_all([formula], known, needed)


def _define_called(op: Op, arity: int, known: dict[str, str], needed: dict[str, str]) -> bool:
    """As `_define_all`, for one formula row, which becomes a function of its own."""
    name = f"{op.name}_{arity}"
    if name in known or name in needed:
        return True
    if not _define(op, arity, known, needed):
        return False
    args = tuple(Symbol(f"x{i}") for i in range(arity))
    names = ", ".join(arg.name for arg in args)
    needed[name] = f"const {name} = ({names}) => {{ {_value(op, args)} }};"
    return True


def _value(op: Op, args: tuple[Symbol, ...]) -> str:
    primitive = isinstance(op.forward, Primitive)
    return _body([Symbol._apply(op, args) if primitive else op.forward(*args)])  # type: ignore[operator]


def _body(expressions: list[Any], *, whole: bool = False) -> str:
    """Return the statements that return an expression, or the ``whole`` list."""
    lines, texts = lower(expressions, _template, literal)
    answer = f"[{', '.join(texts)}]" if whole else texts[0]
    return " ".join([*(f"const {line};" for line in lines), f"return {answer};"])


def _template(op: Op, arity: int) -> Template:
    if isinstance(op.forward, Primitive):
        return SPELLING[op.name]
    return call(f"{op.name}_{arity}", arity)


def literal(x: float) -> str:
    """Return a float as JavaScript writes it.

    >>> literal(2.0), literal(-0.1), literal(float("-inf"))
    ('2', '-0.1', '-Infinity')
    """
    if math.isfinite(x):
        return "-0" if x == 0 and math.copysign(1.0, x) < 0 else number(x)
    return "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"
