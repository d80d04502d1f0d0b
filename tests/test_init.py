"""Initialisation: the variance laws, what is chosen by default, seeds."""

import math
import random
from typing import Any

import pytest

from nn import MLP, Layer, Neuron, init

NIN, NOUT, DRAWS = 30, 50, 20_000

LAWS = {
    "uniform": 1 / 3,
    "xavier_uniform": 2 / (NIN + NOUT),
    "xavier_normal": 2 / (NIN + NOUT),
    "he_uniform": 2 / NIN,
    "he_normal": 2 / NIN,
    "lecun_uniform": 1 / NIN,
    "lecun_normal": 1 / NIN,
    "standard_normal": 1.0,
}


def weights(model: Any) -> list[float]:
    return [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]


def variance(xs: list[float]) -> float:
    mean = math.fsum(xs) / len(xs)
    return math.fsum((x - mean) ** 2 for x in xs) / len(xs)


@pytest.mark.parametrize("name", init.NAMED)
def test_the_variance_law(name: str) -> None:
    source = random.Random(1)
    draws = [init.NAMED[name](NIN, NOUT, source) for _ in range(DRAWS)]
    # The variance of n draws has relative deviation sqrt((kurtosis - 1) / n): for normal ones
    # sqrt(2 / n) = 0.01, for uniform ones less. The mean has deviation sqrt(law / n). 4 of each.
    assert variance(draws) == pytest.approx(LAWS[name], rel=4 * math.sqrt(2 / DRAWS))
    assert abs(math.fsum(draws) / DRAWS) < 4 * math.sqrt(LAWS[name] / DRAWS)
    if "uniform" in name:
        assert max(map(abs, draws)) <= math.sqrt(3 * LAWS[name])


@pytest.mark.long
def test_signals_keep_their_size_through_a_deep_network() -> None:
    source = random.Random(0)
    inputs = [source.gauss(0, 1) for _ in range(60)]
    size = math.hypot(*inputs)
    for activation in ("relu", "linear"):
        model = MLP(60, [60] * 8, activation=[activation] * 8, seed=3)
        out = math.hypot(*(value.data for value in model(inputs)))
        # Each of 8 layers of width 60 keeps the squared length up to a relative deviation of
        # about sqrt(5 / 60) = 0.29 for relu: together 0.82, so a factor exp(4 * 0.82 / 2) = 5.
        assert size / 5 < out < 5 * size


def test_micrograd_s_forms_start_as_micrograd_s() -> None:
    random.seed(1337)
    expected = [random.uniform(-1, 1) for _ in range(2 * 3 + 3)]
    random.seed(1337)
    assert weights(MLP(2, [3, 1])) == expected
    # A seed only says where the numbers come from.
    source = random.Random(7)
    assert weights(MLP(2, [3, 1], seed=7)) == [source.uniform(-1, 1) for _ in range(9)]


def test_a_named_activation_brings_the_start_that_fits_it() -> None:
    source = random.Random(7)
    expected = [init.he_normal(2, 3, source) for _ in range(6)]
    expected += [init.xavier_uniform(3, 1, source) for _ in range(3)]  # the output is linear
    assert weights(MLP(2, [3, 1], activation="relu", seed=7)) == expected
    source = random.Random(7)
    expected = [init.xavier_uniform(2, 1, source) for _ in range(2)]
    assert [w.data for w in Neuron(2, activation="tanh", seed=7).w] == expected


def test_without_a_seed_a_fitting_start_comes_from_the_global_source() -> None:
    random.seed(5)
    first = weights(MLP(2, [3, 1], activation="tanh"))
    random.seed(5)
    assert weights(MLP(2, [3, 1], activation="tanh")) == first


def test_init_overrules() -> None:
    source = random.Random(7)
    expected = [init.lecun_normal(2, 3, source) for _ in range(6)]
    for given in ("lecun_normal", init.lecun_normal):
        layer = Layer(2, 3, activation="relu", seed=7, init=given)
        assert [w.data for neuron in layer.neurons for w in neuron.w] == expected
    constant = Layer(2, 3, init=lambda nin, nout, source: float(10 * nin + nout))
    assert {w.data for neuron in constant.neurons for w in neuron.w} == {23.0}


def test_an_unknown_init_is_named() -> None:
    with pytest.raises(ValueError, match=r"one of uniform, xavier_uniform.*got 'orthogonal'"):
        MLP(2, [1], init="orthogonal")
