"""Which nodes share a box: those of a module, those that are alike, or none.

>>> from autograd.engine import Value
>>> from autograd.functions import trace
>>> structure = Structure(trace((0.0 + Value(1.0) + Value(2.0) + Value(3.0)) * 2)[0])
>>> fitting(structure, "op", 9).box, fitting(structure, "op", 5).box
([0, 1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1, 2])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from autograd.drawing.network import network_of, uses_of
from autograd.drawing.paths import module_at, pattern, starred
from autograd.drawing.samples import is_part_of_sum
from autograd.drawing.segments import segments_of, with_layers
from autograd.drawing.stages import Stages, stages_of
from autograd.drawing.stretches import joined
from autograd.drawing.structure import Structure

TURNS = 3
"""So often something comes before it repeats: a stage; a sum that adds, takes away and back."""

CROWD = 40
"""Boxes that are read one by one; of more, those that differ only in an index are one."""

IN_A_ROW = 24
"""Boxes of operations that can be followed; so many are left of a crowd, and at the coarsest level
there are no more. What is cut to a budget goes as far, so that it has no fewer."""

LEVELS = ("op", "neuron", "layer", "network")


Box = TypeVar("Box", bound=Hashable)


class Folding(NamedTuple):
    """Which box each node is in.

    Attributes:
        box: by position of the node; the boxes are numbered in order of appearance.
        modules: the paths of the modules in each box that stands for some.
        turn: of each box in a turn of what repeats one after the other, what that is, and the turn.
    """

    box: list[int]
    modules: dict[int, dict[str, None]]
    turn: dict[int, tuple[int, int]]


def fitting(structure: Structure, level: str, budget: int | None) -> Folding:
    """Return the boxes at a level, as far as they fit a budget.

    A level only divides the boxes of the coarser one, so that it never has fewer: first there is
    one box for the network, then one for each layer, each neuron, each node. What belongs to no
    module is put together by what it does: the losses of all samples are one box. Where there are
    no modules, stages stand for layers.

    What doesn't fit is put together where it differs only in an index, such as the neurons of a
    layer; if that is too much still, the coarser level stands. Above the level of ops, the arrows
    count as well: those of two layers of 16 neurons are a black square. So are layers beyond a
    crowd, of which nobody reads one by one; what stands between them is with the one before, whose
    box is called by both.

    Cost: linear in nodes and edges.
    """
    found, stages = whole(structure)
    for finer in reversed(LEVELS[LEVELS.index(level) : -1]):
        best = found
        for divided in _divisions(structure, finer, found, stages):
            if _fits(structure, divided, finer, budget):
                best = divided
                if budget is None or finer != "layer" or max(divided.box) < CROWD:
                    break
        found = best
    return found if budget is None and level != "network" else legible(structure, found, level)


def legible(
    structure: Structure, folding: Folding, level: str, coarser: Folding | None = None
) -> Folding:
    """Return the boxes of a level, but in place of a crowd, operations that lead on to each other.

    At the level of the network, these are one box, at that of layers a row; at others, all stay.

    Args:
        coarser: the boxes to divide; None for a single one.
    """
    boxes = folding.box
    beyond, most = (IN_A_ROW, 1) if level == "network" else (CROWD, IN_A_ROW)
    if level in ("op", "neuron") or max(boxes) < beyond:
        return folding
    modules = set(folding.modules)
    leaves = {boxes[i] for i, node in enumerate(structure.nodes) if node.op is None}
    ends = {*leaves, boxes[-1]} - modules
    pieces = max(1, most - len(ends) - len(modules))
    box = joined(structure, boxes, ends, modules, pieces, coarser.box if coarser else ())
    here = dict(zip(boxes, box, strict=True))
    return Folding(
        box,
        {here[old]: paths for old, paths in folding.modules.items()},
        {here[old]: turn for old, turn in folding.turn.items() if old in folding.modules},
    )


def _divisions(
    structure: Structure, level: str, coarser: Folding, stages: Stages | None
) -> Iterator[Folding]:
    """Yield the ways to divide boxes at a level, each with fewer boxes than the one before."""
    has_streams = level == "layer" and any(structure.place)
    for alike in (False, True):
        divided = fold(structure, level, coarser, alike=alike)
        divided = staged(structure, level, divided, stages, coarser)
        if not (has_streams and alike):
            yield divided
        if has_streams:
            yield with_streams(structure, coarser, divided)


def whole(structure: Structure) -> tuple[Folding, Stages | None]:
    """Return the boxes at the coarsest level, and the stages to divide them by, if there are any.

    One box is for all modules, one for what repeats around them; stages are those of a network
    without modules, or around them.
    """
    if not any(structure.place):
        found = fold(structure, "network")
        stages = _stages(structure, found.box)
        return staged(structure, "network", found, stages), stages
    stages = _stages(structure, fold(structure, "layer").box)
    found = fold(structure, "network", stages=stages)
    return staged(structure, "network", found, _stages(structure, found.box)), stages


def _stages(structure: Structure, boxes: list[int]) -> Stages | None:
    """Return the stages: what comes three times or more, or without modules those of layers.

    Of two turns, nobody can tell where one begins.
    """
    found = stages_of(structure, boxes)
    if any(structure.place):
        return found
    layers = segments_of(structure, boxes)
    if found is None or layers is None:
        return found or layers
    if max(Counter(found.run).values(), default=0) < TURNS:
        return layers
    return with_layers(structure, found, layers)


def staged(
    structure: Structure,
    level: str,
    folding: Folding,
    stages: Stages | None,
    coarser: Folding | None = None,
) -> Folding:
    """Return the boxes at a level of what stages there are; those of modules as they are.

    Where there are modules, their repetitions are one box, and so are stages around them.

    Args:
        coarser: the boxes to divide; None for a single one.
    """
    if stages is None or level == "op":
        return folding
    is_one = level == "network" or any(structure.place)
    keys: list[Hashable] = []
    names: list[str] = []
    outside = coarser.box if coarser else [0] * len(folding.box)
    modules = {box for place, box in zip(structure.place, folding.box, strict=True) if place}
    for box, stage, part, outer in zip(folding.box, stages.of, stages.part, outside, strict=True):
        is_divided = stage < 0 or level == "neuron"
        if box in modules:
            keys.append(("module", box))
        else:
            which = stages.run[stage] if is_one and stage >= 0 else stage
            keys.append((outer, which, part if is_divided else "whole"))
        names.append("" if box in modules or is_divided else f"stage {stage}")
    for i, used_in in uses_of(structure.inputs, structure.args, keys).items():
        if len(used_in) == 1:
            keys[i], names[i] = used_in.pop(), ""
    found = _numbered(keys, names)
    for here, box, stage in zip(found.box, folding.box, stages.of, strict=True):
        if box in modules:
            found.modules[here] = folding.modules[box]
        elif stage >= 0 and not is_one:
            found.turn[here] = stages.run[stage], stage
    return found


def _numbered(keys: Iterable[Hashable], names: Iterable[str]) -> Folding:
    """Return the boxes of nodes with equal keys, and the modules that are named in each."""
    number: dict[Hashable, int] = {}
    box = [number.setdefault(key, len(number)) for key in keys]
    modules: dict[int, dict[str, None]] = {}
    for here, name in zip(box, names, strict=True):
        if name:
            modules.setdefault(here, {})[name] = None
    return Folding(box, modules, {})


def with_streams(structure: Structure, whole: Folding, divided: Folding) -> Folding:
    """Return ``divided``, but what stands between two modules is in the box of the one before it.

    Such is the sum to which a residual stream adds the output of each block.
    """
    boxes, place = divided.box, structure.place
    (network,) = {box for box, at in zip(whole.box, place, strict=True) if at}
    rank: dict[int, int] = {}
    owner = [-1] * len(boxes)
    for i, args in enumerate(structure.args):
        if place[i] and args:
            owner[i] = boxes[i]
            rank.setdefault(boxes[i], i)
        elif args and whole.box[i] == network:
            before = {owner[arg] for arg in args} - {-1}  # none, where all are parameters
            owner[i] = max(before, key=lambda box: rank[box], default=-1)
    box = [old if own < 0 else own for own, old in zip(owner, boxes, strict=True)]
    number = {old: k for k, old in enumerate(dict.fromkeys(box))}
    modules = {number[old]: paths for old, paths in divided.modules.items() if old in number}
    return Folding([number[old] for old in box], modules, {})


def _fits(structure: Structure, folding: Folding, level: str, budget: int | None) -> bool:
    if budget is None:
        return True
    few = max(folding.box) < budget
    return few and (level == "op" or _links(structure, folding.box, budget) <= budget)


def fold(
    structure: Structure,
    level: str | int,
    coarser: Folding | None = None,
    *,
    alike: bool = False,
    stages: Stages | None = None,
) -> Folding:
    """Return the boxes at a level.

    Args:
        level: whether a node stands for itself (``"op"``) or for its module; see `module_at`.
        coarser: the boxes to divide; None for a single one.
        alike: whether to put together also what differs only in an index: the neurons of a layer,
            and of nodes those that are alike. Repetitions of the same modules always are.
        stages: those around modules; the network has all turns of which it has one.

    Above the level of ops, an input that one box uses is in it, as a plain number would be.
    """
    if level == "op" and not alike:
        return Folding(list(range(len(structure.nodes))), {}, {})
    boxes: dict[Hashable, int] = {}
    found = [-1] * len(structure.nodes)
    modules: dict[int, dict[str, None]] = {}
    last = len(structure.nodes) - 1
    if level == "layer" and structure.is_one_layer:
        if coarser:
            return coarser
        level = "network"
    places = network_of(structure, stages) if level == "network" else structure.place
    ends = [module_at(level, path) if level != "op" and path else "" for path in places]
    inputs = structure.inputs if level != "op" else set()
    goes_on = _sums_that_go_on(structure, coarser, ends)
    terms: dict[int, dict[int, None]] = {}
    for i, node in enumerate(structure.nodes):
        path, op, module = structure.place[i], node.op, ends[i]
        if i in inputs:
            continue
        key: Hashable
        if module:
            key = ("module", pattern(module) if alike else module)
        elif op is None:
            users = frozenset() if node.label else structure.users(i)
            key = ("leaf", starred(node.label), pattern(path), users)
        else:
            args = _terms((arg for arg in structure.args[i] if arg not in inputs), found, terms)
            if i in goes_on:
                terms[i] = args
                continue
            args_in_order = tuple(sorted(args) if op.commutes else args)
            key = (structure.does[i], pattern(path), args_in_order)
        key = "root" if i == last and not module else (coarser and coarser.box[i], key)
        found[i] = boxes.setdefault(key, len(boxes))
        if module:
            modules.setdefault(found[i], {})[module] = None
    for i in reversed(goes_on):
        found[i] = found[goes_on[i]]
    for i, used_in in uses_of(inputs, structure.args, found).items():
        label = starred(structure.nodes[i].label)
        box = boxes.setdefault((coarser and coarser.box[i], ("input", label)), len(boxes))
        found[i] = used_in.pop() if len(used_in) == 1 else box
    number = {box: k for k, box in enumerate(dict.fromkeys(found))}
    paths = {number[box]: paths for box, paths in modules.items()}
    return Folding([number[box] for box in found], paths, {})


def _sums_that_go_on(
    structure: Structure, coarser: Folding | None, modules: list[str]
) -> dict[int, int]:
    """Return the mere parts of a long sum, ``a + b`` of ``a + b + c``, each with what goes on.

    So is ``a - b`` of ``a - b - c``, and in a loss to which each sample adds something and takes
    something from it, where the two ops take turns. What is used elsewhere, too, is no mere part:
    a residual stream.
    """
    user: dict[int, int] = {}
    uses: Counter[int] = Counter()
    for i, args in enumerate(structure.args):
        for arg in args:
            user[arg] = i
            uses[arg] += 1
    nodes, place = structure.nodes, structure.place
    turns: dict[int, tuple[int, int]] = {}  # the end of the sum, and how often the op changes
    most: Counter[int] = Counter()
    found: dict[int, int] = {}
    for i in range(len(nodes) - 1, -1, -1):
        op, above = nodes[i].op, user.get(i, i)
        goes_on = (
            op is not None
            and uses[i] == 1
            and not modules[i]
            and not modules[above]
            and is_part_of_sum(nodes[i], nodes[above])
            and pattern(place[i]) == pattern(place[above])
            and (coarser is None or coarser.box[i] == coarser.box[above])
        )
        end, changes = turns[above] if goes_on else (i, 0)
        turns[i] = end, changes + (goes_on and op is not nodes[above].op)
        most[end] = max(most[end], turns[i][1])
        if goes_on:
            found[i] = above
    return {
        i: found[i]
        for i in reversed(found)
        if nodes[i].op is nodes[found[i]].op or most[turns[i][0]] >= TURNS
    }


def _terms(
    args: Iterable[int], found: list[int], terms: dict[int, dict[int, None]]
) -> dict[int, None]:
    """Return the boxes of arguments, and of those that go on in a sum those of their own."""
    own: dict[int, None] = {}
    parts = []
    for arg in args:
        if arg in terms:
            parts.append(terms.pop(arg))
        else:
            own[found[arg]] = None
    # The shorter into the longer one, so that a sum of many takes linear time.
    parts.sort(key=len)
    whole = parts.pop() if parts else {}
    for part in (*parts, own):
        whole.update(part)
    return whole


def _links(structure: Structure, boxes: list[int], most: int) -> int:
    """Return the number of links between boxes, counted a little beyond ``most``."""
    links: set[tuple[int, int]] = set()
    for i, args in enumerate(structure.args):
        links.update((boxes[arg], boxes[i]) for arg in args if boxes[arg] != boxes[i])
        if len(links) > most:
            break
    return len(links)
