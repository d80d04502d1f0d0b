"""Models that no module holds: each is one box, with its own parameters, whatever others are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from autograd import Value, dot, mean, softmax, tanh
from autograd import sum as sum_of
from autograd.drawing import picture_of
from autograd.drawing.structure import Structure
from autograd.functions import trace
from nn import MLP, Embedding, Layer, Linear, Module


def places(out: Value, *models: Module) -> list[set[str]]:
    """Return in which modules, at the level of layers, the parameters of each model stand."""
    structure = Structure(trace(out)[0])
    return [
        {
            structure.place[structure.position[p]].partition(".")[0]
            for p in model.parameters()
            if p in structure.position
        }
        for model in models
    ]


def modules(out: Value, level: str = "layer") -> list[str]:
    found = picture_of(out, level=level)
    assert not [item.title for item in found.items if item.title.startswith(("weight", "bias"))]
    return [item.title for item in found.items if item.kind == "module"]


def hourglass(k: int) -> tuple[Value, list[Module]]:
    """A network that gets narrow and wide again, with streams around its middle."""
    down, deep, middle = Layer(4, 4, seed=0), Layer(4, 2, seed=1), Layer(2, 2, seed=2)
    up, last = Layer(2, 4, seed=3), Linear(4, 4, seed=4)
    a = down([math.sin(k + i) for i in range(4)])
    b = deep(a)
    c = [p + q for p, q in zip(middle(b), b, strict=True)]
    outs = last([p + q for p, q in zip(up(c), a, strict=True)])
    return sum_of([out * out for out in outs]), [down, deep, middle, up, last]


def test_layers_of_any_width_are_whole_and_counted_as_they_are_run() -> None:
    out, models = hourglass(1)
    assert places(out, *models) == [{f"layer{i}"} for i in (1, 2, 3, 4)] + [{"linear"}]
    assert modules(out) == ["layer1", "layer2", "layer3", "layer4", "linear"]
    assert modules(out, "network") == ["network"]


def in_turn(a: list[Any], b: list[Any]) -> Value:
    return sum_of([p + tanh(0.5 * q) for p, q in zip(a, b, strict=True)])


def all_by_all(a: list[Any], b: list[Any]) -> Value:
    middle = mean(b)
    return sum_of([(a[0] + q - middle) ** 2 for q in b])


@pytest.mark.parametrize(("first", "use"), [(3, in_turn), (1, all_by_all)])
@pytest.mark.parametrize("given", [True, False])
def test_two_that_are_given_the_same_are_two(
    first: int, use: Callable[[list[Any], list[Any]], Value], *, given: bool
) -> None:
    body, one, other = Layer(2, 4, seed=0), Linear(4, first, seed=1), Linear(4, 3, seed=2)
    x: list[Any] = body([0.5, 1.0]) if given else [0.5, 1.0, -0.5, 2.0]
    out = use(one(x), other(x))
    assert places(out, one, other) == [{"linear1"}, {"linear2"}]


def test_layers_and_networks_of_layers_are_no_one_model() -> None:
    x: Any = [0.5, 1.0]
    models = [MLP(2, [3, 2], seed=0), Layer(2, 2, seed=1), MLP(2, [3, 2], seed=2), Layer(2, 2)]
    for model in models:
        x = model(x)
    found = places(sum_of(x), *models)
    assert found == [{"model1"}, {"layer1"}, {"model2"}, {"layer2"}]


def test_a_deeper_network_is_whole() -> None:
    x: Any = [0.5, 1.0]
    models = [MLP(2, [3, 2], seed=0), MLP(2, [3, 3, 2], seed=1), MLP(2, [3, 3, 2], seed=2)]
    for model in models:
        x = model(x)
    assert places(sum_of(x), *models) == [{"model1"}, {"model2"}, {"model3"}]


@pytest.mark.parametrize("samples", [1, 3])
def test_a_linear_is_a_module_wherever_it_stands(samples: int) -> None:
    gate, expert, last = Linear(2, 2, seed=0), MLP(2, [3, 2], seed=1), Linear(2, 1, seed=2)
    losses = []
    for k in range(samples):
        x = [math.sin(k), 1.0]
        (out,) = last([a * b for a, b in zip(softmax(gate(x)), expert(x), strict=True)])
        losses.append((out - 1) ** 2)
    assert {*modules(mean(losses))} == {"linear1", "layers.0", "layers.1", "linear2"}
    assert modules(mean(losses), "network") == ["network"]


def test_a_matrix_of_ones_own_is_called_by_its_name() -> None:
    w1, w2 = (
        [[Value(0.1 * (i + j), f"{name}.{i}.{j}") for j in range(2)] for i in range(2)]
        for name in ("w1", "w2")
    )
    x: list[Any] = [0.5, 1.0]
    for matrix in (w1, w2):
        x = [tanh(dot(row, x)) for row in matrix]
    assert modules(sum_of(x)) == ["w1", "w2"]


def test_a_layer_beside_others_is_one_box() -> None:
    body, last = Layer(1, 3, seed=0), Linear(3, 1, seed=1)
    out = mean([last(body([0.1 * k]))[0] ** 2 for k in range(3)])
    assert modules(out) == ["layer", "linear"]
    assert {f"layer.neurons.{j}" for j in range(3)} <= set(modules(out, "neuron"))


def test_matrices_side_by_side_are_no_neurons() -> None:
    class Gated(Module):
        def __init__(self) -> None:
            self.gates = [Linear(2, 2, seed=i) for i in range(3)]
            self.last = Linear(2, 1, seed=3)
            self.label_parameters()

        def forward(self, x: list[Any]) -> Value:
            a, b, c = (gate(x) for gate in self.gates)
            return self.last([p * q + r for p, q, r in zip(a, b, c, strict=True)])[0]

    assert {"gates.0", "gates.1", "gates.2", "last"} <= set(modules(Gated()([0.5, 1.0])))


def test_rows_that_are_looked_up_are_an_embedding() -> None:
    table, last = Embedding(5, 2, seed=0), Linear(2, 5, seed=1)
    outs = [last(table(k))[k] for k in range(3)]
    penalty = sum_of([w * w for w in (*table.parameters(), *last.parameters())])
    structure = Structure(trace(mean(outs) + penalty)[0])
    rows = [structure.place[structure.position[p]] for row in table.weight for p in row]
    assert rows == ["embedding"] * 6 + [""] * 4, "what is but penalised is in no network"
    assert modules(mean(outs), "network") == ["network"]
