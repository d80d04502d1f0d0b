"""Which nodes share a box: those of a module, those that are alike, or none.

>>> from autograd.engine import Value, trace
>>> graph = Graph(trace(Value(1.0) + Value(2.0) + Value(3.0))[0])
>>> graph.fold("op", alike=False).box, graph.fold("op", alike=True).box
([0, 1, 2, 3, 4], [0, 0, 1, 0, 2])
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import NamedTuple

from autograd.engine import Value
from autograd.graph import node_args

LEVELS = ("op", "neuron", "layer", "network")

ASSOCIATIVE = {"add", "mul", "sum", "maximum", "minimum"}
"""Ops of which a chain is one long op: ``a + b + c + ...``."""

MOST_TERMS = 16
"""Different terms that are told apart in such a chain."""


Term = tuple[str, str, tuple[int, ...]]
"""An op that may be part of a chain: its name, its module, the boxes of the terms."""


class Folding(NamedTuple):
    """Which box each node is in.

    Attributes:
        box: by position of the node; the boxes are numbered in order of appearance.
        modules: the paths of the modules in each box that stands for some.
    """

    box: list[int]
    modules: dict[int, dict[str, None]]


class Graph:
    """The nodes below a root by their positions, in topological order.

    Attributes:
        nodes: the order, the root last.
        args: the positions of each node's arguments, in order, duplicates kept.
        module: the path of the module that each node belongs to; "" for none.
    """

    def __init__(self, nodes: list[Value]) -> None:
        self.nodes = nodes
        self.position = {node: i for i, node in enumerate(nodes)}
        self.args = [[self.position[arg] for arg in node_args(node)] for node in nodes]
        self.module = self._modules()

    def _modules(self) -> list[str]:
        paths = [node.origin[0] if node.origin else "" for node in self.nodes]
        # A parameter is older than any call. Its label is its path below the module that was
        # made alone, so a prefix of the label is a suffix of the path of the calls.
        suffixes: dict[str, str] = {}
        for path in dict.fromkeys(paths):
            names = path.split(".") if path else []
            for i in range(len(names)):
                suffixes.setdefault(".".join(names[i:]), path)
        for i, node in enumerate(self.nodes):
            if node.op is None and "." in node.label and suffixes:
                owner = node.label
                while "." in owner:
                    owner = owner.rpartition(".")[0]
                    if owner in suffixes:
                        paths[i] = suffixes[owner]
                        break
        return paths

    def fold(self, level: str, *, alike: bool) -> Folding:
        """Return the boxes at a level.

        Args:
            level: whether a node stands for itself (``"op"``) or for its module.
            alike: whether to put together also what differs only in an index: the neurons of a
                layer, the terms of a long sum. Repeated samples of the same modules always are.
                The root, unless a module has it, keeps its own box.

        Cost: linear in nodes and edges.
        """
        if level == "op" and not alike:
            return Folding(list(range(len(self.nodes))), {})
        boxes: dict[Hashable, int] = {}
        terms: list[Term] = []
        found: list[int] = []
        modules: dict[int, dict[str, None]] = {}
        for i, node in enumerate(self.nodes):
            path, op = self.module[i], node.op
            term: Term = ("", "", ())
            key: Hashable
            if level != "op" and path:
                module = module_at(level, path)
                key = ("module", pattern(module) if alike else module)
                modules.setdefault(boxes.get(key, len(boxes)), {})[module] = None
            elif i == len(self.nodes) - 1:
                key = ("root",)
            elif op is None:
                key = ("leaf", starred(node.label), pattern(path)) if alike else ("leaf", i)
            else:
                args = dict.fromkeys([found[arg] for arg in self.args[i]])
                if op.name in ASSOCIATIVE:
                    key = term = _chain(op.name, pattern(path), args, terms)
                else:
                    key = (op.name, pattern(path), tuple(args))
            box = boxes.setdefault(key, len(boxes))
            if box == len(terms):
                terms.append(term)
            found.append(box)
        return Folding(found, modules)

    def fitting(self, level: str, budget: int | None) -> Folding:
        """Return the least folding, from ``level`` on, that needs at most ``budget`` boxes.

        Above the level of ops, the arrows count as well: those of two layers of 16 neurons are
        a black square. If there is none, the last resort is returned.
        """
        if budget is None or (level == "op" and len(self.nodes) <= budget):
            return self.fold(level, alike=False)
        coarser = LEVELS[LEVELS.index(level) :] if any(self.module) else (level,)
        for level_ in coarser:
            for alike in (False, True):
                if level_ == "op" and not alike:
                    continue
                folding = self.fold(level_, alike=alike)
                fits = max(folding.box) < budget
                if fits and (level_ == "op" or self._links(folding.box, budget) <= budget):
                    return folding
        return folding if any(self.module) else self.fold(level, alike=False)

    def _links(self, boxes: list[int], most: int) -> int:
        """Return the number of links between boxes, counted a little beyond ``most``."""
        links: set[tuple[int, int]] = set()
        for i, args in enumerate(self.args):
            links.update((boxes[arg], boxes[i]) for arg in args if boxes[arg] != boxes[i])
            if len(links) > most:
                break
        return len(links)

    def nearest(
        self,
        boxes: list[int],
        start: int,
        radius: int,
        most: int | None,
        *,
        up: bool = True,
        among: set[int] | None = None,
    ) -> set[int]:
        """Return the boxes at most ``radius`` links from ``start``, the nearest ``most``.

        Args:
            up: whether to go from arguments to their users, too.
            among: the boxes to keep to.
        """
        below, above = _neighbours(self.args, boxes)
        distance = {start: 0}
        queue = deque([start])
        while queue:
            box = queue.popleft()
            if distance[box] == radius:
                continue
            for other in [*below[box], *(above[box] if up else ())]:
                if other in distance or (among is not None and other not in among):
                    continue
                if most is None or len(distance) < most:
                    distance[other] = distance[box] + 1
                    queue.append(other)
        return set(distance)

    def between(self, first: int, last: int) -> list[int]:
        """Return the nodes on the paths from ``first`` to ``last``, which uses it."""
        reached = {first}
        for i in range(first + 1, last + 1):
            if not reached.isdisjoint(self.args[i]):
                reached.add(i)
        found = {last} & reached
        for i in range(last, first, -1):
            if i in found:
                found.update(arg for arg in self.args[i] if arg in reached)
        return sorted(found)


def _neighbours(args: list[list[int]], boxes: list[int]) -> tuple[list[list[int]], list[list[int]]]:
    """Return the boxes below and above each box, in order, each once."""
    count = max(boxes) + 1
    below: list[dict[int, None]] = [{} for _ in range(count)]
    above: list[dict[int, None]] = [{} for _ in range(count)]
    for i, positions in enumerate(args):
        for arg in positions:
            if boxes[arg] != boxes[i]:
                below[boxes[i]][boxes[arg]] = None
                above[boxes[arg]][boxes[i]] = None
    return list(map(list, below)), list(map(list, above))


def _chain(op: str, path: str, args: Iterable[int], terms: list[Term]) -> Term:
    """Return the chain of one op that ends here: its terms, (-1,) if there are too many."""
    flat: set[int] = set()
    long = False
    for arg in args:
        inner_op, inner_path, inner = terms[arg]
        if (inner_op, inner_path) == (op, path):
            flat.update(inner)
            long = True
        else:
            flat.add(arg)
    if -1 in flat or (long and len(flat) > MOST_TERMS):
        return op, path, (-1,)
    return op, path, tuple(sorted(flat))


@lru_cache(maxsize=4096)
def module_at(level: str, path: str) -> str:
    """Return the module that stands for ``path`` at a level.

    The innermost is the neuron, what holds it the layer.

    >>> [module_at(level, "blocks.0.layers.1.neurons.3") for level in LEVELS[1:]]
    ['blocks.0.layers.1.neurons.3', 'blocks.0.layers.1', 'network']
    """
    if level == "network":
        return level
    modules = re.findall(r"[^.]+(?:\.\d+)*", path)
    return path if level == "neuron" or len(modules) < 2 else ".".join(modules[:-1])


@lru_cache(maxsize=4096)
def pattern(path: str) -> str:
    """Return a path without the index of its last module.

    >>> pattern("layers.0.neurons.3")
    'layers.0.neurons.*'
    """
    return re.sub(r"\.\d+$", ".*", path)


@lru_cache(maxsize=4096)
def starred(label: str) -> str:
    """Return a label without its numbers, which tell apart what is alike: x1 and x2.

    >>> starred("layers.0.neurons.3.w.1"), starred("x1")
    ('layers.*.neurons.*.w.*', 'x*')
    """
    return re.sub(r"\d+", "*", label)


def merged(labels: Iterable[str]) -> str:
    """Return labels that differ only in numbers as one, a star where the numbers differ.

    >>> merged(["layers.0.neurons.3.w.1", "layers.0.neurons.4.w.1"])
    'layers.0.neurons.*.w.1'
    """
    different = dict.fromkeys(labels)
    parts = zip(*(re.split(r"(\d+)", label) for label in different), strict=True)
    return "".join(part[0] if len(set(part)) == 1 else "*" for part in parts)
