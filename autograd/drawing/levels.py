"""Which nodes share a box: those of a module, those that are alike, or none.

>>> from autograd.engine import Value
>>> from autograd.functions import trace
>>> structure = Structure(trace((0.0 + Value(1.0) + Value(2.0) + Value(3.0)) * 2)[0])
>>> fitting(structure, "op", 9).box, fitting(structure, "op", 5).box
([0, 1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1, 2])
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import NamedTuple

from autograd.drawing.structure import Structure

LEVELS = ("op", "neuron", "layer", "network")

MOST_TERMS = 16
"""Different terms that are told apart in a chain that is one long op: ``a + b + c + ...``."""


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


def fitting(structure: Structure, level: str, budget: int | None) -> Folding:
    """Return the boxes at a level, as far as they fit a budget.

    A level only divides the boxes of the coarser one, so that it never has fewer: first there is
    one box for the network, then one for each layer, each neuron, each node. What belongs to no
    module is put together by what it does: the losses of all samples are one box.

    What doesn't fit is put together where it differs only in an index, such as the neurons of a
    layer; if that is too much still, the coarser level stands. Above the level of ops, the arrows
    count as well: those of two layers of 16 neurons are a black square.

    Cost: linear in nodes and edges.
    """
    found = fold(structure, "network")
    for finer in reversed(LEVELS[LEVELS.index(level) : -1]):
        for alike in (False, True):
            divided = fold(structure, finer, found, alike=alike)
            if _fits(structure, divided, finer, budget):
                found = divided
                break
    return found


def _fits(structure: Structure, folding: Folding, level: str, budget: int | None) -> bool:
    if budget is None:
        return True
    few = max(folding.box) < budget
    return few and (level == "op" or _links(structure, folding.box, budget) <= budget)


def fold(
    structure: Structure, level: str | int, coarser: Folding | None = None, *, alike: bool = False
) -> Folding:
    """Return the boxes at a level.

    Args:
        level: whether a node stands for itself (``"op"``) or for its module; see `module_at`.
        coarser: the boxes to divide; None for a single one.
        alike: whether to put together also what differs only in an index: the neurons of a layer,
            and of nodes those that are alike. Repetitions of the same modules always are.
    """
    if level == "op" and not alike:
        return Folding(list(range(len(structure.nodes))), {})
    boxes: dict[Hashable, int] = {}
    terms: list[Term] = []
    found: list[int] = []
    modules: dict[int, dict[str, None]] = {}
    last = len(structure.nodes) - 1
    uses = Counter(arg for args in structure.args for arg in args)
    for i, node in enumerate(structure.nodes):
        path, op = structure.place[i], node.op
        module = module_at(level, path) if level != "op" and path else ""
        term: Term = ("", "", ())
        key: Hashable
        if module:
            key = ("module", pattern(module) if alike else module)
        elif op is None:
            users = frozenset() if node.label else structure.users(i)
            key = ("leaf", starred(node.label), pattern(path), users)
        else:
            args = dict.fromkeys([found[arg] for arg in structure.args[i]])
            key = (op.name, pattern(path), tuple(args))
            if op.commutes:
                # What is used elsewhere, too, is no mere part of a long sum: a residual stream.
                parts = {found[arg] for arg in structure.args[i] if uses[arg] == 1}
                key = term = _chain(op.name, pattern(path), args, terms, parts)
        key = (coarser and coarser.box[i], key)
        if i == last and not module and not (term[0] and key in boxes):
            key = "root"  # but a long sum, which the root ends, is one box with it
        box = boxes.setdefault(key, len(boxes))
        if module:
            modules.setdefault(box, {})[module] = None
        if box == len(terms):
            terms.append(term)
        found.append(box)
    return Folding(found, modules)


def _links(structure: Structure, boxes: list[int], most: int) -> int:
    """Return the number of links between boxes, counted a little beyond ``most``."""
    links: set[tuple[int, int]] = set()
    for i, args in enumerate(structure.args):
        links.update((boxes[arg], boxes[i]) for arg in args if boxes[arg] != boxes[i])
        if len(links) > most:
            break
    return len(links)


def nearest(
    structure: Structure,
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
    below, above = _neighbours(structure.args, boxes)
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


def between(structure: Structure, first: int, last: int) -> list[int]:
    """Return the nodes on the paths from ``first`` to ``last``, which uses it."""
    reached = {first}
    for i in range(first + 1, last + 1):
        if not reached.isdisjoint(structure.args[i]):
            reached.add(i)
    found = {last} & reached
    for i in range(last, first, -1):
        if i in found:
            found.update(arg for arg in structure.args[i] if arg in reached)
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


def _chain(op: str, path: str, args: Iterable[int], terms: list[Term], parts: set[int]) -> Term:
    """Return the chain of one op that ends here: its terms, (-1,) if there are too many.

    Args:
        parts: the boxes that are used here alone, whose own chains may go on.
    """
    flat: set[int] = set()
    long = False
    for arg in args:
        inner_op, inner_path, inner = terms[arg]
        if arg in parts and (inner_op, inner_path) == (op, path):
            flat.update(inner)
            long = True
        else:
            flat.add(arg)
    if -1 in flat or (long and len(flat) > MOST_TERMS):
        return op, path, (-1,)
    return op, path, tuple(sorted(flat))


@lru_cache(maxsize=4096)
def module_at(level: str | int, path: str) -> str:
    """Return the module that stands for ``path`` at a level.

    The innermost is the neuron, what holds it the layer. A number is how many modules deep.

    >>> [module_at(level, "blocks.0.layers.1.neurons.3") for level in (*LEVELS[1:], 1)]
    ['blocks.0.layers.1.neurons.3', 'blocks.0.layers.1', 'network', 'blocks.0']
    """
    if level == "network":
        return level
    modules = modules_in(path)
    if isinstance(level, int):
        return ".".join(modules[:level])
    return path if level == "neuron" or len(modules) < 2 else ".".join(modules[:-1])


@lru_cache(maxsize=4096)
def modules_in(path: str) -> tuple[str, ...]:
    """Return the names in a path of modules, each with its index.

    >>> modules_in("blocks.0.layers.1.act")
    ('blocks.0', 'layers.1', 'act')
    """
    return tuple(re.findall(r"[^.]+(?:\.\d+)*", path))


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
