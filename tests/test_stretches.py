"""Loops in which each turn does something else, and long formulas, are few boxes all the same."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value, cos, sin, tanh
from autograd.drawing import picture_of
from autograd.drawing.levels import IN_A_ROW, LEVELS, fitting
from autograd.drawing.picture import Picture
from autograd.drawing.structure import Structure
from autograd.functions import trace
from autograd.page.levels import levels_of, shown_levels
from nn import MLP
from tests.test_boxes import in_circles


def branches(turns: int) -> Value:
    """A loop that does one of two things, as a coin falls."""
    source, x, a, b = random.Random(1), Value(0.3), Value(0.9), Value(0.1)
    for _ in range(turns):
        x = a * x if source.random() < 0.5 else (x + b) * 0.7 + sin(x)
    return x


def bouncing(turns: int) -> Value:
    """A ball that comes back from the ground: place and speed depend on each other."""
    x, v, g, rest = Value(1.0, "x"), Value(1.0, "v"), Value(9.81, "g"), Value(0.8, "rest")
    for _ in range(turns):
        v = v - g * 0.02
        x = x + v * 0.02
        if x.data < 0:
            x, v = -x, -rest * v
    return (x - 1) ** 2


def chain(turns: int, x: Any = 0.3) -> Any:
    """Functions of which no stretch comes twice in a row (Thue 1906)."""
    zeros = [i for i in range(3 * turns + 9) if i.bit_count() % 2 == 0]
    x = Value(x) if isinstance(x, float) else x
    for a, b in itertools.islice(itertools.pairwise(zeros), turns):
        x = (tanh, sin, cos)[b - a - 1](x)
    return x


def boxes(picture: Picture) -> int:
    return sum(item.kind != "more" for item in picture.items)


@pytest.mark.parametrize("turns", [12, 60, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("program", [branches, bouncing, chain])
def test_what_does_something_else_in_each_turn_is_few_boxes(
    program: Callable[[int], Value], turns: int
) -> None:
    out = program(turns)
    counts = [boxes(picture_of(out, level=level)) for level in LEVELS]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] <= IN_A_ROW
    structure = Structure(trace(out)[0])
    for level in LEVELS:
        assert not in_circles(fitting(structure, level, 200).box, structure), level


@pytest.mark.parametrize("budget", [3, 12, 40, None])
@pytest.mark.long
def test_a_finer_level_has_more_boxes_of_it_within_any_budget(budget: int | None) -> None:
    for program in (branches, bouncing, chain):
        out = program(200)
        counts = [boxes(picture_of(out, level=level, budget=budget)) for level in LEVELS]
        assert counts == sorted(counts, reverse=True), program


def test_a_stretch_before_a_module_is_none_after_it() -> None:
    model = MLP(2, [3, 1], seed=0)
    x = chain(60, model([chain(60), 1.0]))
    found = picture_of(x, level="network")
    assert [item.kind for item in found.items].count("module") == 1
    assert sorted(item.count for item in found.items if item.kind == "alike") == [59, 60]
    structure = Structure(trace(x)[0])
    for level in LEVELS:
        assert not in_circles(fitting(structure, level, 200).box, structure), level


def test_each_operation_of_a_formula_is_in_its_stretch() -> None:
    out = chain(120)
    found = picture_of(out, level="network")
    stretch = max(found.items, key=lambda item: item.count)
    assert stretch.kind == "alike"
    assert not [item for item in found.items if item.kind == "module"]
    assert sum(item.count for item in found.items) == len(trace(out)[0])


def test_the_page_opens_stretches_before_operations() -> None:
    nodes = trace(chain(200))[0]
    levels = levels_of(Structure(nodes))
    assert shown_levels(levels, len(nodes)) == ["network", "stages", "op"]
    assert len(levels[1]["titles"]) == IN_A_ROW
