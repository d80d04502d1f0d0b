"""What is near a node: boxes a few links away, nodes on the way from one to another."""

from __future__ import annotations

from collections import deque

from autograd.drawing.structure import Structure


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
