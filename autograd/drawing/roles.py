"""What leaves are, by what is done with them: weights are factors, biases are added.

>>> from autograd.functions import trace
>>> w, b, h = Value(0.5), Value(0.1), Value(1.0)
>>> for _ in range(3):
...     h = (w * h).tanh() + b
>>> nodes = trace(h)[0]
>>> roles = roles_of(nodes, set())
>>> roles[nodes.index(w)], roles[nodes.index(b)]
('weights', 'biases')
"""

from __future__ import annotations

from collections.abc import Set
from functools import lru_cache

from autograd.engine import Value
from autograd.errors import RuleError
from autograd.operation import Op, Symbol


def roles_of(nodes: list[Value], shared: Set[int]) -> dict[int, str]:
    """Return what leaves are, by their positions: "weights", "biases", or "parameters" of both.

    Such are those that samples share. Of one sample, they are what is used again on what came of
    its use before: in each turn of a loop, as no input is.

    Args:
        nodes: the graph in topological order.
        shared: the positions of leaves that samples share.

    Cost: linear in nodes and edges.
    """
    position = {node: i for i, node in enumerate(nodes)}
    depth: list[int] = []
    uses: dict[int, set[tuple[str, int]]] = {}
    for node in nodes:
        args = {position[arg] for arg in node.args if isinstance(arg, Value)}
        depth.append(1 + max((depth[arg] for arg in args), default=-1))
        for slot, arg in enumerate(node.args):
            if node.op is None or not isinstance(arg, Value) or arg.op is not None:
                continue
            leaf = position[arg]
            others = args - {leaf}
            is_on_computed = any(nodes[other].op is not None for other in others)
            if is_on_computed or (leaf in shared and (others or len(node.args) > len(args))):
                uses.setdefault(leaf, set()).add((_role(node, slot), depth[-1]))
    found = {}
    for leaf, its in uses.items():
        roles = {role for role, _ in its}
        if leaf in shared:
            found[leaf] = roles.pop() if len(roles) == 1 else "parameters"
        elif len(roles) == 1 and len(its) > 1:
            found[leaf] = roles.pop()
    return {leaf: role for leaf, role in found.items() if role}


def _role(node: Value, slot: int) -> str:
    op, half = node.op, len(node.args) // 2
    assert op is not None
    if op.weighted:
        return "weights" if slot < half else "biases" if slot == 2 * half else ""
    if is_product(op):
        return "weights"
    return "biases" if op.commutes and adds_to_first(op) else ""


@lru_cache
def adds_to_first(op: Op) -> bool:
    """Return whether an op of two arguments hands the first one on, and adds to it."""
    if op.arity != 2:
        return False
    try:
        handed_on = op.locals(Symbol("z"), (Symbol("x"), Symbol("y")))[0]
    except RuleError:  # one built by hand, whose derivative nobody told
        return False
    return not isinstance(handed_on, Symbol) and handed_on == 1.0


@lru_cache
def is_product(op: Op) -> bool:
    """Return whether an op multiplies two arguments, as its derivatives tell."""
    if op.arity != 2:
        return False
    x, y = Symbol("x"), Symbol("y")
    try:
        by_x, by_y = op.locals(Symbol("z"), (x, y))
    except RuleError:  # one built by hand, whose derivative nobody told
        return False
    return by_x is y and by_y is x
