"""Networks of one's own classes: layers and steps are found by what repeats."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from autograd import Value, dot, logsumexp, mean, relu, tanh
from autograd.drawing import picture_of
from autograd.drawing.levels import LEVELS, fitting
from autograd.drawing.paths import starred
from autograd.drawing.picture import Item, Picture
from autograd.drawing.structure import Structure
from autograd.functions import trace
from autograd.page.levels import levels_of
from nn import MLP, Layer, Module
from tests.test_boxes import false_circles


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


def springs(_: int) -> Value:
    """Four masses in a row, of which the outer ones have one spring, the inner ones two."""
    stiffness = Value(2.0, "k")
    at, speed = [Value(1.1 * i) for i in range(4)], [Value(0.0) for _ in range(4)]
    for _ in range(9):
        force = [Value(0.0) for _ in at]
        for i in range(3):
            pull = stiffness * (at[i + 1] - at[i] - 1.0)
            force[i], force[i + 1] = force[i] + pull, force[i + 1] - pull
        speed = [v + 0.05 * f for v, f in zip(speed, force, strict=True)]
        at = [x + 0.05 * v for x, v in zip(at, speed, strict=True)]
    return sum((x - i) ** 2 for i, x in enumerate(at))  # type: ignore[return-value]


def lattice(_: int) -> Value:
    """An option on a binomial tree, which has a node less in each step."""
    price, volatility = Value(100.0, "S"), Value(0.2, "sigma")
    up = (volatility * 0.3).exp()
    down = 1 / up
    p = (1.01 - down) / (up - down)
    worth = [(price * up**j * down ** (8 - j) - 100).relu() for j in range(9)]
    while len(worth) > 1:
        worth = [0.99 * (p * b + (1 - p) * a) for a, b in pairwise(worth)]
    return worth[0]


def alignment(_: int) -> Value:
    """A table in which each cell is computed of three neighbours, along two borders of one."""
    gap = Value(0.5, "gap")
    table = {(0, 0): Value(0.0)}
    for i, j in itertools.product(range(6), repeat=2):
        before = [table[c] + gap for c in ((i - 1, j), (i, j - 1)) if c in table]
        if i and j:
            before.append(table[i - 1, j - 1] + Value(0.1 * (i * j % 3)))
        table.setdefault((i, j), -logsumexp([-cell for cell in before]) if before else gap)
    return table[5, 5]


def rod(_: int) -> Value:
    """Heat in a rod whose ends are kept at their temperature."""
    u, k = [Value(math.sin(0.4 * i), f"u{i}") for i in range(9)], Value(0.2, "k")
    for _ in range(8):
        inner = [b + k * (a - 2 * b + c) for a, b, c in zip(u, u[1:], u[2:], strict=False)]
        u = [u[0], *inner, u[-1]]
    return sum(v * v for v in u)  # type: ignore[return-value]


NETWORKS: dict[Callable[[int], Value], int] = {
    plain: 4,
    residual: 12,
    recurrent: 20,
    pendulum: 30,
    springs: 9,
    rod: 8,
}
UNEVEN = (lattice, alignment)


def modules(picture: Picture) -> list[Item]:
    return [item for item in picture.items if item.kind == "module"]


@pytest.mark.parametrize("network", NETWORKS)
def test_what_repeats_is_one_box_or_a_row_of_boxes(network: Callable[[int], Value]) -> None:
    depth = NETWORKS[network]
    (whole,) = modules(picture_of(network(1), level="network"))
    assert (whole.title, whole.count) == ("stage *", depth)
    stages = modules(picture_of(network(1), level="layer"))
    assert [item.title for item in stages] == [f"stage {i}" for i in range(depth)]


@pytest.mark.parametrize("network", UNEVEN)
def test_steps_of_different_sizes_are_steps(network: Callable[[int], Value]) -> None:
    found = picture_of(network(1), level="network")
    (whole,) = modules(found)
    assert whole.title == "stage *"
    assert 5 <= whole.count <= 10, "steps, or diagonals"
    assert len(found.items) <= 16


def test_steps_around_modules_are_one_box_however_many() -> None:
    def boxes(steps: int) -> list[str]:
        cell, x = MLP(2, [3, 2], seed=0), [Value(1.0), Value(0.0)]
        total: Any = 0
        for _ in range(steps):
            x = [0.9 * a + 0.1 * tanh(b) for a, b in zip(x, cell(x), strict=True)]
            total = total + x[0] * x[1]
        found = picture_of(total, level="layer")
        return [starred(item.title) or "value" for item in found.items]

    assert boxes(8) == boxes(30)
    assert {"layers.*", "stage *"} <= set(boxes(8))


@pytest.mark.parametrize("start", [0.0, Value(0.0)])
@pytest.mark.parametrize("samples", [1, 3])
def test_a_cell_is_in_its_first_step_what_it_is_in_others(start: Any, samples: int) -> None:
    """There, what its gates multiply is no state yet; and the head is fed with states alone."""
    gates, head = [weights(1, 2)[0] for _ in range(3)], weights(1, 1)[0]
    loss: Any = 0
    for k in range(samples):
        h = start
        for t in range(6):
            keep, add, out = (dot(gate, [math.sin(t + k), h]) for gate in gates)
            h = keep.sigmoid() * h + add.sigmoid() * out.tanh()
            loss += (dot(head, [h]) - 1) ** 2
    for level, count in (("network", 1), ("layer", 6)):
        found = picture_of(loss, level=level)
        assert len(modules(found)) == count
        titles = {item.title for item in found.items if item.kind == "alike"}
        assert titles == {"-", "**", "+"}


def test_parts_of_a_stage_are_called_by_what_they_do() -> None:
    parts = next(
        level for level in levels_of(Structure(trace(springs(1))[0])) if level["name"] == "parts"
    )
    titles = [title for title in parts["titles"] if title]
    assert titles
    assert not any(title.startswith("stage") for title in titles)


def test_turns_are_numbered_as_they_are_run_whatever_is_computed_first() -> None:
    """The last turn of one of two loops is given to the head with the first one of the other."""
    given, there, back = weights(2, 1), weights(2, 2), weights(2, 2)
    head, inputs = weights(1, 4), [[math.sin(t)] for t in range(5)]

    def run(cell: list[list[Value]], xs: list[list[float]]) -> list[list[Value]]:
        h: list[Value] = [Value(0.0), Value(0.0)]
        return [h := [tanh(a + b) for a, b in zip(times(given, x), times(cell, h), strict=True)]
                for x in xs]  # fmt: skip

    pairs = zip(run(there, inputs), reversed(run(back, inputs[::-1])), strict=True)
    found = picture_of(mean([(times(head, a + b)[0] - 1) ** 2 for a, b in pairs]), level="layer")
    keys = {item.title: item.key for item in found.items}
    links = {item.title: {link.arg for link in item.args} for item in found.items}
    for k in range(4):
        assert keys[f"stage {k}"] in links[f"stage {k + 1}"]
        assert keys[f"stage {k + 1}"] not in links[f"stage {k}"]


def test_layers_around_a_stream_are_no_steps() -> None:
    x: list[Any] = [0.1, 1.0]
    for i in range(8):
        x = [a + b for a, b in zip(x, Layer(2, 2, seed=i)(x), strict=True)]
    titles = {item.title for item in picture_of(sum(x), level="layer").items}
    assert "stage *" not in titles
    assert {f"layer{i + 1}" for i in range(8)} <= titles


@pytest.mark.parametrize("network", [*NETWORKS, *UNEVEN])
@pytest.mark.long
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
@pytest.mark.long
def test_the_boxes_are_the_same_for_any_number_of_samples(network: Callable[[int], Value]) -> None:
    def boxes(samples: int, level: str) -> list[str]:
        found = picture_of(network(samples), level=level)
        return sorted(item.title or item.caption[:2] for item in found.items)

    for level in LEVELS[1:]:
        assert boxes(2, level) == boxes(5, level)


def test_a_stage_has_its_own_parameters_and_an_input_is_none_of_them() -> None:
    out = residual(2)
    out.backward()
    found = picture_of(out, level="layer")
    assert not [item for item in found.items if item.kind == "value" and not item.args]
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


def test_squares_of_parameters_are_no_products_of_a_layer() -> None:
    """As in micrograd's demo: of a plain number, w * x has one argument that is a value, too."""
    layers = [weights(n, m) for m, n in pairwise((2, 4, 4, 1))]
    loss: Any = 0
    for k in range(3):
        x: list[Any] = [k - 0.5, 0.3]
        for matrix in layers:
            x = [relu(v + 0.1) for v in times(matrix, x)]
        loss += relu(1 - x[0])
    penalty = sum(w * w for matrix in layers for row in matrix for w in row)
    found = modules(picture_of(loss + 1e-4 * penalty, level="layer"))
    assert [item.title for item in found] == ["stage 0", "stage 1", "stage 2"]
    said = [[row.text for row in item.rows if row.what.startswith("parameter")] for item in found]
    assert said == [["8"], ["16"], ["4"]]


