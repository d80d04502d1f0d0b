"""Walks over graphs of nodes: order, cycles. Iterative, and knowing only ``.args``.

A node is anything with ``.args``, an ordered tuple of nodes and plain numbers; the engine's
values and the symbols of formulas both are. Nothing here depends on hashes or addresses: the
same program gives the same order in every run.
"""

from __future__ import annotations

from collections.abc import Iterable

from autograd.annotations import Any, TypeVar
from autograd.errors import CycleError

N = TypeVar("N", bound=Any)


def node_args(node: N) -> list[N]:
    """Return the arguments of ``node`` that are nodes, in order, duplicates kept."""
    return [arg for arg in node.args if arg.__class__ is not float]


def topological_order(*roots: N, ends: Iterable[N] = (), since: float = 0.0) -> list[N]:
    """Return the roots and every node that they depend on, each after its arguments.

    The order is that of a depth-first walk from left to right, which is the order in which
    an expression is evaluated; a single root is last. The walk stops before ``ends``, which
    are left out, and at nodes that are known to be older than ``since``, an ``_age``.

    Raises:
        CycleError: a node is its own ancestor; the message shows the way round.

    Cost: linear in nodes and edges; no recursion.
    """
    order: list[N] = []
    finished: dict[N, bool] = dict.fromkeys(ends, True)
    stack = [*reversed(roots)]
    while stack:
        node = stack.pop()
        state = finished.get(node)
        if state is None and (args := node.args) and not (since and node._age < since):
            finished[node] = False
            stack.append(node)
            for arg in reversed(args):
                if arg.__class__ is not float:
                    known = finished.get(arg)
                    if known is None:
                        stack.append(arg)
                    elif not known:
                        raise CycleError(_describe_cycle(arg, node, finished))
        elif not state:
            finished[node] = True
            order.append(node)
    return order


def _describe_cycle(first: N, last: N, finished: dict[N, bool]) -> str:
    """Return the message: the walk's current path from ``first`` to ``last``, and back."""
    path = [node for node, done in finished.items() if not done]
    path = path[path.index(first) : path.index(last) + 1]
    shown = [repr(node) for node in path]
    if len(shown) > 8:
        shown[4:-3] = [f"... {len(shown) - 7} more ..."]
    return f"the graph has a cycle of {len(path)} node(s): {' -> '.join([*shown, shown[0]])}"
