"""What if a number were another: predicted by the gradient, compared with what happens."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from autograd.engine import Value, record, sweep
from autograd.errors import DomainError
from autograd.forms import floats_of
from autograd.modes import changed_mode
from autograd.operand import real
from autograd.operation import Number, Op, plain
from autograd.stepping.events import Recording
from autograd.stepping.notation import show

KINKS = 3
"""How many kinks a message names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The outcome of setting one node to another value, everything else being equal.

    Attributes:
        node: the node that was changed, from ``old`` to ``new``.
        before, after: the root's value.
        gradient: d root / d node at the old value; ``new_gradient``: at the new one.
        predicted: gradient * (new - old), the linear estimate of the change.
        actual: after - before.
        kinks: what lies between old and new, such as ``n4 = relu(n3)``.
    """

    recording: Recording
    node: Value
    old: float
    new: float
    before: float
    after: float
    gradient: float
    new_gradient: float
    kinks: tuple[str, ...]

    @property
    def predicted(self) -> float:
        return self.gradient * (self.new - self.old)

    @property
    def actual(self) -> float:
        return self.after - self.before

    @property
    def reason(self) -> str:
        """Why prediction and outcome differ, in one sentence."""
        gap = abs(self.actual - self.predicted)
        if not math.isfinite(gap):
            return "not to be compared: a number on the way is infinite or NaN"
        rounding = 1e-12 * max(abs(self.before), abs(self.after), abs(self.predicted))
        if gap <= rounding:
            return "as predicted: between the two values the function is linear"
        if self.kinks:
            shown = ", ".join(self.kinks[:KINKS])
            more = len(self.kinks) - KINKS
            return f"a kink lies in between: {shown}{f' and {more} more' if more > 0 else ''}"
        return (
            f"curvature: on the way the gradient goes from {show(self.gradient)} "
            f"to {show(self.new_gradient)}"
        )

    def __str__(self) -> str:
        name, root = self.recording.name(self.node), self.recording.name(self.recording.root)
        step, predicted, actual = map(show, (self.new - self.old, self.predicted, self.actual))
        expected = f"predicted change of {root}:"
        return "\n".join(
            [
                f"if {name} were {show(self.new)} instead of {show(self.old)}:",
                f"  {expected} {show(self.gradient)} * {step} = {predicted}",
                f"  {'actual change:':<{len(expected)}} {show(self.after)} - {show(self.before)}"
                f" = {actual}",
                f"  {self.reason}",
            ]
        )

    __repr__ = __str__


def what_if(recording: Recording, node: Value, value: float) -> WhatIf:
    """Return what the root would be with ``value`` in place of the node's number.

    The nodes that depend on it are computed again on a copy; the graph stays as it is.

    Raises:
        DomainError: the new value leaves the domain of an op, which is named.
        TypeError: ``value`` isn't a real number.

    Cost: one forward and one backward pass over the nodes that depend on ``node``.
    """
    recording.known(node)
    new, old = real(value), recording.value(node)
    leaf = Value(new, node.label)
    copies: dict[Value, Value] = {node: leaf}
    kinks: list[str] = []
    with changed_mode(grad=True):
        for user in reversed(recording.between(node)[:-1]):
            assert user.op is not None
            for arg in user.args:
                if isinstance(arg, Value) and arg not in copies:
                    copies[arg] = Value(recording.value(arg), arg.label)
            args = tuple(arg if isinstance(arg, float) else copies[arg] for arg in user.args)
            try:
                copies[user] = record(user.op, args)
            except DomainError as error:
                raise DomainError(
                    f"{recording.name(node)} can't be {show(new)}: {error}, "
                    f"in {recording.definition(user)}"
                ) from None
            was = map(recording.value, user.args)
            if _sides(user.op, was) != _sides(user.op, floats_of(args)):
                kinks.append(recording.definition(user))
    root = copies[recording.root]
    new_gradient = recording.seed if root is leaf else 0.0
    try:
        for step in sweep(root, recording.seed):
            if step.arg is leaf:
                new_gradient = step.total
    except DomainError:
        new_gradient = math.nan
    return WhatIf(
        recording,
        node,
        old,
        new,
        recording.value(recording.root),
        root.data,
        recording.adjoint(node),
        new_gradient,
        tuple(kinks),
    )


def _sides(op: Op, numbers: Iterable[float]) -> list[bool]:
    """Return on which side of each of the op's kinks the numbers lie."""
    return [plain(side) > 0 for side in op.kinks(*map(Number, numbers))] if op.kinks else []