class Stream(Module):
    """A residual stream whose sums are no module's."""

    def __init__(self, depth: int) -> None:
        self.blocks = [MLP(2, [3, 2], seed=i) for i in range(depth)]
        self.head = Layer(2, 1, seed=9)

    def __call__(self, x: Any) -> Any:
        for block in self.blocks:
            x = [a + 0.1 * b for a, b in zip(x, block(x), strict=True)]
        return self.head(x)


def test_what_stands_between_modules_is_part_of_the_network() -> None:
    model = Stream(30)
    loss = mean([(model([0.1 * k, 1.0]) - 1) ** 2 for k in range(3)])
    structure = Structure(trace(loss)[0])
    assert [item.title for item in modules(picture_of(loss, level="network"))] == ["network"]
    levels = {level["name"]: level["titles"] for level in levels_of(structure)}
    titles = [title for title in levels["blocks"] if title]
    assert sorted(titles) == sorted(
        [*(f"blocks.{i} and * +" for i in range(30)), "head", "-", "**"]
    )


def test_what_stands_outside_of_modules_is_in_no_modules_frame() -> None:
    """Of two layers, each is read by itself, and so is what a loop does to their results."""
    model, x = MLP(2, [3, 2], seed=1), [1.0, 0.0]
    for _ in range(12):
        x = [a + 0.1 * b for a, b in zip(x, model(x), strict=True)]
    structure = Structure(trace(sum(x))[0])
    levels = {level["name"]: level["titles"] for level in levels_of(structure)}
    assert sorted(filter(None, levels["layers"])) == ["*", "layers.0", "layers.1", "stage *"]


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("of_each", [False, True])
def test_the_last_turn_of_a_loop_is_in_the_network_as_the_others_are(
    samples: int, *, of_each: bool
) -> None:
    """Though no module uses it, nor what it is computed from; a loss is taken of each, or of it."""
    model, losses = MLP(2, [3, 2], seed=1), []
    for k in range(samples):
        x: list[Any] = [1.0, 0.1 * k]
        for t in range(12):
            x = [a + 0.1 * b for a, b in zip(x, model(x), strict=True)]
            losses += [(v - 0.5) ** 2 for v in x] if of_each or t == 11 else []
    loss = mean(losses)
    structure = Structure(trace(loss)[0])
    assert not false_circles(structure, fitting(structure, "network", None).box)
    own = {"network": ["network"], "layer": ["*", "layers.0", "layers.1", "stage *"]}
    for level, boxes in own.items():
        found = picture_of(loss, level=level)
        titles = [item.title for item in found.items if item.kind in ("module", "alike")]
        assert sorted(titles) == sorted(["-", "**", *boxes])
    assert [item.count for item in found.items if item.title == "stage *"] == [12]


