"""Nodes made while a function is recorded, whatever mode is current."""

from __future__ import annotations

from typing import Any

from autograd.engine import Value, clock
from autograd.forms import form
from autograd.operation import Op
from autograd.place import Origin

ONE = (True,)

new = Value.__new__


def new_node(data: float, op: Op | None, args: tuple[Any, ...], origin: Origin | None) -> Value:
    """Return a node with these."""
    node = new(Value)
    if op is None or op.by_hand or not 0 < len(args) < 3:
        node.__setstate__(((data, 0.0, op, args, "", origin),))
        return node
    node.data, node.grad, node.label, node.origin = data, 0.0, "", origin
    node._mark, node._age = None, clock[0]
    if len(args) == 1:
        node._a, node._b, node._form = args[0], 0.0, form(op, ONE)
    else:
        (a, b) = node._a, node._b = args
        node._form = form(op, (a.__class__ is not float, b.__class__ is not float))
    return node
