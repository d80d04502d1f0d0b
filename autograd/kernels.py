"""Rows specialised to float code: straight-line Python, generated from the rules.

Each rule is traced once on symbols and printed as a function of floats. The text below is
what the engine runs; running the rule itself on `Number` is the readable reference, and a
law of the tests demands the same bits from both.

A *form* is an op together with which of its arguments are nodes and which plain numbers:
``x * y``, ``x * 2`` and ``2 * x`` are three forms of one row, so that no code asks at run
time what an argument is.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import cache
from itertools import compress
from math import inf, nan
from types import CodeType
from typing import Any
from unicodedata import normalize

from autograd import ieee
from autograd.errors import DomainError
from autograd.formula import Template, call, spell
from autograd.graph import node_args, topological_order
from autograd.operation import Number, Op, Primitive, Symbol, plain
from autograd.place import place_of

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


class Form:
    """An op, with which of its arguments are nodes.

    Attributes:
        pull: ``(node, g)`` adds ``g * d node / d arg`` to the grad of each argument that is
            a node, in order.
        locals: ``(out, *args)`` gives the local derivatives, 0.0 for plain numbers.

    Both are compiled when first called.
    """

    __slots__ = ("locals", "op", "pattern", "pull")

    def __init__(self, op: Op, pattern: tuple[bool, ...]) -> None:
        self.op = op
        self.pattern = pattern
        self.pull: Callable[[Any, float], None] = self._compile_pull
        self.locals: Callable[..., tuple[float, ...]] = self._compile_locals

    def _compile_pull(self, node: Any, g: float) -> None:
        self.pull = _pull_function(self.op, self.pattern)
        self.pull(node, g)

    def _compile_locals(self, out: float, *args: float) -> tuple[float, ...]:
        self.locals = _locals_function(self.op, self.pattern)
        return self.locals(out, *args)


@cache
def form(op: Op, pattern: tuple[bool, ...]) -> Form:
    """Return the one form of ``op`` with this pattern."""
    return Form(op, pattern)


def form_of(op: Op, args: tuple[Any, ...]) -> Form:
    """Return the form in which ``op`` is applied to ``args``, nodes and plain floats."""
    return form(op, tuple(arg.__class__ is not float for arg in args))


@cache
def value_function(op: Op, arity: int) -> Callable[..., float]:
    """Return the forward of ``op`` as a function of floats that follows IEEE 754."""
    if isinstance(op.forward, Primitive):
        return op.forward.ieee
    if op.opaque:
        return op.ieee
    if arity > UNROLLED:
        return _interpreted_value(op) if op.is_built_in else op.ieee
    args = _symbols(arity)
    return _straight_line(args, op.forward(*args))


def floats_of(args: tuple[Any, ...]) -> list[float]:
    """Return the numbers of a node's arguments."""
    return [arg if arg.__class__ is float else arg.data for arg in args]


def product(node: Any, slot: int, upstream: float, local: float) -> float:
    """Return the contribution ``upstream * local`` of one edge.

    An infinite or NaN local derivative at finite arguments contributes 0 where its upstream
    is exactly 0, as a branch that `where` did not take; else it is an error.

    Raises:
        DomainError: names the edge.
    """
    if -inf < local < inf or not node.op.singular:
        return upstream * local
    if upstream == 0:
        return 0.0
    floats = floats_of(node.args)
    if all(map(math.isfinite, floats)):
        raise DomainError(
            f"the derivative of {node.op.spell(*floats)} with respect to its argument "
            f"{node.op.parameters[slot] if node.op.arity else slot} is {local}{describe(node)}"
        )
    return upstream * local


def describe(node: Any) -> str:
    """Return where a message should point: the node's label and, under `debug`, its line."""
    labels = dict.fromkeys(n.label for n in (node, *node_args(node)))
    named = ", ".join(repr(label) for label in labels if label)
    place = place_of(node.origin)
    return (f" (node {named})" if named else "") + (f" at {place}" if place else "")


def _locals_function(op: Op, pattern: tuple[bool, ...]) -> Callable[..., tuple[float, ...]]:
    arity = len(pattern)
    if arity > UNROLLED:
        return _interpreted_locals(op, pattern)
    out, args = Symbol("out"), _symbols(arity)
    rules = op.locals(out, args)
    results = [part if is_node else 0.0 for part, is_node in zip(rules, pattern, strict=True)]
    return _straight_line((out, *args), results)


def _interpreted_locals(op: Op, pattern: tuple[bool, ...]) -> Callable[..., tuple[float, ...]]:
    def locals_(out: float, *args: float) -> tuple[float, ...]:
        try:
            rules = op.locals(*((out, args) if op.is_built_in else numbers(out, args)))
        except (ArithmeticError, ValueError):
            rules = op.locals(*numbers(out, args))
        return tuple(
            plain(local) if is_node else 0.0 for local, is_node in zip(rules, pattern, strict=True)
        )

    def numbers(out: float, args: tuple[float, ...]) -> tuple[Number, tuple[Number, ...]]:
        return Number(out), tuple(map(Number, args))

    return locals_


