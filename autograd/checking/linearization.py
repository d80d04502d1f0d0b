"""A recorded graph linearised at its point: what a small move of the leaves does to every node.

The gradient check reads off it how large a step may be (how far away domains end, and kinks
and features of functions lie), and how much rounding the result carries.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from math import inf
from typing import Any, NamedTuple

from autograd.checking.line import EPSILON
from autograd.contexts import unchecked
from autograd.domain import Joint
from autograd.engine import Value, sweep
from autograd.forms import floats_of, form_of
from autograd.graph import topological_order
from autograd.operation import Number, Op, Primitive, plain
from autograd.transforms import gradients

TINY = math.ulp(0.0)
"""The smallest positive float: what a number that underflows is wrong by."""


class Motion(NamedTuple):
    """What a move of the leaves in one direction meets, per unit of the move.

    Attributes:
        radius: how far the linearisation may be trusted, 0.0 if no step is small enough.
        kink: how far the nearest kink lies, inf if the move meets none.
        doubt: a bound on the rounding error of the derivative in this direction.
    """

    radius: float
    kink: float
    doubt: float


class Linearization:
    """Local derivatives, adjoints and rounding error of a graph.

    Attributes:
        order: the nodes in topological order.
        locals: of each inner node, its local derivatives by the rules.
        noise: a bound on the rounding error of the root's number, to first order.

    Cost: linear in the graph; so is each `along`.
    """

    def __init__(self, root: Value) -> None:
        self.order = topological_order(root)
        self.locals: dict[Value, tuple[float, ...]] = {}
        self._adjoint = dict.fromkeys(self.order, 0.0)
        self._adjoint[root] = 1.0
        self._kinks: dict[Value, list[tuple[float, list[float]]]] = {}
        self._inner: list[tuple[Value, tuple[Any, ...], list[float]]] = []
        self.noise = TINY
        for node in reversed(self.order):
            if node.op is None:
                continue
            args = floats_of(node.args)
            locals_ = form_of(node.op, node.args).locals(node.data, *args)
            self.locals[node] = locals_
            self._inner.append((node, node.args, args))
            upstream = self._adjoint[node]
            self.noise += times(abs(upstream), rounding(node, args, locals_))
            for arg, local in zip(node.args, locals_, strict=True):
                if isinstance(arg, Value):
                    self._adjoint[arg] += times(upstream, local)

    def gradient(self, leaves: list[Value]) -> list[float]:
        """Return d root / d leaf for each leaf, by the rules and by slopes given by hand."""
        root = self.order[-1]
        if not any(node.op is not None and node.op.by_hand for node in self.order):
            return [g.data for g in gradients(root, leaves)]
        adjoint = {root: 1.0} | {step.arg: step.total for step in sweep(root, order=self.order)}
        return [adjoint.get(leaf, 0.0) for leaf in leaves]

    def along(self, direction: Mapping[Value, float], near: float) -> Motion:
        """Return what a move in ``direction`` meets.

        Args:
            direction: how fast each leaf moves.
            near: kinks no farther than this are reported, but don't limit the radius.
        """
        rate = {node: speed for node, speed in direction.items() if speed}
        radius = kink = inf
        doubt = 0.0
        moving = rate.keys()
        for node, given, args in reversed(self._inner):
            if moving.isdisjoint(given):
                continue
            moves = [rate.get(arg, 0.0) for arg in given]
            flows = [
                times(local, move) for local, move in zip(self.locals[node], moves, strict=True)
            ]
            if speed := total(flows):
                rate[node] = speed
            assert node.op is not None
            for slot, move in enumerate(moves):
                if move:
                    radius = min(radius, _length(node.op, slot, args) / abs(move))
            for distance in self._distances_of_kinks(node, args, moves, near):
                kink = min(kink, distance)
                if distance > near:
                    radius = min(radius, distance)
            upstream = abs(self._adjoint[node])
            for flow, move, x in zip(flows, moves, args, strict=True):
                if not (flow or math.isfinite(move)):
                    continue  # a branch that isn't taken
                # Far out, rules such as 1 - y * y are as exact as y, not as their result.
                size = times(node.data, move) if node.op.length == 1.0 else 0.0
                coarse = 4 * EPSILON * (abs(flow) + abs(size) / max(1.0, abs(x)))
                doubt += times(upstream, coarse) + TINY * (upstream + 1) * abs(move)
        return Motion(radius, kink, doubt)

    def is_at_kink(self) -> bool:
        """Return whether any op of the graph is at a kink of its own."""
        return any(
            plain(kink) == 0
            for node in self.locals
            if node.op is not None and node.op.kinks
            for kink in node.op.kinks(*map(Number, floats_of(node.args)))
        )

    def _distances_of_kinks(
        self, node: Value, args: list[float], moves: list[float], near: float
    ) -> Iterator[float]:
        """Yield how far the kinks of a node's row lie, if its arguments move so fast."""
        assert node.op is not None
        if not node.op.kinks:
            return
        for i, (expression, slopes) in enumerate(self._kinks_of(node, args)):
            speed = abs(sum(times(s, move) for s, move in zip(slopes, moves, strict=True)))
            if speed:
                yield abs(expression) / speed
            elif abs(expression) <= near:
                # At the origin the slope of hypot is 0 by convention, and yet a move leaves it.
                moved = [Number(x + move) for x, move in zip(args, moves, strict=True)]
                if plain(node.op.kinks(*moved)[i]) != expression:
                    yield abs(expression)

    def _kinks_of(self, node: Value, args: list[float]) -> list[tuple[float, list[float]]]:
        """Return each kink expression of a node's row, with its slope in each argument."""
        if node not in self._kinks:
            leaves = [Value(x) for x in args]
            assert node.op is not None
            assert node.op.kinks is not None
            with unchecked():
                found = node.op.kinks(*leaves)
            self._kinks[node] = [(k.data, [g.data for g in gradients(k, leaves)]) for k in found]
        return self._kinks[node]


