"""The boxes that the page opens and closes: a network's layers, their neurons, what is alike."""

from __future__ import annotations

from collections import Counter
from typing import Any

from autograd.drawing.levels import (
    CROWD,
    Folding,
    fold,
    legible,
    staged,
    whole,
    with_streams,
)
from autograd.drawing.paths import modules_in
from autograd.drawing.structure import Structure
from autograd.drawing.view import heading_of
from autograd.page.packing import packed

DEEPEST_MODULE = 6
"""Modules in modules that are told apart."""


def levels_of(structure: Structure) -> list[dict[str, Any]]:
    """Return the ways to divide the nodes into boxes, from one for the network on, as data.

    Each divides the boxes of the one before: into the modules in it, as deep as they go, and at
    last into what is alike. Of two called alike, the first puts a crowd together.
    """
    is_large = len(structure.nodes) > ABOUT
    found, stages = whole(structure) if is_large else (fold(structure, "network"), None)
    network = legible(structure, found, "network")
    levels = [("network", network)]
    deepest = max(len(modules_in(place)) for place in structure.place)
    if not deepest and (stages or max(found.box) >= CROWD):
        found = staged(structure, "layer", found, stages, found)
        levels.append(("stages", legible(structure, found, "layer", network)))
    for depth in range(1, min(deepest, DEEPEST_MODULE) + 1):
        divided, together = (
            staged(structure, "layer", fold(structure, depth, found, alike=alike), stages, found)
            for alike in (False, True)
        )
        if depth == 1 and max(divided.box) >= CROWD:
            divided, together = (with_streams(structure, found, f) for f in (divided, together))
        name = _name(structure, depth, [name for name, _ in levels])
        levels += [(name, _fewer(found, together, divided)), (name, divided)]
        found = divided
    if stages:
        found = staged(structure, "neuron", found, stages, found)
        levels.append(("parts", found))
    levels.append(("alike", fold(structure, "op", found, alike=True)))
    return [{"name": name} | _boxes(structure, folding) for name, folding in levels]


ABOUT = 30
"""So many boxes are a picture that can be read; of more nodes, stages are told."""

FEW_NODES = 60
"""Nodes without modules that are shown as they are, at no other level."""


def shown_levels(levels: list[dict[str, Any]], nodes: int) -> list[str]:
    """Return the names of the levels that can be chosen, the last of them ``op``: every node.

    One that shows no more boxes than a coarser one, or hides nothing, is none.
    """
    if nodes <= FEW_NODES and len(levels) == 2:
        return ["op"]
    names = [level["name"] for level in levels]
    boxes = [
        (name, len(level["titles"]))
        for name, before, level in zip(names, ["alike", *names], levels, strict=False)
        if name not in (before, "alike")
    ]
    boxes.append(("op", nodes))
    for i in range(len(boxes) - 2, -1, -1):
        fewer = boxes[i - 1][1] if i else 0
        if not fewer < boxes[i][1] < boxes[i + 1][1]:
            del boxes[i]
    return [name for name, _ in boxes]


def _name(structure: Structure, depth: int, taken: list[str]) -> str:
    """Return what most modules at a depth are called, layers or blocks, else what they are in."""
    modules = {place[:depth]: place[depth - 1] for place in map(modules_in, structure.place)
               if len(place) >= depth}  # fmt: skip
    stems = [name.partition(".")[0] for name in modules.values() if "." in name]
    name, times = (Counter(stems).most_common(1) or [("", 0)])[0]
    is_most = 2 * times > len(modules) and (times > 1 or len(modules) == 1)
    if not is_most or name in (*taken, "op", "alike"):
        outer = {place[-2].partition(".")[0] for place in modules if depth > 1}
        name = f"in {outer.pop()}" if len(outer) == 1 else "modules"
    return f"{name} {depth}" if name in taken else name


def _fewer(coarse: Folding, together: Folding, divided: Folding) -> Folding:
    """Return ``divided``, but ``together`` in the boxes of ``coarse`` that would hold a crowd."""
    inside: dict[int, set[int]] = {}
    for outer, inner in zip(coarse.box, divided.box, strict=True):
        inside.setdefault(outer, set()).add(inner)
    number: dict[tuple[bool, int], int] = {}
    boxes: list[int] = []
    modules: dict[int, dict[str, None]] = {}
    for outer, joint, inner in zip(coarse.box, together.box, divided.box, strict=True):
        crowded = len(inside[outer]) > CROWD
        folding, old = (together, joint) if crowded else (divided, inner)
        box = number.setdefault((crowded, old), len(number))
        if old in folding.modules:
            modules[box] = folding.modules[old]
        boxes.append(box)
    return Folding(boxes, modules, {})


def _boxes(structure: Structure, folding: Folding) -> dict[str, Any]:
    """Return what boxes are called, and which nodes are in them; those of one node are nodes.

    Of those that are turns of what repeats, it is told which.
    """
    members: dict[int, list[int]] = {}
    for i, box in enumerate(folding.box):
        members.setdefault(box, []).append(i)
    headings = [
        heading_of(structure, folding, box, found) if len(found) > 1 else None
        for box, found in members.items()
    ]
    turns = {"turn": [folding.turn.get(box, (0, None))[1] for box in members]}
    return (turns if folding.turn else {}) | {
        "titles": [h and h.title for h in headings],
        "times": [h and [n for n in (h.count, h.calls) if n > 1] for h in headings],
        "about": [h and h.path for h in headings],
        "box": packed(folding.box),
    }
