"""Loops in a recording: a step is recorded once, its nodes among all others.

What a step is given are nodes, too: `entry` is what is carried into it, after where it begins;
`each` is one of a list. Of the nodes behind them, `scan` knows which are carried on, and which are
given at each step; `part` is a number that comes out in the end. So what a step reads of outside
is there as it is, and what doesn't change from step to step stands outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import nan
from typing import Any, NamedTuple

from autograd.engine import Value
from autograd.errors import CompileError
from autograd.modes import changed_mode, current_mode
from autograd.operation import Op


class LoopOp(Op):
    """What stands in a recording for a loop: no row, as it has no rule, and none can use it.

    Whatever asks for a rule has the recording written out, step by step.
    """

    by_hand = True  # so as not to enter the table
    is_built_in = True

    def __init__(self, name: str) -> None:
        super().__init__(name, _refused, pullback=_refused)
        self.by_hand, self.opaque = False, True

    def ieee(self, *args: float) -> float:
        """Return NaN: the numbers inside of a loop are not known while it is recorded."""
        return nan


def _refused(*_: Any) -> Any:
    tracer: Any = current_mode().tracing
    message = "a loop that is compiled has no rule"
    raise tracer.refused(message) if tracer else CompileError(message)


ENTRY, EACH, SCAN, PART = map(LoopOp, ("entry", "each", "scan", "part"))
"""Their arguments: where it begins; the steps' numbers; both with a place and the loop's number.
What a step is given, carries on and gives, how many are carried and given, how many steps there
are, and the loop's number. The loop, and which result: those carried on, then each step's."""


def looped(
    tracer: Any, number: int, step: Callable[..., Any], carry: Sequence[Any], rows: Sequence[Any]
) -> tuple[list[Any], list[list[Any]]]:
    """Return what a loop carries in the end, and what it gives in each step, recorded as nodes.

    Args:
        number: by which it is told from others; of one inside of another, a larger one.
        step: takes and returns lists of Values: what it is given and carried, and each x.
    """
    loop = float(number)

    def node(op: Op, *args: Any) -> Any:
        return tracer.record(op, tuple(map(tracer.operand, args)))

    with changed_mode(grad=True):
        carries = [node(ENTRY, x, float(i), loop) for i, x in enumerate(carry)]
        each = enumerate(zip(*rows, strict=True))
        columns = [node(EACH, *column, float(i), loop) for i, column in each]
    new, given = step(carries, columns)
    counts = (len(carries), len(columns), len(rows), loop)
    with changed_mode(grad=True):
        scan = node(SCAN, *carries, *columns, *new, *given, *map(float, counts))
        count = len(new) + len(given) * len(rows)
        parts = [node(PART, scan, float(i)) for i in range(count)]
    if not current_mode().grad:
        parts = [tracer.leaf(part) for part in parts]
    ends = range(len(new), count, len(given)) if given else [count] * len(rows)
    return parts[: len(new)], [parts[i : i + len(given)] for i in ends]


def is_loop(carry: Sequence[Any], rows: Sequence[Any]) -> bool:
    """Return whether something is carried, or gone through, in more than one step."""
    return len(rows) > 1 and bool(carry or rows[0])


def is_same_step(
    first: Sequence[Sequence[Any]], second: Sequence[Sequence[Any]], follows: Mapping[Value, Value]
) -> bool:
    """Return whether what two runs of a step returned are the same function of what it is given."""
    pairs = [pair for sides in zip(first, second, strict=True) for pair in zip(*sides, strict=True)]
    twin: dict[Any, Any] = {}
    while pairs:
        x, y = pairs.pop()
        if x is y or twin.get(x) is y:
            continue
        if x in twin:
            return False
        if x.__class__ is float or y.__class__ is float:
            if repr(x) != repr(y):
                return False
            continue
        twin[x] = y
        beside = [[node.op, node in follows, len(node.args)] for node in (x, y)]
        if beside[0] != beside[1]:
            return False
        if x in follows:
            pairs.append((follows[x], follows[y]))
        elif x.op is None and repr(x.data) != repr(y.data):
            return False
        pairs += zip(x.args, y.args, strict=True)
    return True


class LoopStep(NamedTuple):
    """One step of a loop.

    Attributes:
        steps: how many there are.
        carries, columns: the nodes that it is given.
        carried: what it carries on, as many as it is given; nodes and floats.
        given: what it gives besides.
        nodes: what it consists of, in topological order; a loop inside is one of them.
        captured: the nodes of outside that it uses.
    """

    steps: int
    carries: list[Value]
    columns: list[Value]
    carried: list[Any]
    given: list[Any]
    nodes: list[Value]
    captured: list[Value]


class Nesting:
    """The nodes of a recording, by the loops that they are in.

    Args:
        nodes: in topological order.
        follows: as of a `FunctionGraph`.

    Attributes:
        nodes: those outside of all loops.
        steps: by a loop's node, its step.
        parts: by a loop's node, which of its results there are nodes for.
        follows: as it is given.
    """

    def __init__(self, nodes: Sequence[Value], follows: Mapping[Value, Value]) -> None:
        self.follows = follows
        self.steps: dict[Value, LoopStep] = {}
        self.parts: dict[Value, set[int]] = {}
        self._inside: dict[Any, frozenset[float]] = {}
        if not any(isinstance(node.op, LoopOp) for node in nodes):
            self.nodes = list(nodes)
            return
        levels: dict[float, list[Value]] = {-1.0: []}
        for node in nodes:
            self._inside[node] = inside = self._loops_around(node)
            levels.setdefault(max(inside, default=-1.0), []).append(node)
            if node.op is SCAN:
                number: Any = node.args[-1]
                self.steps[node] = self._step(node, levels[number])
                self.parts[node] = set()
            elif node.op is PART:
                scan: Any = node.args[0]
                self.parts[scan].add(index_of(node))
        self.nodes = levels[-1.0]

    def used(self, scan: Value) -> list[int]:
        """Return which of what a loop's step gives is used."""
        step = self.steps[scan]
        begin, count = len(step.carries), len(step.given)
        return sorted({(place - begin) % count for place in self.parts[scan] if place >= begin})

    def is_inside(self, node: Any) -> bool:
        """Return whether a node is of a step, and no result of a loop."""
        return bool(self._inside.get(node))

    def _loops_around(self, node: Value) -> frozenset[float]:
        if node in self.follows:
            return self._inside[self.follows[node]]
        found: frozenset[float] = frozenset()
        for arg in node.args:
            around = self._inside.get(arg)
            if around and around is not found:
                found = found | around if found else around
        number: Any = node.args[-1] if node.args else None
        if node.op is ENTRY or node.op is EACH:
            return found | {number}
        return found - {number} if node.op is SCAN else found

    def _step(self, scan: Value, nodes: list[Value]) -> LoopStep:
        args: list[Any] = list(scan.args[:-4])
        c, k, steps, number = (int(x) for x in scan.args[-4:] if not isinstance(x, Value))
        results = args[c + k :]
        used: dict[Any, None] = dict.fromkeys(x for x in results if x.__class__ is not float)
        for node in nodes:
            if node in self.follows:
                used[self.follows[node]] = None
            elif node.op is SCAN:
                used |= dict.fromkeys(self.steps[node].captured)
                begins = begins_of(self.steps[node])
                used |= dict.fromkeys(x for x in begins if x.__class__ is not float)
            elif not isinstance(node.op, LoopOp):
                used |= dict.fromkeys(arg for arg in node.args if arg.__class__ is not float)
        captured = [x for x in used if number not in self._inside[x]]
        return LoopStep(
            steps,
            args[:c],
            args[c : c + k],
            results[:c],
            results[c:],
            nodes,
            captured,
        )


def index_of(part: Value) -> int:
    """Return which of a loop's results a part is."""
    place: Any = part.args[1]
    return int(place)


def begins_of(step: LoopStep) -> list[Any]:
    """Return what a loop begins with, and what it goes through, column by column."""
    return [arg for node in (*step.carries, *step.columns) for arg in node.args[:-2]]
