"""A function recorded twice: where the runs differ, it does something else each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from autograd.engine import Value

Shape = tuple[int, ...]
"""Of one sample's part of an array: () for a scalar, (n,) for a list of n."""


class FunctionRun(NamedTuple):
    """What one run of a function did; as `FunctionGraph` of `autograd.compiler.recording`."""

    inputs: list[Value]
    outputs: list[Value | float]
    results: tuple[Shape, ...]
    several: bool
    follows: dict[Value, Value]
    choices: dict[Value, int]
    made: frozenset[Value]


def differing(
    first: FunctionRun,
    nodes: list[Value],
    again: FunctionRun,
    others: list[Value],
    parameters: set[Value],
) -> Iterator[Value | None]:
    """Yield the nodes of the second run that are not those of the first.

    None is for what they differ in besides. A parameter is itself in both; any other leaf is a
    constant, if it is no input.

    Args:
        nodes, others: what the outputs of each depend on, in topological order.
    """
    twin: dict[Any, Any] = dict(zip(again.inputs, first.inputs, strict=True))

    def is_same(x: Any, y: Any) -> bool:
        if x.__class__ is float:
            return y.__class__ is float and repr(x) == repr(y)
        return x is y or twin.get(y) is x

    def is_twin(node: Value, other: Value) -> bool:
        if node.op is not other.op:
            return False
        if node in first.follows or other in again.follows:
            return is_same(first.follows.get(node), again.follows.get(other))
        if node.op is not None:
            args = node.args
            if [twin.get(arg, arg) for arg in other.args] != [*args]:
                return False
            return 0.0 not in args or all(map(is_same, args, other.args))  # with its sign
        if other in twin:
            return twin[other] is node
        return node not in parameters and repr(node.data) == repr(other.data)

    for node, other in zip(nodes, others, strict=False):
        if node is other:
            if node in first.made:
                yield other  # kept from one run for the next
        elif is_twin(node, other):
            twin[other] = node
        else:
            yield other
    is_shaped = first.results == again.results and len(nodes) == len(others)
    if not (is_shaped and all(map(is_same, first.outputs, again.outputs))):
        yield None
