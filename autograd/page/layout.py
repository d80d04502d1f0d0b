"""Where the page puts the nodes: by Graphviz for graphs of ordinary size, else in plain layers."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 112, 60
"""The size of a node's card, in pixels, which are Graphviz's points here."""

GAP_X, GAP_Y = 46, 22

MOST_NODES, MOST_LEVELS = 600, 4_000
"""Beyond these, Graphviz takes seconds; what costs is less the nodes than the levels crossed."""

MOST_POINTS = 13
"""A longer route is drawn as one curve: a page's size is bounded per edge."""

Point = tuple[int, int]


class Layout(NamedTuple):
    """Centres of the nodes, and routes of the edges: control points of cubic curves, or none."""

    centres: list[Point]
    routes: list[list[Point]]


def arrange(
    count: int, edges: Sequence[tuple[int, int]], card: tuple[int, int] = (WIDTH, HEIGHT)
) -> Layout:
    """Return the layout of ``count`` nodes in topological order; an edge is ``(arg, user)``."""
    level = _levels(count, edges)
    crossed = sum(level[arg] - level[user] for arg, user in edges)
    if count <= MOST_NODES and crossed <= MOST_LEVELS:
        try:
            return _by_graphviz(count, edges, card)
        except (ImportError, OSError, subprocess.SubprocessError):
            pass  # the plain layers need no library
    return Layout(_in_layers(level, edges, card), [[] for _ in edges])


def _levels(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return each node's longest distance to a node without users."""
    level = [0] * count
    for arg, user in sorted(edges, key=lambda edge: -edge[1]):
        level[arg] = max(level[arg], level[user] + 1)
    return level


def _by_graphviz(count: int, edges: Sequence[tuple[int, int]], card: tuple[int, int]) -> Layout:
    from autograd.drawing.renderer import choose_renderer

    lines = [
        f"digraph {{ rankdir=LR nslimit=2 nodesep={GAP_Y / 72:.3f} ranksep={GAP_X / 72:.3f}",
        "node [shape=box fixedsize=true label=<> "
        f"width={card[0] / 72:.4f} height={card[1] / 72:.4f}]",
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


def _in_layers(
    level: list[int], edges: Sequence[tuple[int, int]], card: tuple[int, int]
) -> list[Point]:
    """Return centres by level, each level in the order of its users' average height."""
    count, deepest = len(level), max(level)
    users: list[list[int]] = [[] for _ in range(count)]
    for arg, user in edges:
        users[arg].append(user)
    layers: list[list[int]] = [[] for _ in range(deepest + 1)]
    for node in range(count):
        layers[level[node]].append(node)
    height = [0.0] * count
    for depth, layer in enumerate(layers):
        if depth:
            wish = {i: sum(height[u] for u in users[i]) / len(users[i]) for i in layer}
            layer.sort(key=lambda i: (wish[i], i))
        for row, node in enumerate(layer):
            height[node] = (row - (len(layer) - 1) / 2) * (card[1] + GAP_Y)
    return [((deepest - level[i]) * (card[0] + GAP_X), round(height[i])) for i in range(count)]
