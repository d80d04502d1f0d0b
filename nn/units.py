"""Units with a flat side, on which they can get stuck: those of ReLU and tanh."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from autograd import Value, topological_order

FLAT: dict[str, Callable[[Any], Any]] = {
    "relu": lambda y: y == 0,
    "tanh": lambda y: abs(y) > 0.99,
}
"""The activations with a flat side on which a unit can get stuck: whether an answer is of it."""

Unit = tuple[str, str, str]
"""A unit with a flat side: its layer, its op, and its own path."""


def units_below(out: Value) -> list[Value]:
    """Return the nodes below ``out`` that are units with a flat side, inputs first."""
    nodes = topological_order(out)
    return [node for node in nodes if (op := node.op) and op.name in FLAT and node.origin]


def unit_of(node: Value) -> Unit:
    """Return the unit that a node is the answer of."""
    assert node.op is not None
    assert node.origin is not None
    return unit_at(node.origin[0], node.op.name)


@lru_cache(maxsize=4096)
def unit_at(path: str, op: str) -> Unit:
    """Return the unit whose answers an op of this name gives in the scope of this path."""
    return path.rpartition(".neurons.")[0] or path, op, path
