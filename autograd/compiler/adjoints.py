"""A gradient recorded for compiled code: what many products add up to is one node, a `dot`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from autograd import ops
from autograd.engine import Value
from autograd.graph import topological_order
from autograd.modes import changed_mode
from autograd.operation import Op
from autograd.transforms import contributions, descendants

FEWEST = 4
"""Fewer products are added one by one."""


def adjoints_of(out: Value, wrt: Sequence[Value]) -> list[Value | float]:
    """Return d out / d w for each w of ``wrt``, as `gradients` does but for rounding.

    There, each product that a weight gets is a node, and each addition: a network of weighted sums
    has two for every weight and every use of it, from which loops are found again, at a cost for
    each. Here they stay together.
    """
    order = topological_order(out)
    concerned = descendants(order, wrt)
    products: dict[Any, list[tuple[Any, Any]]] = {}
    others: dict[Any, list[Any]] = {out: [1.0]}
    with changed_mode(checked=False, grad=True, debug=None):
        for node in reversed(order):
            if node.op is None or node not in concerned:
                continue
            g = _total(products.pop(node, ()), others.pop(node, ()))
            pairs = list(_factors(node))
            if pairs and g.__class__ is not float:
                for arg, factor in pairs:
                    if arg in concerned:
                        products.setdefault(arg, []).append((g, factor))
                rest = zip(node.args[len(pairs) :], [g], strict=False)
            else:
                rest = zip(node.args, contributions(node, g, concerned), strict=True)
            for arg, part in rest:
                if arg in concerned:
                    others.setdefault(arg, []).append(part)
        return [_total(products.get(w, ()), others.get(w, ())) for w in wrt]


def _factors(node: Value) -> Iterator[tuple[Any, Any]]:
    """Yield each argument of a sum of products, but a bias, with what it is multiplied with."""
    assert node.op
    if node.op.weighted or node.op is ops.mul:
        half = len(node.args) // 2
        left, right = node.args[:half], node.args[half : 2 * half]
        yield from zip(left + right, right + left, strict=True)


def _total(products: Sequence[tuple[Any, Any]], others: Sequence[Any]) -> Any:
    """Return what contributions add up to; 0.0 without any."""
    parts = list(others)
    if len(products) < FEWEST:
        parts = [g * factor for g, factor in products] + parts
    else:
        gains, factors = zip(*products, strict=True)
        parts.insert(0, _node(ops.dot, gains + factors))
    return reduce(lambda total, part: total + part, parts) if parts else 0.0


def _node(op: Op, args: tuple[Any, ...]) -> Value:
    """Return a node whose number nobody asks for."""
    node = Value.__new__(Value)
    node.__setstate__(((0.0, 0.0, op, args, "", None),))
    return node
