"""Which nodes belong to one sample alone: what can be looked at by itself, of all that repeats.

A leaf that one sample alone uses is its input, or its target.

>>> from autograd.drawing.structure import Structure
>>> from autograd.functions import trace
>>> w = Value(2.0, label="w")
>>> losses = [(w * x).tanh() for x in (1.0, Value(2.0), 3.0)]
>>> found = Structure(trace(losses[0] + losses[1] + losses[2])[0]).samples
>>> found.names, found.of
(['sample 0', 'sample 1', 'sample 2'], [-1, 0, 0, 1, 1, 1, -1, 2, 2, -1])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence, Set
from typing import NamedTuple

from autograd.disjoint import DisjointSets
from autograd.drawing.roles import adds_to_first
from autograd.engine import Value

MOST_SPLITS = 8
"""Sums below each other that are tried: data loss plus penalty, a mean of means, ..."""


class Graph(NamedTuple):
    """Nodes in topological order, the positions of each one's arguments, and its repetition."""

    nodes: list[Value]
    args: list[list[int]]
    turn: list[str]


class Repetitions(NamedTuple):
    """The repetitions of a run that share nothing but parameters.

    Attributes:
        names: what each is called; none where there are fewer than two.
        of: by position of the node, which it belongs to; -1 for what all share.
    """

    names: list[str]
    of: list[int]


def samples_of(graph: Graph) -> Repetitions:
    """Return the samples of a run: by the scopes they were recorded in, else by what they share.

    Cost: linear in nodes and edges.
    """
    found = _by_scope(graph) or _by_sharing(graph)
    if found is None or len(found.names) < 2:
        return Repetitions([], [-1] * len(graph.nodes))
    _claim_leaves(graph, found.of)
    return found


def is_part_of_sum(node: Value, user: Value) -> bool:
    """Return whether a node is what its user adds to, or takes from."""
    op, then = node.op, user.op
    if op is None or then is None:
        return False
    if op is then:
        return op.commutes or (adds_to_first(op) and user.args[0] is node)
    return adds_to_first(op) and adds_to_first(then) and user.args[0] is node


def are_similar(done: Sequence[Set[Hashable]]) -> bool:
    """Return whether half of all that is done, or more, is done by each."""
    return 2 * len(frozenset.intersection(*map(frozenset, done))) >= len(frozenset().union(*done))


def _by_scope(graph: Graph) -> Repetitions | None:
    """Return the outermost repetitions that scopes name, ``samples.7``."""
    heads = [".".join(turn.split(".")[:2]) for turn in graph.turn]
    stem = next((head.partition(".")[0] for head in heads if head), None)
    if stem is None:
        return None
    names = [head for head in dict.fromkeys(heads) if head.partition(".")[0] == stem]
    number = {name: i for i, name in enumerate(names)}
    calls = [name.replace("samples.", "sample ") for name in names]
    return Repetitions(calls, [number.get(head, -1) for head in heads])


def _by_sharing(graph: Graph) -> Repetitions | None:
    """Return the parts of a long sum that have only leaves in common, and do the same.

    They are most of what is computed, but for a penalty. Deep in a network there are others: what
    its first layer does to each input.
    """
    inner = [node.op is not None for node in graph.nodes]
    top, most = len(inner) - 1, 0
    for _ in range(MOST_SPLITS):
        terms = _terms(graph, top, inner)
        while len(terms) == 1:
            terms = _terms(graph, terms[0], inner)
        if not terms:
            return None
        part, size = _parts(graph, terms, inner)
        ops: dict[int, set[str]] = {}
        for i, number in part.items():
            op = graph.nodes[i].op
            assert op is not None
            ops.setdefault(number, set()).add(op.name)
        alike: dict[frozenset[str], list[int]] = {}
        for number in sorted(ops):
            alike.setdefault(frozenset(ops[number]), []).append(number)
        group = max(alike.values(), key=lambda numbers: sum(size[n] for n in numbers))
        if len(group) > 1:  # so do those whose loss depends on their label
            group = [number for number in sorted(ops) if are_similar([ops[number], ops[group[0]]])]
        if len(group) > 1 and _share_parameters(graph, part, group):
            if 2 * sum(size[number] for number in group) < most:
                return None
            rank = _ranks(graph, part, group)
            of = [rank.get(part.get(i, -1), -1) for i in range(len(inner))]
            return Repetitions([f"sample {k}" for k in range(max(rank.values()) + 1)], of)
        top = max(terms, key=lambda term: (size[part[term]], term))
        most = most or size[part[top]]
    return None


