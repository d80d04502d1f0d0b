"""Conditions on events, to run until: combine them with ``&``, ``|`` and ``~``.

>>> from autograd import Stepper, Value
>>> x = Value(3.0, label="x")
>>> stepper = Stepper(x * x)
>>> print(stepper.run(on_label("x") & on_kind("edge")))
d n1/d x += upstream * local = 1.0 * 3.0 = 3.0   (total 3.0)   n1 = x * x, d n1/d x = x

The *subject* of an event is the node whose number it sets: the node that is computed or
completed, or the argument that receives a contribution.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

from autograd.engine import Value
from autograd.errors import quoted
from autograd.operation import Op
from autograd.stepping.events import Done, Edge, Event, Forward

KINDS = tuple(kind.kind for kind in (Forward, Edge, Done))


class Condition:
    """A test of an event, with a text that says what it tests."""

    def __init__(self, test: Callable[[Event], bool], text: str) -> None:
        self.test = test
        self.text = text

    def __call__(self, event: Event) -> bool:
        return self.test(event)

    def __and__(self, other: Callable[[Event], bool]) -> Condition:
        return Condition(lambda e: self(e) and other(e), f"({self} & {_text(other)})")

    def __or__(self, other: Callable[[Event], bool]) -> Condition:
        return Condition(lambda e: self(e) or other(e), f"({self} | {_text(other)})")

    def __invert__(self) -> Condition:
        return Condition(lambda e: not self(e), f"~{self}")

    def __bool__(self) -> bool:
        raise TypeError(
            "a condition is neither true nor false before an event: combine conditions with &, | "
            "and ~ in place of and, or, not"
        )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Condition {self}>"


def on_node(node: Value) -> Condition:
    """Return the condition that the event's subject is ``node``."""
    if not isinstance(node, Value):
        raise TypeError(f"on_node takes a Value of the graph: got {quoted(node)}")
    return Condition(lambda e: e.subject is node, f"on_node({node.label or node!r})")


def on_label(label: str) -> Condition:
    """Return the condition that the subject has this label."""
    return Condition(lambda e: e.subject.label == label, f"on_label({quoted(label)})")


def on_kind(kind: str) -> Condition:
    """Return the condition that the event is of this kind: forward, edge or done.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"an event is of kind 'forward', 'edge' or 'done', not {quoted(kind)}")
    return Condition(lambda e: e.kind == kind, f"on_kind({kind!r})")


def on_op(op: Op | str) -> Condition:
    """Return the condition that this op (a row, its name or symbol) is computed or passed."""
    return Condition(
        lambda e: e.node.op is not None and op in (e.node.op, e.node.op.name, e.node.op.symbol),
        f"on_op({quoted(str(op) if isinstance(op, Op) else op)})",
    )


def in_module(path: str) -> Condition:
    """Return the condition that the event's node was recorded in this module or below it.

    A part of the path is enough: ``neurons.3`` is that neuron of any layer.
    """

    def test(event: Event) -> bool:
        scope = event.node.origin[0] if event.node.origin else ""
        return f".{path}." in f".{scope}."

    return Condition(test, f"in_module({quoted(path)})")


def gradient_above(bound: float) -> Condition:
    """Return the condition that the subject's adjoint so far exceeds ``bound`` in size."""
    return Condition(
        lambda e: not isinstance(e, Forward) and abs(e.total) > bound, f"gradient_above({bound:g})"
    )


def non_finite() -> Condition:
    """Return the condition that the number set is infinite or NaN."""
    return Condition(lambda e: not math.isfinite(e.total), "non_finite()")


def sign_change() -> Condition:
    """Return the condition that a contribution turns the sign of the adjoint so far."""

    def test(event: Event) -> bool:
        n = nth(event)
        if n < 2:
            return False
        before = event.recording.step(event.recording.incoming[event.subject][n - 2]).total
        return before < 0 < event.total or event.total < 0 < before

    return Condition(test, "sign_change()")


def contribution(n: int) -> Condition:
    """Return the condition that the event is the n-th contribution to its subject, from 1."""
    return Condition(lambda e: nth(e) == n, f"contribution({n})")


def nth(event: Event) -> int:
    """Return which contribution to its subject an edge is, from 1; 0 for other events."""
    if not isinstance(event, Edge):
        return 0
    return bisect_left(event.recording.incoming[event.arg], event.index) + 1


def _text(test: Callable[[Event], bool]) -> str:
    return str(test) if isinstance(test, Condition) else getattr(test, "__name__", "predicate")
