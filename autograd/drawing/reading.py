"""The numbers of a picture: as they are now, before and after a step, or at a stepper's moment.

A `Reading` turns the node at a position into rows; the positions are those in topological order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import final

from autograd.drawing.flow import norm, spread
from autograd.drawing.picture import NO_BACKWARD, Row, shown
from autograd.engine import Value
from autograd.formula import short
from autograd.stepping.events import Edge, Recording


class Reading(ABC):
    """What is known of the nodes of a graph.

    Attributes:
        scales: the colour scales in use: key and name.
        notes: what the legend says besides.
        normed: what `norm` is the norm of.
    """

    scales: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    normed: str = "‖grad‖"

    @abstractmethod
    def rows(self, i: int) -> tuple[Row, ...]:
        """Return the rows of one node."""

    @abstractmethod
    def rows_of_alike(self, members: Sequence[int]) -> tuple[Row, ...]:
        """Return the rows of a box for nodes that are alike."""

    @abstractmethod
    def rows_of_module(self, leaving: Sequence[int], parameters: Sequence[int]) -> tuple[Row, ...]:
        """Return the rows of a module, by the values that leave it and its parameters."""

    def norm(self, positions: Sequence[int]) -> float | None:
        """Return the L2 norm of the gradients of the values that cross an arrow, if known."""
        return None

    def constant(self, node: Value, slot: int) -> str:
        """Return a plain number among the arguments."""
        arg = node.args[slot]
        assert isinstance(arg, float)
        return short(arg)

    def product(self, i: int, slot: int) -> str:
        """Return what the stepper has just sent along this edge; "" if it is elsewhere."""
        return ""

    def is_current(self, i: int) -> bool:
        """Return whether the stepper is at this node."""
        return False


@final
class Now(Reading):
    """``.data`` and ``.grad`` as they stand."""

    def __init__(self, nodes: Sequence[Value]) -> None:
        self.nodes = nodes
        # A pass marks its root, whose gradient may be 0; of a copy, the gradients tell, but not
        # a leaf's, which may be from another graph.
        marked = nodes[-1]._mark is not None or nodes[-1].grad != 0
        self.differentiated = marked or any(node.grad for node in nodes if node.op)
        if self.differentiated:
            self.scales = (("grad", "grad"), ("norm", "‖grad‖"))
        else:
            self.notes = (NO_BACKWARD,)

    def rows(self, i: int) -> tuple[Row, ...]:
        node = self.nodes[i]
        return self.pair(node.data, node.grad)

    def pair(self, data: float, grad: float) -> tuple[Row, ...]:
        """Return the rows of a value, whether or not a node holds it."""
        row = Row("data", shown(data), repr(data))
        if not self.differentiated:
            return (row,)
        return row, Row("grad", shown(grad), repr(grad), "grad", grad)

    def rows_of_alike(self, members: Sequence[int]) -> tuple[Row, ...]:
        return self._flow(members, "")

    def rows_of_module(self, leaving: Sequence[int], parameters: Sequence[int]) -> tuple[Row, ...]:
        rows: tuple[Row, ...] = ()
        for what, count, found in _counted(leaving, parameters):
            if what.startswith("value"):
                rows += self._flow(found, f" of {count} {what}")
            elif self.differentiated:
                rows += (self._norm(f"‖grad‖ of {count} {what}", found),)
            else:
                rows += (Row(what, count),)
        return rows

    def _flow(self, members: Sequence[int], of: str) -> tuple[Row, ...]:
        """Return what flows through many nodes: sizes, ranges, and how many gradients are 0."""
        if len(members) == 1:
            return self.rows(members[0])
        data = [self.nodes[i].data for i in members]
        size = norm(data)
        rows = [Row(f"‖data‖{of}", shown(size), repr(size)), _spread_row("data", data)]
        if self.differentiated:
            grads = [self.nodes[i].grad for i in members]
            rows += [self._norm(f"‖grad‖{of}", members), _spread_row("grad", grads)]
            if zeros := sum(grad == 0 for grad in grads):
                rows.append(Row("grad 0", f"{zeros:,} of {len(grads):,}"))
        return tuple(rows)

    def _norm(self, what: str, positions: Sequence[int]) -> Row:
        size = norm(self.nodes[i].grad for i in positions)
        return Row(what, shown(size), repr(size), "norm", size)

    def norm(self, positions: Sequence[int]) -> float | None:
        return norm(self.nodes[i].grad for i in positions) if self.differentiated else None


@final
class Change(Reading):
    """What changed between two recordings of graphs of the same shape."""

    scales = (
        ("data", "change of data"),
        ("grad", "change of grad"),
        ("norm data", "‖change of data‖"),
        ("norm grad", "‖change of grad‖"),
    )

    notes = ("before → after; the colour is the change",)
    normed = "‖Δ grad‖"

    def __init__(self, before: Recording, after: Recording) -> None:
        self.before = before
        self.after = after

    def _pairs(self, i: int) -> list[tuple[str, float, float]]:
        before, after = self.before, self.after
        old, new = before.nodes[i], after.nodes[i]
        return [
            ("data", before.value(old), after.value(new)),
            ("grad", before.adjoint(old), after.adjoint(new)),
        ]

    def rows(self, i: int) -> tuple[Row, ...]:
        return tuple(
            Row(what, _arrow(shown(a), shown(b)), _arrow(repr(a), repr(b)), what, change(a, b))
            for what, a, b in self._pairs(i)
        )

    def rows_of_alike(self, members: Sequence[int]) -> tuple[Row, ...]:
        return self._norm_rows("", members)

    def rows_of_module(self, leaving: Sequence[int], parameters: Sequence[int]) -> tuple[Row, ...]:
        return tuple(
            row
            for what, count, found in _counted(leaving, parameters)
            for row in self._norm_rows(f" of {count} {what}", found)
        )

    def _norm_rows(self, of: str, members: Sequence[int]) -> tuple[Row, ...]:
        changes = [[change(a, b) for _, a, b in self._pairs(i)] for i in members]
        rows = []
        for what, column in zip(("data", "grad"), zip(*changes, strict=True), strict=True):
            size = norm(column)
            rows.append(Row(f"‖Δ {what}‖{of}", shown(size), repr(size), f"norm {what}", size))
        return tuple(rows)

    def norm(self, positions: Sequence[int]) -> float | None:
        return norm(change(*self._pairs(i)[1][1:]) for i in positions)

    def constant(self, node: Value, slot: int) -> str:
        i = self.after.position[node]
        before, after = (run.nodes[i].args[slot] for run in (self.before, self.after))
        assert isinstance(before, float)
        assert isinstance(after, float)
        return _arrow(short(before), short(after))


@final
class Moment(Reading):
    """What is known at a position of a run: a gradient is unknown, partial or complete."""

    scales = (("grad", "grad"),)

    def __init__(self, recording: Recording, position: int) -> None:
        self.recording = recording
        self.position = position
        self.nodes = recording.nodes
        self.event = event = recording.events[position - 1] if position else None
        where = f"event {position} of {recording.length}"
        # An event's line is long: the sum with its total first, then the rule.
        parts = str(event or "nothing has been computed yet").split("   ")
        self.notes = (
            f"{where}: {' '.join(parts[:2])}",
            *parts[2:],
            "grad: ? is unknown, outlined is partial (more may come), filled is complete",
        )

    def rows(self, i: int) -> tuple[Row, ...]:
        node = self.nodes[i]
        data = self.recording.value_at(self.position, node)
        known = Row("data", "?") if data is None else Row("data", shown(data), repr(data))
        status, so_far = self.recording.gradient_at(self.position, node)
        if so_far is None:
            return known, Row("grad", "?")
        partial = status == "partial"
        text = f"{shown(so_far)} so far" if partial else shown(so_far)
        return known, Row("grad", text, f"{so_far!r} ({status})", "grad", so_far, partial)

    def rows_of_alike(self, members: Sequence[int]) -> tuple[Row, ...]:
        done = self.recording.done
        complete = sum(done[self.nodes[i]] < self.position for i in members)
        return (Row("grads complete", f"{complete:,} of {len(members):,}"),)

    def rows_of_module(self, leaving: Sequence[int], parameters: Sequence[int]) -> tuple[Row, ...]:
        return self.rows_of_alike(sorted({*leaving, *parameters}))

    def product(self, i: int, slot: int) -> str:
        event = self.event
        if isinstance(event, Edge) and event.slot == slot and event.node is self.nodes[i]:
            return f"+= {shown(event.product)}"
        return ""

    def is_current(self, i: int) -> bool:
        return self.event is not None and self.event.node is self.nodes[i]


def change(before: float, after: float) -> float:
    """Return ``after - before``; 0.0 where both are the same infinity, or both NaN.

    >>> change(1.0, 3.0), change(1e400, 1e400), change(1e400 - 1e400, 1e400 - 1e400)
    (2.0, 0.0, 0.0)
    """
    same = before == after or (before != before and after != after)
    return 0.0 if same else after - before


def _arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _spread_row(what: str, xs: Sequence[float]) -> Row:
    found = spread(xs)
    return Row(what, str(found), spread=found)


def _counted(
    leaving: Sequence[int], parameters: Sequence[int]
) -> Iterator[tuple[str, str, Sequence[int]]]:
    """Yield what the rows of a module are about, how many there are, and which."""
    for one, many, found in (
        ("value out", "values out", leaving),
        ("parameter", "parameters", parameters),
    ):
        if found:
            yield one if len(found) == 1 else many, f"{len(found):,}", found
