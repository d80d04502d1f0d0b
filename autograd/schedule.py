"""The order of a backward pass, found several times faster than by `topological_order`.

It reads the engine's values by their slots, and marks them, where that walk needs a dictionary.
"""

from __future__ import annotations

from autograd.annotations import Any
from autograd.graph import topological_order


def backward_order(root: Any) -> tuple[list[Any], list[Any]]:
    """Return the inner nodes in the order of that walk, their grads reset, and the leaves.

    Raises:
        CycleError: the graph was tampered with.
    """
    if root._form is None:
        return [], [root]
    open_, done = object(), object()
    order: list[Any] = []
    leaves: list[Any] = []
    stack = [root]
    while stack:
        node = stack.pop()
        mark = node._mark
        if mark is open_:
            node._mark = done
            order.append(node)
        elif mark is not done:
            node._mark = open_
            node.grad = 0.0
            stack.append(node)
            first = node._a
            args = (node._b, first) if first.__class__ is not tuple else reversed(first)
            for arg in args:
                if arg.__class__ is float or arg._mark is done:
                    continue
                if arg._form is None:
                    arg._mark = done
                    leaves.append(arg)
                elif arg._mark is open_:
                    topological_order(root)  # raises the CycleError
                else:
                    stack.append(arg)
    return order, leaves
