"""Boxes feed each other in a circle only where what is in them does: in steps through time.

Networks are drawn by chance that mix modules with operations of one's own, before them, between
them and after them, in streams, branches and loops.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from autograd import Value, dot, exp, mean, sin, tanh
from autograd.drawing import picture_of
from autograd.drawing.boxes import arguments, circles_of
from autograd.drawing.levels import LEVELS, fitting
from autograd.drawing.structure import Structure
from autograd.functions import trace
from nn import MLP, Layer

Step = Callable[[list[Any]], list[Any]]
OPS: tuple[Callable[[Any], Any], ...] = (
    tanh, sin, exp, lambda v: v * 2, lambda v: v + 0.5, lambda v: v * v,
)  # fmt: skip


def maps(widths: list[int], seed: int) -> Step:
    """Return layers by hand, of which no path tells."""
    source = random.Random(seed)
    matrices = [
        [[Value(source.gauss(0, 1)) for _ in range(nin)] for _ in range(nout)]
        for nin, nout in pairwise(widths)
    ]

    def use(x: list[Any]) -> list[Any]:
        for matrix in matrices:
            x = [tanh(dot(row, x)) for row in matrix]
        return x

    return use


def network(seed: int, *, by_hand: bool = False) -> Callable[[int], Value]:
    """Return the mean loss of a random network for so many samples."""
    source = random.Random(seed)
    chains = [[source.choice(OPS) for _ in range(source.randint(1, 6))] for _ in range(2)]

    def module() -> Step:
        number, is_deep = source.randrange(1000), source.random() < 0.4
        if by_hand:
            return maps([2, 3, 2] if is_deep else [2, 2], number)
        return MLP(2, [3, 2], seed=number) if is_deep else Layer(2, 2, seed=number)

    def own() -> Step:
        chain, times = source.choice(chains), source.choice((1, 1, 2, 3, 5))

        def use(x: list[Any]) -> list[Any]:
            for _ in range(times):
                for op in chain:
                    x = [op(v) * 0.5 for v in x]
            return x

        return use

    def block(depth: int) -> Step:
        kind = source.choice(("own", "own", "own", "module", "module", *KINDS[: 3 * depth]))
        if kind in ("own", "module"):
            return own() if kind == "own" else module()
        first, then = block(depth - 1), block(depth - 1)
        times = source.choice((2, 3, 5))

        def use(x: list[Any]) -> list[Any]:
            if kind == "branch":
                return [a * b for a, b in zip(first(x), then(x), strict=True)]
            if kind == "stream":
                return [a + 0.1 * b for a, b in zip(x, then(first(x)), strict=True)]
            for _ in range(times):
                x = then(first(x))
            return x

        return use

    steps = [block(1) for _ in range(source.randint(2, 6))]
    steps.insert(source.randint(0, len(steps)), module())
    of_values = source.random() < 0.5

    def loss(samples: int) -> Value:
        losses = []
        for k in range(samples):
            x: list[Any] = [math.sin(k + 1), math.cos(k)]
            x = [Value(v) for v in x] if of_values else x
            for step in steps:
                x = step(x)
            losses.append(sum((v - 0.5) ** 2 for v in x))
        return mean(losses)

    return loss


KINDS = ("branch", "stream", "loop")


def in_circles(boxes: list[int], structure: Structure) -> list[set[int]]:
    """Return the nodes of boxes that feed each other in a circle, for each of these."""
    circles = circles_of(arguments(structure, boxes))
    nodes: dict[int, set[int]] = {}
    size: dict[int, set[int]] = {}
    for i, box in enumerate(boxes):
        nodes.setdefault(circles[box], set()).add(i)
        size.setdefault(circles[box], set()).add(box)
    return [found for circle, found in nodes.items() if len(size[circle]) > 1]


def false_circles(structure: Structure, box: list[int]) -> list[set[int]]:
    """Return the circles in which a box has no node that takes part in a loop through modules."""
    apart = [
        b if place else -1 - i
        for i, (b, place) in enumerate(zip(box, structure.place, strict=True))
    ]
    loops = in_circles(apart, structure)
    return [
        nodes
        for nodes in in_circles(box, structure)
        if not any({box[i] for i in nodes} == {box[i] for i in nodes & loop} for loop in loops)
    ]


def check(seed: int) -> None:
    counts = []
    for samples in (2, 3):
        structure = Structure(trace(network(seed)(samples))[0])
        boxes = [fitting(structure, level, None).box for level in LEVELS]
        counts.append([max(box) + 1 for box in boxes])
        assert counts[-1] == sorted(counts[-1], reverse=True), (seed, counts)
        for level, box in zip(LEVELS, boxes, strict=True):
            assert not false_circles(structure, box), (seed, samples, level)
    assert counts[0][1:] == counts[1][1:], seed


def before_and_after(samples: int) -> Value:
    """The same three steps of one's own before a module and after it."""

    def own(x: list[Any]) -> list[Any]:
        return [tanh(v * 2) + 0.1 for v in x]

    model, losses = MLP(2, [3, 2], seed=0), []
    for k in range(samples):
        x: list[Any] = [Value(math.sin(k + 1)), Value(math.cos(k))]
        for step in (*[own] * 3, model, *[own] * 3):
            x = step(x)
        losses.append(sum(v * v for v in x))
    return mean(losses)


@pytest.mark.parametrize("samples", [2, 7])
def test_steps_before_a_module_are_no_steps_after_it(samples: int) -> None:
    for level in ("network", "layer"):
        found = picture_of(before_and_after(samples), level=level)
        steps = [item for item in found.items if item.title == "stage *"]
        assert [item.count for item in steps] == [3, 3]
    structure = Structure(trace(before_and_after(samples))[0])
    for level in LEVELS:
        assert not in_circles(fitting(structure, level, None).box, structure)


def test_loops_side_by_side_share_no_box() -> None:
    def own(x: list[Any]) -> list[Any]:
        return [tanh(sin(exp(v * 0.5) * 2) + 0.1) * 3 for v in x]

    total: Any = 0
    for cell in (Layer(2, 2, seed=0), Layer(2, 2, seed=1)):
        x: list[Any] = [Value(0.5), Value(0.3)]
        for _ in range(4):
            x = [a + 0.1 * b for a, b in zip(x, own(cell(own(own(x)))), strict=True)]
        total = total + sum(x)
    structure = Structure(trace(total)[0])
    for level in LEVELS:
        assert not false_circles(structure, fitting(structure, level, None).box), level


@pytest.mark.parametrize("seed", [7, 252])
def test_boxes_are_in_a_circle_only_where_their_nodes_are(seed: int) -> None:
    check(seed)


@pytest.mark.long
def test_so_they_are_in_many_networks() -> None:
    for seed in range(100):
        check(seed)