def branch(root: Value) -> tuple[Hashable, ...]:
    """Return which piece of a piecewise function was computed: its ops, and the kinks' signs.

    A sign is 0 at the kink itself, which borders on both pieces.
    """
    order = topological_order(root)
    ops: list[Any] = [op for node in order if (op := node.op)]
    kinds = set(ops)
    if any(op.by_hand for op in kinds):  # each of these has one of its own
        ops = [op.symbol if op.by_hand else op for op in ops]
    signs: list[float] = []
    for node in order if any(op.kinks for op in kinds) else ():
        if node.op and node.op.kinks:
            for expression in node.op.kinks(*map(Number, floats_of(node.args))):
                x = plain(expression)
                signs.append(math.copysign(1.0, x) if x else 0.0)
    return tuple(ops), tuple(signs)


def is_same_piece(middle: Any, other: Any) -> bool:
    """Return whether the way from one `branch` to the other crosses no kink."""
    if middle is None or other is None:
        return middle is other
    return bool(
        middle[0] == other[0] and all(a in (0, b) for a, b in zip(middle[1], other[1], strict=True))
    )


def total(terms: Iterable[float]) -> float:
    """Return the sum, correctly rounded; where that overflows or is NaN, as floats add up."""
    terms = list(terms)
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return sum(terms)


def times(a: float, b: float) -> float:
    """Return a * b, and 0 if either is 0, also where the other is infinite or NaN."""
    return a * b if a and b else 0.0


def rounding(node: Value, args: list[float], locals_: tuple[float, ...]) -> float:
    """Return a bound on the rounding error that a node adds to those of its arguments.

    A primitive is within 1 ulp. Within a formula, errors are as if of the arguments.
    """
    bound = abs(node.data)
    if node.op is not None and not isinstance(node.op.forward, Primitive):
        carried = sum(abs(times(x, local)) for x, local in zip(args, locals_, strict=True))
        bound = 4 * (bound + carried) if math.isfinite(carried) else 4 * bound
    return EPSILON * bound + TINY


def _length(op: Op, slot: int, args: list[float]) -> float:
    """Return how far argument ``slot`` may move before the op changes its character."""
    x = args[slot]
    if callable(op.length):
        return op.length(*args)[slot]
    if isinstance(op.domain, Joint):
        return abs(x) or inf
    edges: tuple[float, ...] = ()
    if op.domain:
        domain = op.domain[slot]
        edges = (domain.low, domain.high, *domain.excluded)
    distances = [abs(x - edge) for edge in edges if math.isfinite(edge) and x != edge]
    return min(distances, default=inf if op.kinks else op.length)
