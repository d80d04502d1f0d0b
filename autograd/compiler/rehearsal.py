"""A function's run with plain numbers, held against its recording.

While a function is recorded, the numbers it reads are no floats. Code that makes a difference of
that, by their type, their identity or a label, would be compiled as what it never does. So it runs
once more as it does elsewhere, and must do the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autograd.compiler.askers import users_place
from autograd.compiler.nodes import new_node
from autograd.compiler.readings import is_for_telling
from autograd.compiler.scans import is_loop, looped
from autograd.engine import Value
from autograd.errors import CompileError
from autograd.forms import floats_of
from autograd.graph import topological_order
from autograd.lowering import value_function
from autograd.modes import current_mode
from autograd.operand import real
from autograd.operation import Op, plain


class Rehearsal:
    """Records as the engine does; who asks for a decision is refused as in a recording.

    Args:
        arguments: the leaves that stand for the function's arguments.
        keeps_loops: as of a `FunctionTracer`.
    """

    mark = None

    def __init__(self, arguments: Iterable[Value], *, keeps_loops: bool) -> None:
        self._arguments = frozenset(arguments)
        self._keeps_loops = keeps_loops
        self._loops = 0

    def record(self, op: Op, args: tuple[Any, ...]) -> Value:
        args = tuple([x if type(x) is Value or type(x) is float else self.operand(x) for x in args])
        data = value_function(op, len(args))(*floats_of(args))
        mode = current_mode()
        kept: tuple[Any, Any] = (op, args) if mode.grad else (None, ())
        return new_node(data, *kept, mode.origin)

    def number(self, x: Any) -> float:
        return real(x)

    def meet(self, node: Value) -> None:
        """Do nothing: all numbers are known."""

    def meet_equal(self, node: Value, other: Any) -> None:
        """Do nothing: the recording has refused what is no question of identity."""

    def chooses(self, index: Value, rows: int) -> bool:
        return index in self._arguments and rows > 0

    def operand(self, arg: Any) -> Any:
        return arg if arg.__class__ is Value else real(plain(arg))

    def is_told(self, _: Value, asked: str) -> bool:
        return is_for_telling(asked)

    def leaf(self, node: Value) -> Value:
        return new_node(node.data, None, (), node.origin)

    def loop(
        self, _: object, step: Callable[..., Any], carry: Sequence[Any], rows: Sequence[Any]
    ) -> Any:
        if not self._keeps_loops or not is_loop(carry, rows):
            return None
        self._loops += 1
        return looped(self, self._loops, step, carry, rows)

    def refuse_loops(self) -> None:
        if self._loops:
            raise self.refused("a number of a loop is asked for")

    def refused(self, message: str) -> CompileError:
        return CompileError(f"{users_place()}: {message}")


def is_as_recorded(
    recorded: Sequence[Value | float],
    played: Sequence[Value | float],
    twins: Mapping[Value, Value],
    follows: Mapping[Value, Value],
) -> bool:
    """Return whether what a run returned has the graph of its recording, and its numbers.

    Args:
        recorded, played: what the function returned, flattened.
        twins: by a leaf of the recording, what must stand in its place: the arguments' by
            others, a parameter by itself.
        follows: leaves of the recording that stand for a number; the run may have plain ones.
    """
    pairs: list[tuple[Any, Any]] = list(zip(recorded, played, strict=True))
    known: dict[Any, Any] = dict(twins)
    numbers: dict[Any, bool] = dict.fromkeys(follows, True)
    while pairs:
        x, y = pairs.pop()
        # Of a number of a value and plain ones, there may be another, as of plain ones alone.
        if type(x) is float or x in follows or (type(y) is float and _is_number(x, numbers)):
            if not _are_close(_number(x), _number(y)):
                return False
        elif (twin := known.get(x)) is not y:
            if twin is not None or type(y) is float or x.op is not y.op:
                return False
            args, others = x.args, y.args
            if len(args) != len(others) or (not args and not _are_close(x.data, y.data)):
                return False
            known[x] = y
            # What is known already, such as a weight, would be put there once for each use.
            pairs += [(a, b) for a, b in zip(args, others, strict=True) if known.get(a) is not b]
    return True


def _is_number(x: Value, known: dict[Any, bool]) -> bool:
    """Return whether a node is of what is known to be a number, and of plain ones, alone."""
    for node in topological_order(x, ends=known):
        if node not in known:
            args = [arg for arg in node.args if type(arg) is not float]
            known[node] = bool(args) and all(known[arg] for arg in args)
    return known[x]


def _number(x: Any) -> Any:
    return x if type(x) is float else x.data


def _are_close(x: float, y: float) -> bool:
    """Return whether two numbers are equal, up to what NumPy's functions round otherwise."""
    return x == y or (x != x and y != y) or math.isclose(x, y, rel_tol=1e-9)