def test_a_crowd_of_layers_is_a_picture_all_the_same() -> None:
    """Of thirty blocks, two layers each, nobody reads every sum of the stream."""
    model = Stream(30)
    loss = mean([(model([0.1 * k, 1.0]) - 1) ** 2 for k in range(3)])
    found = picture_of(loss, level="layer")
    titles = [item.title for item in modules(found)]
    assert sorted(titles) == sorted([*(f"blocks.{i}.layers.* and * +" for i in range(30)), "head"])
    assert len(found.items) <= 36
    assert len(picture_of(loss, level="layer", budget=None).items) > 120, "where it is asked for"
    few = Stream(3)
    loss = mean([(few([0.1 * k, 1.0]) - 1) ** 2 for k in range(3)])
    titles = [item.title for item in modules(picture_of(loss, level="layer"))]
    assert len(titles) == 3 * 2 + 1, "what can be read is shown"


def test_what_is_given_to_all_steps_is_of_none() -> None:
    """Of plain numbers, the products with a weight of all steps are one box."""
    w, u = weights(2, 2), [Value(0.5), Value(-0.5)]
    h: list[Any] = [0.0, 0.0]
    for t in range(12):
        h = [tanh(a + b * math.sin(t)) for a, b in zip(times(w, h), u, strict=True)]
    found = picture_of(sum(h), level="layer")
    (cluster,) = found.clusters
    given = {link.arg: link.label for item in modules(found) for link in item.args if link.cluster}
    (products,) = [item for item in found.items if item.key in given and item.title == "*"]
    assert (products.count, given[products.key]) == (24 + 4, "× 12"), "and the zeros of the start"
    assert cluster.inside == {item.key for item in modules(found)}
    for item, after in pairwise(modules(found)):
        assert item.key in {link.arg for link in after.args}
        assert item.key not in {link.arg for other in modules(found) if other is not after
                                for link in other.args}  # fmt: skip


