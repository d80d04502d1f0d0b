"""Formulas as float code: straight-line Python that computes what a formula over rows says.

What is generated follows IEEE 754, as the rows interpreted on `Number` do; a law of the tests
demands the same bits from both.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import inf, nan
from types import CodeType
from unicodedata import normalize

from autograd import ieee
from autograd.annotations import Any
from autograd.graph import topological_order
from autograd.operation import Op, Primitive, Symbol
from autograd.precedence import Template, call, spell

UNROLLED = 300
"""Rows of more arguments run their rules directly: longer code costs more than it saves."""

NESTED = 50
"""Deeper expressions get a name half-way: Python's parser takes no more than 200 parentheses."""

INLINE: dict[Callable[..., float], Template] = {
    operator.add: ("{0} + {1}", 1),
    operator.sub: ("{0} - {1}", 1),
    operator.mul: ("{0} * {1}", 2),
    operator.truediv: ("{0} / {1}", 2),
    operator.neg: ("-{0}", 3),
    ieee.where: ("({1} if {0} > 0.0 else {2})", 0),
}
"""The functions that Python has a notation for; the others are called."""


@lru_cache(maxsize=4096)
def value_function(op: Op, arity: int) -> Callable[..., float]:
    """Return the forward of ``op`` as a function of floats that follows IEEE 754."""
    if isinstance(op.forward, Primitive):
        return op.forward.ieee
    if op.opaque or arity > UNROLLED:
        return op.ieee
    args = symbols(arity)
    return straight_line(args, op.forward(*args))


def symbols(arity: int) -> tuple[Symbol, ...]:
    """Return the names of so many arguments."""
    return tuple(Symbol(f"x{i}") for i in range(arity))


def straight_line(parameters: Sequence[Symbol], result: Any) -> Callable[..., Any]:
    """Return the function of ``parameters`` that computes one expression, or a list as a tuple."""
    expressions = result if isinstance(result, list) else [result]
    lines, texts = lower(expressions)
    signature = ", ".join(parameter.name for parameter in parameters)
    answer = f"({', '.join(texts)},)" if isinstance(result, list) else texts[0]
    return function_of(signature, [*lines, f"return {answer}"], expressions)


def _template(op: Op, arity: int) -> Template:
    forward = op.forward
    if isinstance(forward, Primitive) and not forward.raises and forward.function in INLINE:
        return INLINE[forward.function]
    return call(_global_name(op, arity), arity)


def _global_name(op: Op, arity: int) -> str:
    return normalize("NFKC", f"op{arity}_{op.name}")  # as Python reads it


def _constant(x: float) -> str:
    return repr(float(x))  # a rule's number may be NumPy's


def lower(
    expressions: list[Any],
    template: Callable[[Op, int], Template] = _template,
    constant: Callable[[float], str] = _constant,
) -> tuple[list[str], list[str]]:
    """Return assignments for what is used more than once, and the text of each expression.

    Equal subexpressions are computed once; nothing is re-associated. The notation is Python's,
    or that of ``template`` and ``constant``, which are as for `precedence.spell`.
    """
    numbered: dict[Any, Symbol] = {}
    same: dict[Symbol, Symbol] = {}
    uses: dict[Symbol, int] = {}
    for part in topological_order(*_symbols_of(expressions)):
        args = tuple(same[arg] if isinstance(arg, Symbol) else arg for arg in part.args)
        key = (
            part.op,
            part.name,
            tuple(arg if isinstance(arg, Symbol) else repr(arg) for arg in args),
        )
        if key not in numbered:
            numbered[key] = Symbol(part.name, part.op, args)
            for arg in args:
                if isinstance(arg, Symbol):
                    uses[arg] = uses.get(arg, 0) + 1
        same[part] = numbered[key]
    results = [same[e] if isinstance(e, Symbol) else e for e in expressions]
    for result in _symbols_of(results):
        uses[result] = uses.get(result, 0) + 1
    names: dict[Symbol, str] = {}
    depth: dict[Symbol, int] = {}
    lines = []
    for part in numbered.values():
        if part.op is None:
            continue
        depth[part] = 1 + max(depth.get(arg, 0) for arg in part.args if isinstance(arg, Symbol))
        if uses[part] > 1 or depth[part] > NESTED:
            name = f"t{len(names)}"
            lines.append(f"{name} = {spell(part, template, constant, names)}")
            names[part] = name
            depth[part] = 0
    return lines, [spell(result, template, constant, names) for result in results]


def _symbols_of(expressions: list[Any]) -> list[Symbol]:
    return [expression for expression in expressions if isinstance(expression, Symbol)]


def function_of(
    signature: str, lines: list[str], expressions: list[Any], given: Mapping[str, Any] = {}
) -> Callable[..., Any]:
    """Return the function with these lines; its globals are the rows it calls and ``given``."""
    names = {"__name__": __name__, "inf": inf, "nan": nan, **given}
    for part in topological_order(*_symbols_of(expressions)):
        if part.op is not None:
            arity = len(part.args)
            names[_global_name(part.op, arity)] = value_function(part.op, arity)
    body = "\n    ".join(lines)
    scope: dict[str, Any] = {}
    exec(_code(f"def kernel({signature}):\n    {body}\n"), names, scope)
    return scope["kernel"]  # type: ignore[no-any-return]


@lru_cache(maxsize=4096)
def _code(source: str) -> CodeType:
    return compile(source, "<kernel>", "exec")