def _ranks(graph: Graph, part: dict[int, int], group: list[int]) -> dict[int, int]:
    """Return which sample each part belongs to.

    Parts that have no parameter of a module in common, as the outputs of a layer, are parts of one
    sample: there are as many samples as parts that have.
    """
    kinds = DisjointSets(group)
    first: dict[int, int] = {}  # the part that uses a parameter before all others
    for i, number in part.items():
        for arg in graph.args[i] if number in kinds else ():
            if graph.nodes[arg].op is None and "." in graph.nodes[arg].label:
                kinds.join(number, first.setdefault(arg, number))
    alike: dict[int, list[int]] = {}
    for number in group:
        alike.setdefault(kinds.first(number), []).append(number)
    samples = list(alike.values())
    if len(samples[0]) == 1 or len(set(map(len, samples))) > 1:
        samples = [group]
    return {number: k for numbers in samples for k, number in enumerate(numbers)}


def _share_parameters(graph: Graph, part: dict[int, int], group: list[int]) -> bool:
    """Return whether parts have as many leaves in common as of their own.

    The samples of a network do, as its first layer alone has a weight for each input, and a bias.
    Its neurons, which share their inputs, do not.
    """
    leaves: dict[int, set[int]] = {number: set() for number in group}
    for i, number in part.items():
        if number in leaves:
            leaves[number].update(a for a in graph.args[i] if graph.nodes[a].op is None)
    uses = Counter(leaf for found in leaves.values() for leaf in found)
    shared = [uses[leaf] > 1 for found in leaves.values() for leaf in found]
    return 2 * sum(shared) >= len(shared) > 0


def _terms(graph: Graph, top: int, inner: list[bool]) -> list[int]:
    """Return the arguments of a node that are computed, through a chain of sums."""
    found: dict[int, None] = {}
    waiting = [top]
    while waiting:
        user = waiting.pop()
        for arg in graph.args[user]:
            if inner[arg] and arg not in found:
                if is_part_of_sum(graph.nodes[arg], graph.nodes[user]):
                    waiting.append(arg)
                else:
                    found[arg] = None
    return sorted(found)


def _parts(
    graph: Graph, terms: list[int], inner: list[bool]
) -> tuple[dict[int, int], dict[int, int]]:
    """Return the part that each node below the terms is in, and the parts' sizes.

    Terms that share a computed node are one part, called by the first of them.
    """
    shared = DisjointSets(terms)
    owner: dict[int, int] = {}
    for term in terms:
        waiting = [term]
        while waiting:
            i = waiting.pop()
            if i in owner:
                a, b = sorted((shared.first(owner[i]), shared.first(term)))
                shared.join(b, a)
                continue
            owner[i] = term
            waiting += (arg for arg in graph.args[i] if inner[arg])
    part = {i: shared.first(term) for i, term in owner.items()}
    size: dict[int, int] = {}
    for number in part.values():
        size[number] = size.get(number, 0) + 1
    return part, size


def _claim_leaves(graph: Graph, of: list[int]) -> None:
    """Give a leaf to the sample that alone uses it: its input."""
    users: dict[int, set[int]] = {}
    for i, args in enumerate(graph.args):
        for arg in args:
            if graph.nodes[arg].op is None:
                users.setdefault(arg, set()).add(of[i])
    for leaf, samples in users.items():
        of[leaf] = samples.pop() if len(samples) == 1 else -1
