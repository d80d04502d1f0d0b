"""What a function of a single number adds up: its terms, and which of them belong together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from autograd import ops
from autograd.compiler.recording import FunctionGraph
from autograd.disjoint import DisjointSets
from autograd.engine import Value


class Whole:
    """A recording that may be a batch.

    Args:
        graph: of one output, without loops.

    Attributes:
        height: of each node but leaves, how far it is from them.
        linear: the nodes that do nothing but add up the last `terms`.
    """

    def __init__(self, graph: FunctionGraph) -> None:
        self.graph = graph
        self._given = {*graph.inputs, *graph.parameters}
        self.linear: set[Value] = set()
        self.height: dict[Any, int] = {}
        self._uses: dict[Any, int] = {}
        height, uses = self.height, self._uses
        for node in graph.nodes:
            if args := self.args_of(node):
                deepest = 0
                for arg in args:
                    if arg.__class__ is not float:
                        below = height.get(arg, 0)
                        if below > deepest:
                            deepest = below
                        uses[arg] = uses.get(arg, 0) + 1
                height[node] = deepest + 1

    def args_of(self, node: Any) -> tuple[Any, ...]:
        """Return what a node is made of; of a leaf that follows another node, that one."""
        found: tuple[Any, ...] = node.args
        return found or ((self.graph.follows[node],) if node in self.graph.follows else ())

    def number(self, x: Any) -> float | None:
        """Return the number of a constant."""
        if x.__class__ is float:
            return x
        return None if x in self.height or x in self._given else x.data

    def deepest(self, nodes: Iterable[Any]) -> Any:
        """Return the node that is the furthest from the leaves."""
        return max(nodes, key=lambda node: self.height.get(node, 0))

    def arguments(self, node: Any) -> list[Any]:
        """Return what a node is made of, but for leaves and constants."""
        return [x for x in self.args_of(node) if x in self.height]

    def terms(self, out: Value) -> tuple[dict[Value, float], float]:
        """Return the nodes that a node is a weighted sum of, their weights, and a constant."""
        uses = self._uses.copy()
        uses[out] = 0
        weights: dict[Any, float] = {out: 1.0}
        terms: dict[Value, float] = {}
        self.linear = set()
        constant = 0.0
        for node in reversed(self.graph.nodes):
            if node not in weights:
                continue
            weight = weights.pop(node)
            # What is needed elsewhere, such as a logit, is of its sample as it is.
            parts = [] if uses[node] else list(self._weighted(node, weight))
            if not parts or any(x is None or not math.isfinite(w) for x, w in parts):
                terms[node] = weight
                continue
            self.linear.add(node)
            for x, w in parts:
                number = self.number(x)
                if number is None:
                    weights[x] = weights.get(x, 0.0) + w
                    uses[x] -= 1
                else:
                    constant += w * number
        return dict(reversed(terms.items())), constant

    def _weighted(self, node: Value, weight: float) -> Iterator[tuple[Any, float]]:
        """Yield what a node, times a weight, adds up: nodes and their weights; nothing if none.

        A None among them is for a leaf that is multiplied, and for what is no number's multiple:
        the product is a term then.
        """
        op, args = node.op, node.args

        def times(number: float | None, x: Any) -> tuple[Any, float]:
            if number is None or (weight and number and not weight * number):
                return None, weight  # a weight of 0 is none that is too small
            return x if x in self.height else None, weight * number

        if op is ops.add or op is ops.sum:
            yield from ((x, weight) for x in args)
        elif op is ops.sub:
            yield args[0], weight
            yield args[1], -weight
        elif op is ops.neg:
            yield times(-1.0, args[0])
        elif op is ops.div:
            number = self.number(args[1])
            yield times(1.0 / number if number else None, args[0])
        elif op is ops.mul or op is ops.dot:
            half = len(args) // 2
            for x, y in zip(args[:half], args[half : 2 * half], strict=True):
                a = self.number(x)
                yield times(self.number(y), x) if a is None else times(a, y)
            yield from ((x, weight) for x in args[2 * half :])

    def parts(self, terms: list[Value], most: int) -> tuple[set[Value], list[list[Value]], float]:
        """Return which nodes are of no sample, the terms sample by sample, and a number.

        Terms with a node in common are of one sample, unless these are more than ``most``: the
        number is that from which on there would be less of no sample.
        """
        samples = DisjointSets(range(len(terms)))
        users: dict[Any, set[int]] = {term: {i} for i, term in enumerate(terms)}
        shared: set[Value] = set()
        fewest = math.inf
        for node in reversed(self.graph.nodes):
            using = users.pop(node, None)
            if using is None or node not in self.height:
                continue
            using = {samples.first(i) for i in using}
            if len(using) > most:
                shared.add(node)
                fewest = min(fewest, len(using))
                continue
            first = min(using)
            for i in using:
                samples.join(i, first)
            for arg in self.args_of(node):
                if arg in self.height:
                    users.setdefault(arg, set()).add(first)
        parts: dict[int, list[Value]] = {}
        for i, term in enumerate(terms):
            parts.setdefault(samples.first(i), []).append(term)
        return shared, list(parts.values()), fewest
