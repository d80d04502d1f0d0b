"""Stages of a network without modules in which nothing repeats: from one layer to the next.

A layer is a map of what is computed by parameters: products with them, which are summed. What is
done to its results, until they enter the next one, is of its stage: an activation, a norm, the
way that attention mixes them. What enters no layer any more, such as a loss, is of none.

>>> from autograd.drawing.levels import fold
>>> from autograd.engine import Value
>>> from autograd.functions import trace
>>> x = [1.0, 2.0]
>>> for function in (Value.tanh, Value.exp, Value.relu, Value.sin):
...     x = [function(Value(0.1) * x[0] + Value(0.2) * x[1]) for _ in x]
>>> structure = Structure(trace((x[0] - x[1]) ** 2)[0])
>>> segments = segments_of(structure, fold(structure, "layer").box)
>>> len(segments.run), segments.of[-2:]  # neither the square nor what it is taken of
(4, [-1, -1])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from autograd.disjoint import DisjointSets
from autograd.drawing.boxes import arguments, circles_of, ordered, users_of
from autograd.drawing.roles import is_product
from autograd.drawing.stages import Stages, claim_leaves
from autograd.drawing.structure import Structure
from autograd.operation import Op


def segments_of(structure: Structure, boxes: Sequence[int]) -> Stages | None:
    """Return the stages from layer to layer; None if there are no two of them.

    Args:
        boxes: by position of the node, its box; leaves have boxes of their own.

    Cost: linear in nodes and edges.
    """
    args = arguments(structure, boxes)
    users = users_of(args)
    ops = {
        box: node.op
        for box, node in zip(boxes, structure.nodes, strict=True)
        if node.op is not None
    }
    order = [box for box in ordered([boxes[-1]], args) if box in ops]
    sums = _layers(structure, boxes, users)
    if not sums:
        return None
    layer: dict[int, int] = {}
    within: set[int] = set()
    for box in order:
        before = max((layer[arg] for arg in args[box] if arg in ops), default=0)
        layer[box] = before + (box in sums)
    for box in reversed(order):
        if box in sums or any(user in sums or user in within for user in users[box]):
            within.add(box)
    for box in order:  # with what is computed outside, an arrow would lead around in a circle
        its = [arg for arg in args[box] if arg in ops]
        if box not in within and its and within.issuperset(its) and _ends(ops, its, box, sums):
            within.add(box)
    stages = DisjointSets(within)
    for box in within:
        for arg in args[box]:
            if arg in within and layer[arg] == layer[box]:
                stages.join(arg, box)
    number: dict[int, int] = {}
    for box in sorted(filter(within.__contains__, order), key=layer.__getitem__):
        number.setdefault(stages.first(box), len(number))
    stage_of = {box: number[stages.first(box)] for box in within}
    rank = {box: (int(box not in within), stage_of.get(box, 0)) for box in order}
    of = [stage_of.get(box, -1) for box in boxes]
    claim_leaves(structure, boxes, rank, of)
    return Stages(of, [0] * len(number), list(boxes))


def with_layers(structure: Structure, turns: Stages, layers: Stages) -> Stages:
    """Return the turns of what repeats, and the layers outside of it, such as a head, as stages.

    The parts of a turn are those of its layers. A layer outside has parameters of its own. One that
    is partly in a turn is no stage, nor is one that stands before what repeats and after it: an
    arrow would lead around in a circle.
    """
    computed = [i for i, node in enumerate(structure.nodes) if node.op is not None]
    own = {layers.of[i] for i, node in enumerate(structure.nodes) if node.op is None}
    own.difference_update(layers.of[i] for i in computed if turns.of[i] >= 0)
    outside = [
        layer if turn < 0 and layer in own else -1
        for turn, layer in zip(turns.of, layers.of, strict=True)
    ]
    number: dict[tuple[str, int], int] = {}
    found = zip(turns.of, outside, turns.part, strict=True)
    whole = [
        number.setdefault(
            ("run", turns.run[turn]) if turn >= 0 else
            ("layer", layer) if layer >= 0 else ("part", part),
            len(number),
        )
        for turn, layer, part in found
    ]  # fmt: skip
    circles = circles_of(arguments(structure, whole))
    size = Counter(circles.values())
    keys = [
        (turn, layer if size[circles[box]] == 1 else -1)
        for turn, layer, box in zip(turns.of, outside, whole, strict=True)
    ]
    found_first = dict.fromkeys(keys[i] for i in computed if max(keys[i]) >= 0)
    in_order = iter(sorted(key for key in found_first if key[0] >= 0))  # as they are run
    stage = {next(in_order) if key[0] >= 0 else key: k for k, key in enumerate(found_first)}
    run: dict[tuple[str, int], int] = {}
    runs = [("run", turns.run[turn]) if turn >= 0 else ("layer", layer) for turn, layer in stage]
    part: dict[tuple[int | None, int], int] = {}
    parts = [
        (layer if turn >= 0 else None, old)
        for turn, layer, old in zip(turns.of, layers.of, turns.part, strict=True)
    ]
    return Stages(
        [stage.get(key, -1) for key in keys],
        [run.setdefault(which, len(run)) for which in runs],
        [part.setdefault(which, len(part)) for which in parts],
    )


def _ends(ops: dict[int, Op], args: list[int], box: int, sums: dict[int, int]) -> bool:
    """Return whether a box is the sum of a layer, or the activation that its results go through."""
    if box in sums.values():
        return True
    (last, *more) = args
    return not more and ops[box].arity == 1 and last in sums.values()


def _layers(
    structure: Structure, boxes: Sequence[int], users: dict[int, dict[int, None]]
) -> dict[int, int]:
    """Return the boxes that begin a layer, each with the one in which its products are summed."""
    size: Counter[int] = Counter(boxes)
    leaving: dict[int, set[int]] = {}
    products: dict[int, set[int]] = {}  # with what is computed and multiplied there
    sums: dict[int, int] = {}
    for i, args in enumerate(structure.args):
        box, op = boxes[i], structure.nodes[i].op
        for arg in args:
            if boxes[arg] != box:
                leaving.setdefault(boxes[arg], set()).add(arg)
        if op is not None and (op.weighted or is_product(op)):
            computed = [arg for arg in args if structure.nodes[arg].op is not None]
            if computed and any(_is_parameter(structure, arg) for arg in args):
                if op.weighted:
                    sums[box] = box
                else:
                    products.setdefault(box, set()).update(computed)
    for box, factors in products.items():
        if len(users[box]) == 1:  # and one number gives several, or several give one
            (user,) = users[box]
            if size[box] >= 2 * min(len(factors), len(leaving.get(user, (user,)))):
                sums[box] = user
    return sums


def _is_parameter(structure: Structure, i: int) -> bool:
    """Return whether a node is a leaf that no sample has for itself."""
    return structure.nodes[i].op is None and i not in structure.inputs
