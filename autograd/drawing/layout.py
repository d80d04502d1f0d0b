"""Where cards of one size stand, for a graph of ordinary size: as Graphviz finds it.

The page lays out larger graphs, and boxes that open and close, by itself.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

WIDTH, HEIGHT = 112, 60
"""The size of a node's card, in pixels, which are Graphviz's points here."""

GAP_X, GAP_Y = 46, 22

MOST_CARDS, MOST_LEVELS = 200, 2_000
"""Beyond these, Graphviz takes a second, and nobody reads a graph node by node."""

MOST_POINTS = 13
"""A longer route is drawn as one curve: a page's size is bounded per edge."""

Point = tuple[int, int]


class Layout(NamedTuple):
    """Centres of the nodes, and routes of the edges: control points of cubic curves, or none."""

    centres: list[Point]
    routes: list[list[Point]]


def arrange(count: int, edges: Sequence[tuple[int, int]]) -> Layout:
    """Return the layout of ``count`` nodes in topological order; an edge is ``(arg, user)``.

    It is empty where Graphviz would take long, or is missing.
    """
    if count <= MOST_CARDS and _crossed(count, edges) <= MOST_LEVELS:
        with suppress(ImportError, OSError, subprocess.SubprocessError):
            return _by_graphviz(count, edges)
    return Layout([], [])


def _crossed(count: int, edges: Sequence[tuple[int, int]]) -> int:
    """Return how many levels the edges cross; a level is a longest distance to the root."""
    level = [0] * count
    for arg, user in sorted(edges, key=lambda edge: -edge[1]):
        level[arg] = max(level[arg], level[user] + 1)
    return sum(level[arg] - level[user] for arg, user in edges)


def _by_graphviz(count: int, edges: Sequence[tuple[int, int]]) -> Layout:
    from autograd.drawing.renderer import choose_renderer

    lines = [
        f"digraph {{ rankdir=LR nslimit=2 nodesep={GAP_Y / 72:.3f} ranksep={GAP_X / 72:.3f}",
        f"node [shape=box fixedsize=true label=<> width={WIDTH / 72:.4f} height={HEIGHT / 72:.4f}]",
        "edge [arrowhead=none]",
        *(f"{i}" for i in range(count)),
        *(f"{arg} -> {user}" for arg, user in edges),
        "}",
    ]
    done = subprocess.run(
        [str(choose_renderer()), "-Tplain"],
        input="\n".join(lines), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    centres: list[Point] = [(0, 0)] * count
    found: dict[tuple[int, int], list[list[Point]]] = {}
    for line in done.stdout.splitlines():
        kind, *words = line.split()
        if kind == "node":
            centres[int(words[0])] = _point(words[1:3])
        elif kind == "edge":
            numbers = words[3 : 3 + 2 * int(words[2])]
            points = [_point(numbers[i : i + 2]) for i in range(0, len(numbers), 2)]
            found.setdefault((int(words[0]), int(words[1])), []).append(points)
    routes = []
    for edge in edges:
        route = found[edge].pop(0)
        routes.append(route if len(route) <= MOST_POINTS else [])
    return Layout(centres, routes)


def _point(words: list[str]) -> Point:
    return round(float(words[0]) * 72), round(float(words[1]) * -72)
