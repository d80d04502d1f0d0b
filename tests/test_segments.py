"""Networks of one's own in which nothing repeats: a stage is what is done between two layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from autograd import Value
from autograd.drawing import picture_of
from autograd.drawing.levels import LEVELS
from autograd.drawing.picture import Item, Picture


def weights(rows: int, columns: int) -> list[list[Value]]:
    return [[Value(math.sin(3 * i + j + 1)) for j in range(columns)] for i in range(rows)]


def linear(x: Any, matrix: list[list[Value]]) -> list[Any]:
    return [sum(w * v for w, v in zip(row, x, strict=True)) for row in matrix]


def softmax(logits: list[Any]) -> list[Any]:
    exps = [(v - max(v.data for v in logits)).exp() for v in logits]
    total = sum(exps)
    return [e / total for e in exps]


def rmsnorm(x: list[Any]) -> list[Any]:
    scale = (sum(v * v for v in x) / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]


def transformer(positions: int) -> Value:
    """A transformer of one block, position by position, by lists and functions alone."""
    tokens, places, head = weights(3, 4), weights(8, 4), weights(3, 4)
    query, key, value, out = (weights(4, 4) for _ in range(4))
    wide, narrow = weights(8, 4), weights(4, 8)
    losses, keys, values = [], [], []
    for t in range(positions):
        x = rmsnorm([a + b for a, b in zip(tokens[t % 3], places[t], strict=True)])
        seen = rmsnorm(x)
        q = linear(seen, query)
        keys.append(linear(seen, key))
        values.append(linear(seen, value))
        heads: list[Any] = []
        for h in (slice(0, 2), slice(2, 4)):
            scores = [sum(a * b for a, b in zip(q[h], k[h], strict=True)) / 2**0.5 for k in keys]
            weight = softmax(scores)
            mixed = [[w * v for v in row[h]] for w, row in zip(weight, values, strict=True)]
            heads += [sum(column) for column in zip(*mixed, strict=True)]
        x = [a + b for a, b in zip(linear(heads, out), x, strict=True)]
        hidden = [v.relu() for v in linear(rmsnorm(x), wide)]
        x = [a + b for a, b in zip(linear(hidden, narrow), x, strict=True)]
        losses.append(-softmax(linear(x, head))[(t + 1) % 3].log())
    return sum(losses) * (1 / positions)  # type: ignore[return-value]


def classifier(samples: int) -> Value:
    hidden, out = weights(4, 2), weights(3, 4)
    losses = []
    for k in range(samples):
        x = [v.relu() for v in linear([k / samples, 1.0], hidden)]
        losses.append(-softmax(linear(x, out))[k % 3].log())
    return sum(losses) / samples  # type: ignore[return-value]


def variational(samples: int) -> Value:
    """An autoencoder whose code is drawn from what two layers say, with a penalty on these."""
    encoder, mean, spread = weights(4, 3), weights(2, 4), weights(2, 4)
    decoder, out = weights(4, 2), weights(3, 4)
    total: Any = 0
    for k in range(samples):
        x = [0.1 * k, 1.0, -0.5]
        h = [v.tanh() for v in linear(x, encoder)]
        mu, log_variance = linear(h, mean), linear(h, spread)
        z = [m + (0.5 * v).exp() * math.cos(k) for m, v in zip(mu, log_variance, strict=True)]
        again = linear([v.tanh() for v in linear(z, decoder)], out)
        total += sum((a - b) ** 2 for a, b in zip(again, x, strict=True))
        total -= sum(1 + v - m * m - v.exp() for m, v in zip(mu, log_variance, strict=True)) / 2
    return total / samples  # type: ignore[no-any-return]


def two_heads(samples: int) -> Value:
    """A policy and its critic on one trunk."""
    trunk, policy, critic = weights(4, 2), weights(3, 4), weights(1, 4)
    total: Any = 0
    for k in range(samples):
        h = [v.tanh() for v in linear([0.1 * k, 1.0], trunk)]
        total += (linear(h, critic)[0] - 1) ** 2 - softmax(linear(h, policy))[k % 3].log()
    return total  # type: ignore[no-any-return]


STAGES: dict[Callable[[int], Value], int] = {
    transformer: 6,  # what is embedded; attention; its output; two of the MLP; the logits
    classifier: 2,
    variational: 4,
    two_heads: 2,
}


def modules(picture: Picture) -> list[Item]:
    return [item for item in picture.items if item.kind == "module"]


@pytest.mark.parametrize("network", STAGES)
def test_a_layer_and_what_is_done_to_its_results_is_a_stage(
    network: Callable[[int], Value],
) -> None:
    (whole,) = modules(picture_of(network(3), level="network"))
    assert (whole.title, whole.count) == ("stage *", STAGES[network])
    stages = modules(picture_of(network(3), level="layer"))
    assert sorted(item.title for item in stages) == [f"stage {i}" for i in range(STAGES[network])]


@pytest.mark.parametrize("network", STAGES)
@pytest.mark.long
def test_the_boxes_are_the_same_for_any_number_of_samples(
    network: Callable[[int], Value],
) -> None:
    def boxes(samples: int, level: str) -> list[str]:
        found = picture_of(network(samples), level=level)
        return sorted(item.title or item.caption[:2] for item in found.items)

    for level in LEVELS[1:]:
        assert boxes(3, level) == boxes(4, level) == boxes(7, level)


@pytest.mark.parametrize("network", STAGES)
def test_levels_are_monotone_and_no_arrow_leads_around_in_a_circle(
    network: Callable[[int], Value],
) -> None:
    counts = []
    for level in LEVELS:
        found = picture_of(network(2), level=level, budget=None)
        counts.append(len(found.items))
        place = {item.key: i for i, item in enumerate(found.items)}
        waiting = {item.key: {link.arg for link in item.args if link.arg} for item in found.items}
        while waiting:
            free = [key for key, args in waiting.items() if args.isdisjoint(waiting)]
            assert free, (level, sorted(waiting, key=place.__getitem__))
            for key in free:
                del waiting[key]
    assert counts == sorted(counts, reverse=True)


def test_a_transformer_by_hand_is_a_handful_of_boxes() -> None:
    whole = picture_of(transformer(8), level="network")
    assert len(whole.items) <= 12
    assert len(picture_of(transformer(8), level="layer").items) <= 20


def test_parameters_are_in_the_stage_that_uses_them() -> None:
    out = classifier(4)
    out.backward()
    found = modules(picture_of(out, level="layer"))
    assert [[row.what for row in item.rows][-1] for item in found] == [
        "‖grad‖ of 8 parameters",
        "‖grad‖ of 12 parameters",
    ]


def test_a_number_that_scales_each_result_is_no_layer_of_its_own() -> None:
    def stages(gained: bool) -> int:
        layers = [weights(n, m) for m, n in pairwise((2, 3, 4, 2))]
        gain = [Value(1.0 + i) for i in range(3)]
        x: list[Any] = [0.1, 1.0]
        for i, matrix in enumerate(layers):
            x = [v.tanh() if i % 2 else v.sin() for v in linear(x, matrix)]
            if gained and i == 0:
                x = [g * v for g, v in zip(gain, x, strict=True)]
        return len(modules(picture_of(sum(x), level="layer")))

    assert stages(gained=True) == stages(gained=False) == 3


def test_what_comes_only_twice_is_told_by_its_layers() -> None:
    x: list[Any] = linear([0.1, 1.0], weights(2, 2))
    for inner, outer in ((weights(3, 2), weights(2, 3)) for _ in range(2)):
        h = [v.relu() for v in linear(rmsnorm(x), inner)]
        x = [a + b for a, b in zip(x, linear(h, outer), strict=True)]
    found = modules(picture_of(sum(v * v for v in x), level="layer"))
    assert len(found) == 1 + 2 * 2


def test_a_turn_that_comes_again_has_the_parts_of_its_layers() -> None:
    x: list[Any] = linear([0.1, 1.0], weights(2, 2))
    for _ in range(4):
        h = [v.relu() for v in linear(rmsnorm(x), weights(3, 2))]
        x = [a + b for a, b in zip(x, linear(h, weights(2, 3)), strict=True)]
    counts = [len(picture_of(sum(x), level=level, budget=None).items) for level in LEVELS]
    assert counts == sorted(counts, reverse=True)
    _, neurons, layers, network = counts
    assert layers - network == 3, "a block is a stage, of four"
    assert neurons - layers >= 2 * 4, "two layers, and what is between them"


@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_the_head_of_a_stack_of_blocks_is_a_stage_however_many_they_are(blocks: int) -> None:
    x: list[Any] = linear([0.1, 1.0], weights(2, 2))
    for _ in range(blocks):
        h = [v.relu() for v in linear(rmsnorm(x), weights(3, 2))]
        x = [a + b for a, b in zip(x, linear(h, weights(2, 3)), strict=True)]
    loss = -softmax(linear(x, weights(3, 2)))[0].log()
    for level in ("layer", "network"):
        found = picture_of(loss, level=level)
        outside = [item for item in found.items if item.kind != "module"]
        assert not any(item.title == "*" for item in outside), level
        assert not any(item.kind == "value" and not item.args for item in outside), level
