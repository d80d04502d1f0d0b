"""Rows with one wrong rule each, to see whether the gradient check notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from autograd import TABLE, Op, Value, gradcheck, gradients, sin
from autograd.testing.strategies import floats_in

Rule = Callable[..., Any]

CHANGES: dict[str, Callable[[Rule], Rule]] = {
    "scaled by 1.001": lambda rule: lambda *args: 1.001 * rule(*args),
    "shifted by 1e-3": lambda rule: lambda *args: rule(*args) + 1e-3,
    "negated": lambda rule: lambda *args: -1 * rule(*args),
    "zeroed": lambda rule: lambda *args: 0.0,
}

PULLBACKS: dict[str, Callable[[Rule], Rule]] = {
    "scaled by 1.001": lambda rule: lambda g, z, xs: [1.001 * c for c in rule(g, z, xs)],
    "shifted by 1e-3": lambda rule: lambda g, z, xs: [c + 1e-3 * g for c in rule(g, z, xs)],
    "negated": lambda rule: lambda g, z, xs: [-1 * c for c in rule(g, z, xs)],
    "zeroed": lambda rule: lambda g, z, xs: [0.0 * c for c in rule(g, z, xs)],
    "swapped with its neighbour": lambda rule: lambda g, z, xs: rule(g, z, xs)[::-1],
}

Mutant = tuple[Op, str, dict[str, Any]]
"""A row, what is done to it, and its changed columns."""


def find_mutants(op: Op, points: int) -> Iterator[tuple[Mutant, tuple[float, ...]]]:
    """Yield every mutant of a row, at each of some points where the row is smooth."""
    args = _points(op, points)
    for what, columns in _changes(op):
        for point in args:
            yield (op, what, columns), point


def judge(mutant: Mutant, args: tuple[float, ...]) -> str:
    """Return what the check makes of a mutant inside of an expression.

    "detected"; "same" if its gradient doesn't differ at all; "misnamed"; "missed".
    """
    op, _, columns = mutant
    wrong = Op(
        "mutant",
        op.forward,
        columns.get("partials", ()),
        op.domain,
        pullback=columns.get("pullback"),
        kinks=op.kinks,
        singular=op.singular,
    )
    try:
        right, got = (_slopes(row, args) for row in (op, wrong))
        if repr(right) == repr(got) or right == got:
            return "same"
        report = gradcheck(lambda *xs: 0.5 * wrong(*xs) + sin(xs[0]), *args)
        if "wrong" not in [check.verdict for check in report.inputs]:
            return "missed"
        named = report.culprit is not None and report.culprit.op == "mutant"
        return "detected" if named else "misnamed"
    finally:
        del TABLE["mutant"]


def _slopes(op: Op, args: tuple[float, ...]) -> list[float]:
    """Return the derivatives of a row as IEEE 754 has them: a mutant may divide by zero."""
    leaves = list(map(Value, args))
    return [slope.data for slope in gradients(op(*leaves), leaves)]


def _changes(op: Op) -> Iterator[tuple[str, dict[str, Any]]]:
    if op.pullback is not None:
        for what, change in PULLBACKS.items():
            yield what, {"pullback": change(op.pullback)}
        return
    rows = [row for row in TABLE.values() if row.arity == op.arity]
    neighbour = rows[(rows.index(op) + 1) % len(rows)]
    for i, rule in enumerate(op.partials):
        changed = {what: change(rule) for what, change in CHANGES.items()}
        changed["swapped with the next row's"] = neighbour.partials[i]
        if len(op.partials) > 1:
            changed["swapped with the next argument's"] = op.partials[(i + 1) % len(op.partials)]
        for what, other in changed.items():
            partials = (*op.partials[:i], other, *op.partials[i + 1 :])
            yield f"partial {i} {what}", {"partials": partials}


def _points(op: Op, count: int) -> list[tuple[float, ...]]:
    """Return the last points of a fixed sequence; the first ones are simple numbers."""
    found: list[tuple[float, ...]] = []

    @settings(
        max_examples=20 + count,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(floats_in(op))
    def collect(args: tuple[float, ...]) -> None:
        if op.arity or len(args) > 1:
            found.append(args)

    collect()
    return found[-count:]
