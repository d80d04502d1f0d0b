"""Networks of one's own classes: layers and steps are found by what repeats."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from autograd import Value, relu, tanh
from autograd.drawing import picture_of
from autograd.drawing.levels import LEVELS
from autograd.drawing.picture import Item, Picture


def weights(rows: int, columns: int) -> list[list[Value]]:
    return [[Value(math.sin(3 * i + j + 1)) for j in range(columns)] for i in range(rows)]


def times(matrix: list[list[Value]], x: Any) -> list[Any]:
    return [sum(w * v for w, v in zip(row, x, strict=True)) for row in matrix]


def plain(samples: int, sizes: tuple[int, ...] = (2, 3, 3, 3, 1)) -> Value:
    """Fully connected layers in loops, the last one linear."""
    layers = [(weights(n, m), [Value(0.1) for _ in range(n)]) for m, n in pairwise(sizes)]
    losses = []
    for k in range(samples):
        x: list[Any] = [k / samples, 1.0]
        for matrix, bias in layers:
            x = [s + b for s, b in zip(times(matrix, x), bias, strict=True)]
            x = [v.tanh() for v in x] if len(bias) > 1 else x
        losses.append((x[0] - 1) ** 2)
    return sum(losses) * (1 / samples)  # type: ignore[return-value]


def residual(samples: int, depth: int = 12) -> Value:
    blocks = [(weights(2, 2), weights(2, 2)) for _ in range(depth)]
    total: Any = 0
    for k in range(samples):
        x: list[Any] = [Value(k + 1.0), Value(0.5)]
        for inner, outer in blocks:
            h = [relu(v) for v in times(inner, x)]
            x = [a + b for a, b in zip(x, times(outer, h), strict=True)]
        total = total + sum(v * v for v in x)
    return total  # type: ignore[no-any-return]


def recurrent(samples: int) -> Value:
    """Twenty steps in time, a loss at each."""
    w, u, v = weights(2, 2), [Value(0.5), Value(-0.5)], [Value(1.0), Value(2.0)]
    total: Any = 0
    for k in range(samples):
        h: list[Any] = [Value(0.0), Value(0.0)]
        for t in range(20):
            h = [tanh(a + b * math.sin(t + k)) for a, b in zip(times(w, h), u, strict=True)]
            total = total + (sum(a * b for a, b in zip(v, h, strict=True)) - 1) ** 2
    return total  # type: ignore[no-any-return]


def pendulum(_: int) -> Value:
    angle, speed = Value(1.0, "angle"), Value(0.0, "speed")
    g, length = Value(9.81, "g"), Value(1.0, "length")
    for _ in range(30):
        speed = speed - g / length * angle.sin() * 0.02
        angle = angle + speed * 0.02
    return (angle - 0.3) ** 2


NETWORKS: dict[Callable[[int], Value], int] = {plain: 4, residual: 12, recurrent: 20, pendulum: 30}


def modules(picture: Picture) -> list[Item]:
    return [item for item in picture.items if item.kind == "module"]


@pytest.mark.parametrize("network", NETWORKS)
def test_what_repeats_is_one_box_or_a_row_of_boxes(network: Callable[[int], Value]) -> None:
    depth = NETWORKS[network]
    (whole,) = modules(picture_of(network(1), level="network"))
    assert (whole.title, whole.count) == ("stage *", depth)
    stages = modules(picture_of(network(1), level="layer"))
    assert [item.title for item in stages] == [f"stage {i}" for i in range(depth)]


@pytest.mark.parametrize("network", NETWORKS)
def test_arrows_lead_nowhere_around_in_a_circle(network: Callable[[int], Value]) -> None:
    for level in LEVELS[1:]:
        found = picture_of(network(2), level=level, budget=None)
        waiting = {item.key: {link.arg for link in item.args if link.arg} for item in found.items}
        while waiting:
            free = {key for key, args in waiting.items() if args.isdisjoint(waiting)}
            assert free, level
            for key in free:
                del waiting[key]


@pytest.mark.parametrize("network", [plain, residual])
def test_the_boxes_are_the_same_for_any_number_of_samples(network: Callable[[int], Value]) -> None:
    def boxes(samples: int, level: str) -> list[str]:
        found = picture_of(network(samples), level=level)
        return sorted(item.title or item.caption[:2] for item in found.items)

    for level in LEVELS[1:]:
        assert boxes(2, level) == boxes(5, level)


def test_a_stage_has_its_own_parameters_and_an_input_stays_outside() -> None:
    out = residual(2)
    out.backward()
    found = picture_of(out, level="layer")
    inputs = [item for item in found.items if item.kind == "value" and not item.args]
    assert [item.count for item in inputs] == [4], "two inputs of two samples"
    for item in modules(found):
        assert [row.what for row in item.rows][-1] == "‖grad‖ of 8 parameters"


def test_a_penalty_leaves_parameters_to_their_stage() -> None:
    blocks = weights(1, 12)[0]
    x: Any = Value(0.5)
    for w in blocks:
        x = (w * x).tanh() + 1
    found = picture_of(x + sum(w * w for w in blocks) * 0.01, level="layer")
    assert len(modules(found)) == 12
    for item in modules(found):
        assert [(row.what, row.text) for row in item.rows][-1] == ("parameter", "1")


def test_parameters_that_all_steps_share_stay_outside() -> None:
    found = picture_of(recurrent(1), level="layer")
    shared = {item.key for item in found.items if item.kind == "value" and not item.args}
    assert all(shared & {link.arg for link in item.args} for item in modules(found))


def test_a_sum_in_which_everything_ends_is_one_box() -> None:
    found = picture_of(recurrent(1), level="layer")
    (total,) = [item for item in found.items if item.kind != "module" and item.name]
    assert total.count == 20


def test_so_is_one_from_which_everything_is_taken() -> None:
    def counts(n: int) -> list[int]:
        w = Value(0.5, "w")
        loss: Any = 0
        for i in range(n):
            loss -= (w * i + 1).sigmoid().log()
        return [item.count for item in picture_of(loss, level="layer").items]

    assert len(counts(2)) == len(counts(5)) == len(counts(40))
    assert counts(5)[-1] == 5


def test_levels_are_monotone_without_modules_too() -> None:
    for network in NETWORKS:
        out = network(1)
        for budget in (None, 50):
            counts = [
                len([item for item in found.items if item.kind != "more"])
                for level in LEVELS
                for found in [picture_of(out, level=level, budget=budget)]
            ]
            assert counts == sorted(counts, reverse=True), (network, budget)
