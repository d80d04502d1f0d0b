"""The coarser views that the page opens on: boxes of nodes, as a drawing's levels have them."""

from __future__ import annotations

import math
from typing import Any

from autograd.drawing.levels import LEVELS, fitting
from autograd.drawing.reading import Now
from autograd.drawing.structure import Structure
from autograd.drawing.view import View
from autograd.engine import Value
from autograd.page.layout import Point, arrange

BOXES = 120
"""Boxes that a level of the page may have before it folds what is alike."""

PANE = 1.1
"""The width of the page's pane for the graph, as a multiple of its height."""

CARD = (168, 64)
"""The size of a box, in pixels."""


def levels_of(nodes: list[Value]) -> list[dict[str, Any]]:
    """Return the levels coarser than the nodes themselves, the coarsest first, as data.

    One that shows no more boxes than a coarser one is left out, as is one that hides nothing.
    """
    structure = Structure(nodes)
    found: list[dict[str, Any]] = []
    for name in reversed(LEVELS[1:]):
        view = View(structure, fitting(structure, name, BOXES), None, Now(nodes))
        least = len(found[-1]["titles"]) if found else 0
        if least < len(view.members) < len(nodes):
            found.append({"name": name} | _boxes(view))
    return found


def _boxes(view: View) -> dict[str, Any]:
    """Return a view in columns: what its boxes are called, where they stand, who is in them."""
    place = {box: i for i, box in enumerate(view.order)}
    items = {item.key: item for item in view.picture("LR", None).items}
    shown = [items[view.key(box)] for box in view.order]
    edges = sorted((place[arg], place[box]) for box in view.order for arg in view.crossing[box])
    # A module that feeds itself, or an earlier one, has arrows that run backwards.
    forwards = [(arg, box) for arg, box in edges if arg < box]
    centres, vertical = _fitted(len(place), forwards)
    return {
        "card": CARD,
        "titles": [item.title or item.caption or item.name for item in shown],
        "times": [item.times for item in shown],
        "about": [item.path or item.definition for item in shown],
        "box": [place[box] for box in view.folding.box],
        "edges": [end for edge in edges for end in edge],
        "at": [x for point in centres for x in point],
        "vertical": vertical,
    }


def _fitted(count: int, edges: list[tuple[int, int]]) -> tuple[list[Point], bool]:
    """Return the centres of boxes, in the direction that fits the pane, and whether it is down."""
    across = arrange(count, edges, CARD).centres
    down = [(y, x) for x, y in arrange(count, edges, (CARD[1], CARD[0])).centres]
    vertical = _misfit(down) < _misfit(across)
    return (down if vertical else across), vertical


def _misfit(centres: list[Point]) -> float:
    """Return how far the ratio of width to height is from the pane's."""
    width, height = (max(x) - min(x) for x in zip(*centres, strict=True))
    return abs(math.log((width + CARD[0]) / (height + CARD[1]) / PANE))
