"""Rows specialised to float code: what an edge passes back, generated from the rules.

Each rule is traced once on symbols and printed as a function of floats, which is what the
engine runs; running the rule itself on `Number` is the readable reference.

A *form* is an op together with which of its arguments are nodes and which plain numbers:
``x * y``, ``x * 2`` and ``2 * x`` are three forms of one row, so that no code asks at run
time what an argument is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import compress
from math import inf

from autograd.annotations import Any
from autograd.errors import DomainError
from autograd.graph import node_args
from autograd.lowering import UNROLLED, function_of, lower, straight_line, symbols
from autograd.operation import Op, Symbol, on_floats, plain
from autograd.place import place_of


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

    def passed(
        self, node: Any, upstream: float, adjoint: Mapping[Any, float]
    ) -> Iterator[tuple[int, float, float, float]]:
        """Yield what ``node`` passes on: slot, local derivative, contribution and new adjoint.

        Args:
            adjoint: of each argument, what it has got so far.
        """
        args = node.args
        for slot, local in enumerate(self.locals(node.data, *floats_of(args))):
            if self.pattern[slot]:
                contribution = product(node, slot, upstream, local)
                yield slot, local, contribution, adjoint[args[slot]] + contribution

    def _compile_pull(self, node: Any, g: float) -> None:
        self.pull = _pull_function(self.op, self.pattern)
        self.pull(node, g)

    def _compile_locals(self, out: float, *args: float) -> tuple[float, ...]:
        self.locals = _locals_function(self.op, self.pattern)
        return self.locals(out, *args)


@lru_cache(maxsize=4096)
def form(op: Op, pattern: tuple[bool, ...]) -> Form:
    """Return the one form of ``op`` with this pattern; the 4,096 used last are kept."""
    return Form(op, pattern)


def form_of(op: Op, args: tuple[Any, ...]) -> Form:
    """Return the form in which ``op`` is applied to ``args``, nodes and plain floats."""
    if op.by_hand:
        return op.form  # type: ignore[attr-defined, no-any-return]
    return form(op, tuple([arg.__class__ is not float for arg in args]))


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
    if len(pattern) > UNROLLED:
        rules = on_floats(op, lambda out, *args: op.locals(out, args))
        return lambda *numbers: tuple(
            plain(local) if is_node else 0.0
            for local, is_node in zip(rules(*numbers), pattern, strict=True)
        )
    out, args = Symbol("out"), symbols(len(pattern))
    results = [
        local if is_node else 0.0
        for local, is_node in zip(op.locals(out, args), pattern, strict=True)
    ]
    return straight_line((out, *args), results)


def _pull_function(op: Op, pattern: tuple[bool, ...]) -> Callable[[Any, float], None]:
    if len(pattern) > UNROLLED:
        return _interpreted_pull(op, pattern)
    out = Symbol("node.data")
    args = tuple(Symbol(f"n{i}{'.data' * is_node}") for i, is_node in enumerate(pattern))
    is_whole = op.pullback is not None and not op.singular
    parts = op.pullback(Symbol("g"), out, args) if is_whole else op.locals(out, args)  # type: ignore[misc]
    parts = list(compress(parts, pattern))
    steps, texts = lower(parts)
    holders = [f"n{i}" for i in range(len(pattern))]
    lines = [f"{', '.join(holders)}, = {'node._a' if len(pattern) > 2 else '(node._a, node._b)'}"]
    if len(pattern) == 1:
        lines = ["n0 = node._a"]
    lines += steps
    for slot, text in zip(compress(range(len(pattern)), pattern), texts, strict=True):
        if op.singular:
            text = f"product(node, {slot}, g, {text})"
        elif not is_whole:
            text = {"1.0": "g", "-1.0": "-g"}.get(text, f"g * ({text})")
        lines.append(f"n{slot}.grad += {text}")
    return function_of("node, g", lines, parts, {"product": product})


def _interpreted_pull(op: Op, pattern: tuple[bool, ...]) -> Callable[[Any, float], None]:
    locals_ = _locals_function(op, pattern)
    pullback = on_floats(op, lambda g, out, *args: op.pullback(g, out, args))  # type: ignore[misc]

    def contributions(node: Any, g: float) -> list[float]:
        floats = floats_of(node.args)
        if op.singular:
            edges = enumerate(locals_(node.data, *floats))
            return [product(node, slot, g, local) for slot, local in edges]
        return pullback(g, node.data, *floats)  # type: ignore[no-any-return]

    def pull(node: Any, g: float) -> None:
        parts = contributions(node, g)
        for arg, part in compress(zip(node.args, parts, strict=True), pattern):
            arg.grad += part

    return pull
