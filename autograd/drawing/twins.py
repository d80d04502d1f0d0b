"""Models of equal paths, such as two networks in two variables, told apart by what flows.

>>> from autograd.functions import trace
>>> from autograd.modes import scope
>>> first, second = Value(2.0, "neurons.0.w"), Value(3.0, "neurons.0.w")
>>> with scope("neurons.0"):
...     out = second * (first * 0.5)
>>> told_apart(Parts(trace(out)[0], [0, 1], ["neurons.0"] * 4))
['layer2.neurons.0', 'layer1.neurons.0', 'layer1.neurons.0', 'layer2.neurons.0']
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Set
from itertools import chain
from typing import NamedTuple

from autograd.drawing.paths import row_of
from autograd.engine import Value


class Parts(NamedTuple):
    """Nodes in topological order, the positions of parameters, and the place of each node."""

    nodes: list[Value]
    parameters: list[int]
    place: list[str]


def told_apart(parts: Parts) -> list[str]:
    """Return the places, with names of their own for models of equal paths.

    What tells that there are several are parameters that are called alike. Neurons of a layer that
    is in no module are all there is in their model, and so is a matrix.

    Cost: linear in nodes and edges, and as many steps for a parameter as there are models before.
    """
    nodes, parameters, place = parts
    names = Counter((place[i], nodes[i].label) for i in parameters)
    root = [path.partition(".")[0] for path in place]
    twinned = {path.partition(".")[0] for (path, _), count in names.items() if count > 1}
    if not twinned:
        return place
    heads = {name: _head(parts, name) for name in twinned}
    found = list(place)
    alone = {name for name, head in heads.items() if head != "model"}
    for roots in [{name} for name in sorted(alone)] + [twinned - alone]:
        for i, number in _models(parts, root, roots).items():
            head = heads[root[i]]
            is_whole = place[i] == head
            found[i] = f"{head}{number}" if is_whole else f"{head}{number}.{place[i]}"
    return found


def _head(parts: Parts, root: str) -> str:
    """Return what models are called whose paths begin with a name."""
    its = [i for i in parts.parameters if parts.place[i].partition(".")[0] == root]
    if all(parts.place[i] == root for i in its):
        return root
    are_neurons = all(
        re.fullmatch(r"[^.]+\.\d+", place := parts.place[i])
        and not row_of(parts.nodes[i].label.removeprefix(f"{place}."))
        for i in its
    )
    return "layer" if are_neurons else "model"


def _models(parts: Parts, root: list[str], roots: Set[str]) -> dict[int, int]:
    """Return which model each node below some names is of, counted as they are run.

    A node belongs to the model of its parameters. One whose parameters are met for the first time
    is beside what was given the same, in the same layer, or else in the model that gave it
    something, or in the first one that has no parameter of that name. Of several beside it, what
    is done to the result tells: to those of a layer, much the same.
    """
    nodes, parameters, place = parts
    position = {nodes[i]: i for i in parameters if root[i] in roots}
    name = {i: (place[i], nodes[i].label) for i in position.values()}
    model: dict[int, int] = {}
    of: dict[Value, int] = {}
    taken: set[tuple[int, tuple[str, str]]] = set()
    beside: dict[Hashable, dict[int, int]] = {}  # models, each with a node of it
    fate = _fates(nodes)
    count = 0

    def likeness(a: int, b: int) -> float:
        return len(fate[a] & fate[b]) / (len(fate[a] | fate[b]) or 1)

    def free(new: list[int], candidates: Iterable[int]) -> Iterator[int]:
        return (x for x in candidates if not any((x, name[leaf]) in taken for leaf in new))

    for i, node in enumerate(nodes):
        if node.op is None or root[i] not in roots:
            continue
        own = [position[arg] for arg in node.args if isinstance(arg, Value) and arg in position]
        given = tuple(arg for arg in node.args if not (isinstance(arg, Value) and arg in position))
        layer = place[i].rpartition(".")[0], given
        known = [model[leaf] for leaf in own if leaf in model]
        givers = [of[arg] for arg in given if isinstance(arg, Value) and arg in of]
        near = beside.setdefault(layer, {})
        if known:
            number = known[0]
        elif own:
            nearest = sorted(free(own, near), key=lambda number: -likeness(near[number], i))
            others = free(own, chain(givers, range(1, count + 1)))
            number = next(chain(nearest, others), count + 1)
        else:  # any will do
            number = next(chain(near, givers, range(1, count + 1)), 1)
        count = max(count, number)
        of[node] = model[i] = number
        near.setdefault(number, i)
        for leaf in own:
            if leaf not in model:
                model[leaf] = number
                taken.add((number, name[leaf]))
    for leaf in name:
        if leaf not in model:
            model[leaf] = number = next(free([leaf], range(1, count + 1)), count + 1)
            count = max(count, number)
            taken.add((number, name[leaf]))
    return model


def _fates(nodes: list[Value]) -> list[set[str]]:
    """Return what is done to each node, and to what that gives: ops, and slots of those of few."""
    position = {node: i for i, node in enumerate(nodes)}
    uses = [
        (position[arg], i, f"{node.op.name} {slot if node.op.arity else 0}")
        for i, node in enumerate(nodes)
        if node.op is not None
        for slot, arg in enumerate(node.args)
        if isinstance(arg, Value)
    ]
    first: list[set[str]] = [set() for _ in nodes]
    for arg, _, use in uses:
        first[arg].add(use)
    found = [set(its) for its in first]
    for arg, user, use in uses:
        found[arg].update(f"{use}, {then}" for then in first[user])
    return found
