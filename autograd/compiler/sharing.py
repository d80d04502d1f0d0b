"""A recorded graph with each distinct node once: what is differentiated, and what code is kept by.

A recording has every line that was run. A gradient of it would repeat each of them again and again,
where the value's program, which shares what is equal, is long shorter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograd import ops
from autograd.compiler.nodes import new_node
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.scans import LoopOp
from autograd.compiler.simplification import SIMPLIFIED, bits, simplified
from autograd.engine import Value
from autograd.operation import Op


def shared(graph: FunctionGraph) -> FunctionGraph:
    """Return the same function, with equal nodes merged and constants folded.

    Values keep every bit. A gradient may differ from the recording's by rounding, as one node
    gathers what several equal ones got.
    """
    return Sharer().share(graph)


def text_of(graph: FunctionGraph) -> str:
    """Return all that a graph computes as text, row by row; equal texts are equal functions.

    Rows stand by their names: what those of a user's mean, it doesn't say.
    """
    return "\n".join(_lines(graph))


def _lines(graph: FunctionGraph) -> Iterator[str]:
    names = {leaf: f"x{i}" for i, leaf in enumerate(graph.inputs)}
    names |= {leaf: f"p{i}" for i, leaf in enumerate(graph.parameters) if leaf not in names}
    text = lambda arg: bits(arg).hex() if arg.__class__ is float else names[arg]
    yield f"{len(graph.inputs)} inputs, {len(graph.parameters)} parameters"
    for place, rows in graph.choices.items():
        yield f"x{place} chooses of {rows}"
    for node in graph.nodes:
        if node in names:
            continue
        if node in graph.follows:
            # It has no gradient, so it isn't that node.
            names[node] = f"detached {names[graph.follows[node]]}"
        elif node.op is None:
            names[node] = f"leaf {bits(node.data).hex()}"
        else:
            names[node] = f"v{len(names)}"
            yield f"{names[node]} = {node.op.name}({', '.join(map(text, node.args))})"
    yield f"return {', '.join(map(text, graph.outputs))}"


class Sharer:
    """Makes nodes, each distinct one once.

    Attributes:
        made: all of them, each after its arguments.
        follows: as of a `FunctionGraph`.
    """

    def __init__(self) -> None:
        self.made: list[Value] = []
        self.numbered: dict[tuple[Any, ...], Value] = {}
        self.follows: dict[Value, Value] = {}
        self._detached: dict[Value, Value] = {}

    def share(self, graph: FunctionGraph) -> FunctionGraph:
        """Return the same function of nodes that are made here."""
        known: dict[Any, Any] = {leaf: leaf for leaf in (*graph.inputs, *graph.parameters)}
        for node in graph.nodes:
            if node in graph.follows:
                known[node] = self.detached(known[graph.follows[node]])
            elif node not in known:
                op = node.op
                if op is None:
                    known[node] = node.data
                    continue
                args = [arg if arg.__class__ is float else known[arg] for arg in node.args]
                known[node] = self.apply(op, args)
        outputs = [known[out] if isinstance(out, Value) else out for out in graph.outputs]
        return self.returning(graph, outputs)

    def returning(self, graph: FunctionGraph, outputs: list[Any]) -> FunctionGraph:
        """Return a function of the same arguments that returns nodes which are made here."""
        nodes = [*graph.inputs, *graph.parameters, *self.made]
        return graph._replace(outputs=outputs, follows=self.follows, nodes=nodes)

    def apply(self, op: Op, args: list[Any]) -> Any:
        """Return the node, or the float, of ``op`` applied to nodes and floats."""
        has_floats = float in map(type, args)
        if has_floats and Value not in map(type, args) and not isinstance(op, LoopOp):
            return op.ieee(*args)
        # The branch that a constant condition drops has a gradient, if only of 0 times infinity.
        if op is not ops.where and (has_floats or op in SIMPLIFIED):
            short = simplified(op, args)
            if short is not None:
                return self.apply(*short) if short.__class__ is tuple else short
        key: tuple[Any, ...] = (op, *args)
        if has_floats:
            key = (op, *[bits(arg) if arg.__class__ is float else arg for arg in args])
        found = self.numbered.get(key)
        if found is None:
            found = self.numbered[key] = new_node(0.0, op, tuple(args), None)
            self.made.append(found)
        return found

    def detached(self, node: Any) -> Any:
        """Return the leaf that follows a node; a float is itself."""
        if node.__class__ is float:
            return node
        if node not in self._detached:
            leaf = self._detached[node] = Value(0.0)
            self.follows[leaf] = node
            self.made.append(leaf)
        return self._detached[node]