def test_parameters_that_all_steps_share_stay_outside() -> None:
    found = picture_of(recurrent(1), level="layer")
    leaves = {item.key for item in found.items if item.kind == "value" and not item.args}
    wires = [link for item in modules(found) for link in item.args if link.arg in leaves]
    (state,) = [link for link in wires if not link.cluster]
    assert state in modules(found)[0].args, "what is before the first step is its own"
    wires.remove(state)
    assert {link.cluster for link in wires} == {cluster.key for cluster in found.clusters}
    assert all(link.label in ("× 19", "× 20") for link in wires), "the last has no next state"


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


def test_so_is_one_that_each_sample_adds_to_and_takes_from() -> None:
    def boxes(n: int) -> int:
        w, loss = [Value(0.1 * i) for i in range(4)], Value(0.0)
        for i in range(n):
            scores = [v * (i + 1) for v in w]
            loss = loss + logsumexp(scores) - scores[i % 4]
        return len(picture_of(loss, level="layer").items)

    assert boxes(2) == boxes(7) == boxes(40)


def test_what_never_comes_again_is_no_stage() -> None:
    zeros = [i for i in range(800) if i.bit_count() % 2 == 0]  # no stretch twice in a row: Thue
    out = Value(0.5)
    for a, b in itertools.islice(pairwise(zeros), 200):
        out = (Value.tanh, Value.sin, Value.cos)[b - a - 1](out)
    assert not modules(picture_of(out, level="network"))


@pytest.mark.long
def test_levels_are_monotone_without_modules_too() -> None:
    for network in (plain, recurrent, springs, alignment):
        out = network(1)
        for budget in (None, 50):
            counts = [
                len([item for item in found.items if item.kind != "more"])
                for level in LEVELS
                for found in [picture_of(out, level=level, budget=budget)]
            ]
            assert counts == sorted(counts, reverse=True), (network, budget)
