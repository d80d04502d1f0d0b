"""Operations that lead on to each other, as one box where there are too many to be read.

Such is a loop in which each turn does something else, as what it does depends on the numbers, and
a long formula. Nothing that is in a stretch goes around through a module, so no arrow does.

>>> from autograd.engine import Value
>>> from autograd.functions import trace
>>> x = Value(0.5)
>>> for function in (Value.tanh, Value.sin, Value.exp, Value.cos):
...     x = function(x) * x
>>> structure = Structure(trace(x)[0])
>>> box, ends = list(range(9)), {0, 8}
>>> joined(structure, box, ends, set()), joined(structure, box, ends, set(), pieces=3)
([0, 1, 1, 1, 1, 1, 1, 1, 2], [0, 1, 1, 1, 2, 2, 3, 3, 4])
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set

from autograd.disjoint import DisjointSets
from autograd.drawing.boxes import arguments, modules_before, ordered
from autograd.drawing.structure import Structure


def joined(
    structure: Structure,
    boxes: Sequence[int],
    ends: Set[int],
    modules: Set[int],
    pieces: int = 1,
    coarser: Sequence[int] = (),
) -> list[int]:
    """Return the boxes with each stretch as one, or in pieces; numbered in order of appearance.

    Args:
        boxes: by position of the node, its box.
        ends, modules: boxes that stay as they are; only the latter have something on both sides.
        pieces: into how many boxes all stretches together are divided; at least one each.
        coarser: the boxes that they divide, none if there is one for all: no stretch is in several.

    Cost: linear in nodes and edges.
    """
    args = arguments(structure, boxes)
    before, loops = modules_before(args, modules)
    outer = dict(zip(boxes, coarser or [0] * len(boxes), strict=True))
    order = [box for box in ordered(args, args) if box not in ends and box not in modules]
    stretches = DisjointSets(order)
    for box in order:
        for arg in args[box]:
            is_beside = arg in stretches and before[arg] == before[box]
            if is_beside and outer[arg] == outer[box] and (arg in loops) == (box in loops):
                stretches.join(arg, box)
    piece = {box: (stretches.first(box), i * pieces // len(order)) for i, box in enumerate(order)}
    number: dict[Hashable, int] = {}
    return [number.setdefault(piece.get(box, box), len(number)) for box in boxes]
