"""Pickle and deepcopy for graphs of any depth.

Both save what they meet by recursion, and a graph is as deep as the computation was long. So a
node hands them its ancestors first, in topological order: when a node is saved, its arguments
have been, and the depth stays constant.
"""

from __future__ import annotations

import copyreg
from _thread import _local

from autograd.annotations import Any
from autograd.graph import topological_order


class _Covered(_local):
    """The ids of the nodes that the saving under way will meet in topological order.

    Should it fail half-way, stale ids remain. They cost nothing but depth: a node found here
    is saved by its arguments, which is right in any order.
    """

    def __init__(self) -> None:
        self.ids: set[int] = set()


_covered = _Covered()


class _EndOfCover:
    """Stands at the end of an order: saving it means that the order has been saved."""

    def __init__(self, ids: frozenset[int]) -> None:
        self.ids = ids

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        _covered.ids -= self.ids
        return _EndOfCover, (frozenset(),)


def reduce_node(node: Any, fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what ``__reduce_ex__`` of a node must; ``fields`` stands last in the state."""
    ancestors: list[Any] = []
    if node.args and id(node) not in _covered.ids:
        ancestors = [n for n in topological_order(node)[:-1] if id(n) not in _covered.ids]
    ids = frozenset(map(id, ancestors))
    _covered.ids |= ids
    state = (ancestors, _EndOfCover(ids), fields) if ancestors else (fields,)
    return copyreg.__newobj__, (node.__class__,), state  # type: ignore[attr-defined]
