"""A recording with its loops written out, step by step, for all that keeps none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiler.nodes import new_node
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.scans import PART, SCAN, LoopOp, Nesting
from autograd.engine import Value
from autograd.graph import topological_order


def unrolled(graph: FunctionGraph) -> FunctionGraph:
    """Return the same function without loops: the graph that an eager run records."""
    nest = Nesting(graph.nodes, graph.follows)
    if not nest.steps:
        return graph
    follows: dict[Value, Value] = {}
    known: dict[Any, Any] = {}
    _write_out(nest, nest.nodes, known, follows)
    outputs = [known.get(out, out) for out in graph.outputs]
    found = [out for out in outputs if isinstance(out, Value)]
    nodes = topological_order(*follows.values(), *found)
    return graph._replace(outputs=outputs, follows=follows, nodes=nodes)


def _write_out(
    nest: Nesting, nodes: Sequence[Value], known: dict[Any, Any], follows: dict[Value, Value]
) -> None:
    """Enter what nodes are, written out; of a loop, the list of all its results."""
    for node in nodes:
        args = [known.get(arg, arg) for arg in node.args]
        if node in nest.follows:
            known[node] = leaf = new_node(node.data, None, (), node.origin)
            followed = nest.follows[node]
            follows[leaf] = known.get(followed, followed)
        elif node.op is PART:
            known[node] = args[0][int(args[1])]
        elif node.op is SCAN:
            known[node] = _results(nest, node, known, follows)
        elif node.op is not None and not isinstance(node.op, LoopOp):
            known[node] = new_node(node.data, node.op, tuple(args), node.origin)
        elif node.op is None:
            known[node] = node


def _results(
    nest: Nesting, scan: Value, known: dict[Any, Any], follows: dict[Value, Value]
) -> list[Any]:
    step = nest.steps[scan]

    def of(x: Any) -> Any:
        return known.get(x, x)

    state = [of(node.args[0]) for node in step.carries]
    given: list[Any] = []
    for t in range(step.steps):
        known.update(zip(step.carries, state, strict=True))
        known.update((column, of(column.args[t])) for column in step.columns)
        _write_out(nest, step.nodes, known, follows)
        state = [of(x) for x in step.carried]
        given += [of(x) for x in step.given]
    return state + given
