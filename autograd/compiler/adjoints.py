"""A gradient written for compiled code: what many products add up to is one `dot`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from autograd import ops
from autograd.compiler.program import Program, Register, Writer
from autograd.compiler.recording import FunctionGraph
from autograd.engine import Value
from autograd.modes import changed_mode
from autograd.operation import Number
from autograd.transforms import descendants, shares

FEWEST = 4
"""Fewer products are added one by one."""


def gradient_program(graph: FunctionGraph, wrt: Sequence[Value]) -> Program:
    """Return what computes a function's outputs, and after the first its derivatives.

    There is one for each of ``wrt``. They are those of `gradients` but for rounding: the rules of
    the table are run on the program's registers. There, each product that a weight gets is a node,
    and each addition: a network of weighted sums has two for every weight and every use of it, from
    which loops are found again, at a cost for each. Here they stay together.
    """
    writer = Writer(graph.inputs, graph.parameters, graph.choices)
    writer.write(graph.nodes, graph.follows)
    first, *others = graph.outputs
    with changed_mode(checked=False, grad=True, debug=None):
        found = _adjoints(writer, graph, first, wrt)
    slopes = [x if x.__class__ is float else x.number for x in found]
    return writer.program([writer.result(first), *slopes, *map(writer.result, others)])


def _adjoints(writer: Writer, graph: FunctionGraph, out: Any, wrt: Sequence[Value]) -> list[Any]:
    """Write d out / d w for each w of ``wrt``; return its register or float."""
    known = writer.known
    concerned = descendants(graph.nodes, wrt)
    products: dict[Any, list[tuple[Any, Any]]] = {}
    others: dict[Any, list[Any]] = {out: [1.0]}
    for node in reversed(graph.nodes):
        op = node.op
        if op is None or node not in concerned or not (node in products or node in others):
            continue
        g = _total(writer, products.pop(node, ()), others.pop(node, ()))
        args = node.args
        count = 0
        if g.__class__ is Register and (op.weighted or op is ops.mul):
            half = len(args) // 2
            count = 2 * half
            turned = args[half:count] + args[:half]
            for arg, factor in zip(args, turned, strict=False):
                if arg in concerned:
                    gains = products.setdefault(arg, [])
                    gains.append((g, factor if factor.__class__ is float else known[factor]))
            # What is left is a bias.
            parts = [g] * (len(args) - count)
        else:
            given = [arg if arg.__class__ is float else known[arg] for arg in args]
            slots = [slot for slot, arg in enumerate(args) if arg in concerned]
            result = known[node]
            out = Number(result) if result.__class__ is float else result
            parts = shares(op, out, given, g, slots)
        for arg, part in zip(args[count:], parts, strict=True):
            if arg in concerned:
                others.setdefault(arg, []).append(part)
    return [_total(writer, products.get(w, ()), others.get(w, ())) for w in wrt]


def _total(writer: Writer, products: Sequence[tuple[Any, Any]], others: Sequence[Any]) -> Any:
    """Return what contributions add up to; 0.0 without any."""
    parts = list(others)
    if len(products) < FEWEST:
        parts = [writer.apply(ops.mul, [g, factor]) for g, factor in products] + parts
    else:
        gains, factors = zip(*products, strict=True)
        parts.insert(0, writer.apply(ops.dot, [*gains, *factors]))
    return reduce(lambda total, part: writer.apply(ops.add, [total, part]), parts) if parts else 0.0