def _pull_function(op: Op, pattern: tuple[bool, ...]) -> Callable[[Any, float], None]:
    arity = len(pattern)
    if arity > UNROLLED:
        return _interpreted_pull(op, pattern)
    out, args = Symbol("out"), _symbols(arity)
    holders = ["node._a", "node._b"][:arity]
    lines = []
    if arity > 2:
        holders = [f"n{i}" for i in range(arity)]
        lines.append(f"{', '.join(holders)}, = node._a")
    if op.pullback and not op.singular:
        results = op.pullback(Symbol("g"), out, args)
    else:
        results = op.locals(out, args)
    results = [part for part, is_node in zip(results, pattern, strict=True) if is_node]
    body, texts = lower(results)
    used = _used(results)
    if "out" in used:
        lines.append("out = node.data")
    for holder, arg, is_node in zip(holders, args, pattern, strict=True):
        if arg.name in used:
            lines.append(f"{arg.name} = {holder}{'.data' if is_node else ''}")
    lines += body
    remaining = iter(texts)
    for i, (holder, is_node) in enumerate(zip(holders, pattern, strict=True)):
        if not is_node:
            continue
        result = next(remaining)
        if op.singular:
            contribution = f"product(node, {i}, g, {result})"
        elif op.pullback:
            contribution = result
        else:
            contribution = {"1.0": "g", "-1.0": "-g"}.get(result, f"g * ({result})")
        if "." in holder:
            lines.append(f"arg = {holder}")
            holder = "arg"
        lines.append(f"{holder}.grad += {contribution}")
    return function_of("node, g", lines or ["pass"], results)


def _interpreted_value(op: Op) -> Callable[..., float]:
    """Return a forward that runs on floats, several times faster than on `Number`.

    Not for a user's row: where IEEE 754 has NaN, Python's ``(-1.0) ** 0.5`` is a complex number.
    """

    def value(*args: float) -> float:
        try:
            return float(op.forward(*args))  # type: ignore[operator]
        except (ArithmeticError, ValueError):
            return op.ieee(*args)

    return value


def _interpreted_pull(op: Op, pattern: tuple[bool, ...]) -> Callable[[Any, float], None]:
    pullback = op.pullback

    def pull(node: Any, g: float) -> None:
        args = node.args
        floats = floats_of(args)
        try:
            parts = pullback(g, node.data, floats)  # type: ignore[misc]
        except (ArithmeticError, ValueError):
            pull_by_rule(node, g)
            return
        for arg, part in compress(zip(args, parts, strict=True), pattern):
            arg.grad += part

    locals_ = _interpreted_locals(op, pattern)

    def pull_by_rule(node: Any, g: float) -> None:
        args = node.args
        for slot, local in enumerate(locals_(node.data, *floats_of(args))):
            if pattern[slot]:
                args[slot].grad += product(node, slot, g, local)

    return pull_by_rule if op.singular or not op.is_built_in else pull


def _symbols(arity: int) -> tuple[Symbol, ...]:
    return tuple(Symbol(f"x{i}") for i in range(arity))


def _straight_line(parameters: tuple[Symbol, ...], result: Any) -> Callable[..., Any]:
    """Return the function of ``parameters`` that computes one expression, or a list as a tuple."""
    expressions = result if isinstance(result, list) else [result]
    lines, texts = lower(expressions)
    signature = ", ".join(parameter.name for parameter in parameters)
    answer = f"({', '.join(texts)},)" if isinstance(result, list) else texts[0]
    return function_of(signature, [*lines, f"return {answer}"], expressions)


def _used(expressions: list[Any]) -> set[str]:
    return {
        part.name
        for expression in expressions
        if isinstance(expression, Symbol)
        for part in topological_order(expression)
        if part.op is None
    }


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
    or that of ``template`` and ``constant``, which are as for `formula.spell`.
    """
    numbered: dict[Any, Symbol] = {}
    same: dict[Symbol, Symbol] = {}
    uses: dict[Symbol, int] = {}
    for expression in expressions:
        if not isinstance(expression, Symbol):
            continue
        for part in topological_order(expression):
            if part in same:
                continue
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
    for result in results:
        if isinstance(result, Symbol):
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


def function_of(
    signature: str, lines: list[str], expressions: list[Any], given: Mapping[str, Any] = {}
) -> Callable[..., Any]:
    """Return the function with these lines; its globals are the rows it calls and ``given``."""
    names = {"__name__": __name__, "inf": inf, "nan": nan, "product": product, **given}
    for expression in expressions:
        for part in topological_order(expression) if isinstance(expression, Symbol) else []:
            if part.op is not None:
                arity = len(part.args)
                names[_global_name(part.op, arity)] = value_function(part.op, arity)
    body = "\n    ".join(lines)
    scope: dict[str, Any] = {}
    exec(_code(f"def kernel({signature}):\n    {body}\n"), names, scope)
    return scope["kernel"]  # type: ignore[no-any-return]


@cache
def _code(source: str) -> CodeType:
    return compile(source, "<kernel>", "exec")
