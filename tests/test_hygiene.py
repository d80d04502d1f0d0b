"""What training says of itself: each trouble, said once, with its fix; and no false alarm."""

import math
import random
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from autograd import DomainError, Value, log
from nn import MLP, Layer, Module, Neuron, Residual, Sequential, clip_grad_norm, fit
from nn.data import moons, xor
from nn.history import History, layers_of
from nn.hygiene import Hygiene, TrainingWarning
from nn.losses import binary_cross_entropy_with_logits, half_squared_error
from nn.optim import SGD, Adam

LOSS = binary_cross_entropy_with_logits


def said(
    model: Module,
    data: Any,
    learning_rate: float = 0.1,
    loss: Callable[..., Any] = LOSS,
    optimizer: Any = None,
    **settings: Any,
) -> list[str]:
    """Return what fit says of a training, which must be what its history holds."""
    optimizer = optimizer or SGD(model.parameters(), learning_rate)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        settings = {"epochs": 4, "batch_size": 8} | settings
        history = fit(model, data, loss, optimizer, **settings)
    told = [w for w in caught if w.category is TrainingWarning]
    own = {line for _, _, line in said.__code__.co_lines()}
    assert all(w.filename == __file__ and w.lineno in own for w in told)  # where fit is called
    messages = [str(w.message) for w in told]
    assert messages == history.warnings
    return messages


@pytest.mark.parametrize("activation", [None, "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.long) for s in (1, 2))])
def test_a_healthy_training_is_left_in_peace(activation: str | None, seed: int) -> None:
    model = MLP(2, [16, 16, 1], activation=activation, seed=seed)
    points, labels = moons(40, seed=seed)
    messages = said(model, (points, labels), 0.1, epochs=5)
    # A unit that is dead is told of, be the others as they may.
    assert all(message.startswith("dead ReLU units: ") for message in messages)
    named = {
        name for message in messages for name in re.findall(r"layers\.\d\.neurons\.\d+", message)
    }
    assert dead_units(model, points) <= named
    assert activation in (None, "relu") or not named


def dead_units(model: MLP, points: Any) -> set[str]:
    """Return the units in hidden layers of a network that are 0 for all points."""
    alive = set()
    for point in points:
        x: Any = point
        for i, layer in enumerate(model.layers[:-1]):
            x = [neuron(x) for neuron in layer.neurons]
            alive |= {f"layers.{i}.neurons.{j}" for j, y in enumerate(x) if y.data != 0}
    every = (f"layers.{i}.neurons.{j}" for i, n in enumerate((16, 16)) for j in range(n))
    return set(every) - alive


def test_gradients_never_zeroed() -> None:
    class Forgetful(SGD):
        def zero_grad(self) -> None:
            pass

    model = MLP(2, [4, 1], seed=0)
    (message,) = said(model, moons(20), optimizer=Forgetful(model.parameters(), 0.01))
    assert message.startswith("gradients are never zeroed: layers.0.neurons.0.w.0")
    assert "call optimizer.zero_grad() before backward()" in message


def test_in_a_loop_of_one_s_own() -> None:
    model = MLP(2, [1], seed=0)
    hygiene = Hygiene(model, SGD(model.parameters(), 0.1), History())
    hygiene.before_backward()
    model([1.0, 2.0]).backward()
    with pytest.warns(TrainingWarning, match="gradients are never zeroed"):
        hygiene.before_backward()
    hygiene.before_backward()  # said once


def test_parameters_never_reached_or_not_optimised() -> None:
    class Forgotten(MLP):
        def __init__(self) -> None:
            super().__init__(2, [3, 1], seed=0)
            self.spare = Neuron(2, seed=0)

    model = Forgotten()
    held = model.parameters()[:-1]
    messages = said(model, moons(8), optimizer=SGD([*held, *model.layers[0].parameters()], 0.1))
    assert messages == [
        "parameters are never reached: the loss does not depend on spare.w.0, spare.w.1 and "
        "1 more; use them in forward, or drop them"
    ]
    model = MLP(2, [3, 1], seed=0)
    (first, *_) = said(model, moons(8), optimizer=SGD(model.layers[0].parameters(), 0.1))
    assert first.startswith("parameters are not optimised: the optimizer does not hold layers.1")


def test_dead_relu_units() -> None:
    model = MLP(2, [8, 1], seed=0)
    for neuron in model.layers[0].neurons[:5]:
        neuron.b.data = -50.0
    messages = said(model, moons(20), 0.01)
    assert [m for m in messages if m.startswith("dead ReLU units: 5 of 8 in layers.0 were 0")]
    names = ", ".join(f"layers.0.neurons.{i}" for i in range(5))
    assert [m for m in messages if f"learn nothing: {names}; lower the learning rate" in m]
    assert [m for m in messages if "so few are left that another seed or more units" in m]


@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.long
def test_a_single_dead_unit_is_told_of_by_name_and_once(compile: bool) -> None:
    if compile:
        pytest.importorskip("llvmlite")
    model = MLP(2, [8, 1], activation="relu", seed=3)
    settings: dict[str, Any] = {"epochs": 9, "compile": compile}
    assert said(model, moons(20), 0.01, **settings) == []
    model.layers[0].neurons[2].b.data = -50.0
    (message,) = said(model, moons(20), 0.01, **settings)
    assert message == (
        "dead ReLU units: 1 of 8 in layers.0 was 0 for all 20 samples of an epoch, and learns "
        "nothing: layers.0.neurons.2; lower the learning rate, start with he_normal, or use "
        "leaky_relu"
    )


def test_a_unit_that_dies_later_is_told_of_in_the_last_epoch_at_the_latest() -> None:
    model = MLP(2, [8, 1], activation="relu", seed=3)

    def kill(model: Any, history: History) -> None:
        if len(history.loss) in (1, 5):  # epochs 1, 2, 4 and the last one are looked at
            model.layers[0].neurons[len(history.loss)].b.data = -50.0

    first, second = said(model, moons(20), 0.01, epochs=7, callbacks=[kill])
    assert "layers.0.neurons.1;" in first
    assert "1 of 8 in layers.0 was 0" in second
    assert "as 1 before: layers.0.neurons.5;" in second


def test_many_dead_units_are_counted_and_kept_in_the_history() -> None:
    model = MLP(2, [30, 1], activation="relu", seed=0)
    for neuron in model.layers[0].neurons[:25]:
        neuron.b.data = -50.0
    with pytest.warns(TrainingWarning, match=r"neurons\.19 and 5 more, in history\.dead_units; "):
        history = fit(model, moons(20), LOSS, SGD(model.parameters(), 0.01), epochs=1)
    assert history.dead_units == [f"layers.0.neurons.{i}" for i in range(25)]


@pytest.mark.long
def test_xor_with_four_relu_units_says_why_it_fails() -> None:
    stuck = 0
    for seed in range(20):
        model = MLP(2, [4, 1], activation="relu", seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer = Adam(model.parameters(), 0.1)
            history = fit(model, xor(), LOSS, optimizer, epochs=60, seed=seed)
        if history.accuracy[-1] < 1:
            stuck += 1
            assert any("dead ReLU units" in warning for warning in history.warnings), seed
    assert stuck > 4  # else there is nothing to say


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.long
def test_a_learning_rate_far_too_large_is_what_is_named(activation: str) -> None:
    model = MLP(2, [8, 8, 1], activation=activation, seed=0)
    messages = said(model, moons(40), optimizer=Adam(model.parameters(), 1000.0), epochs=8)
    assert messages
    for message in messages:
        if not message.startswith(("the learning rate", "exploding")):
            assert "lower the learning rate, 1000: a step moved layers." in message
            assert "standardise" not in message


def test_saturated_tanh_units() -> None:
    model = MLP(2, [8, 1], activation="tanh", seed=0)
    points, labels = moons(20)
    big = [[1000 * x, 1000 * y] for x, y in points]
    messages = said(model, (big, labels), 1e-4)
    assert any(m.startswith("saturated tanh units: 8 of 8 in layers.0") for m in messages)


@pytest.mark.parametrize("depth", [6, 20])
@pytest.mark.long
def test_vanishing_gradients(depth: int) -> None:
    model = MLP(2, [8] * depth + [1], activation="sigmoid", seed=0)
    (message,) = said(model, moons(16), 0.01, epochs=2)
    assert message.startswith("vanishing gradients: those of layers.0 have norm")


@pytest.mark.parametrize(("activation", "depth"), [("tanh", 20), ("relu", 7), ("sigmoid", 3)])
@pytest.mark.long
def test_gradients_that_arrive_are_no_news(activation: str, depth: int) -> None:
    model = MLP(2, [8] * depth + [1], activation=activation, seed=0)
    messages = said(model, moons(16), 0.01, epochs=2)
    assert not [message for message in messages if message.startswith("vanishing")]


def test_large_inputs_make_no_other_gradients_vanish() -> None:
    points, labels = moons(16)
    far = [[1e4 * x, 1e4 * y] for x, y in points]
    model = MLP(2, [4, 1], activation="relu", seed=0)
    assert not [m for m in said(model, (far, labels), 1e-9) if m.startswith("vanishing")]


def test_exploding_gradients_and_an_overshooting_learning_rate() -> None:
    model = Neuron(1, nonlin=False, seed=0)
    # The error grows by |1 - 2.5 (x² + 1) ...| each step: the rate is above 2 / curvature.
    data = [[1.0]] * 4, [2.0] * 4
    messages = said(model, data, 1.5, half_squared_error, epochs=8, batch_size=4)
    assert [m.partition(":")[0] for m in messages] == [
        "exploding gradients",
        "the learning rate overshoots",
    ]
    assert "try 0.15" in messages[1]


def test_the_same_data_in_training_and_validation() -> None:
    model, data = MLP(2, [4, 1], seed=0), moons(20)
    (message,) = said(model, data, 0.01, validation=(data[0][:10], data[1][:10]))
    assert message.startswith("the same data in training and validation: 10 of 10")


def test_a_loss_that_is_not_finite_comes_with_its_genealogy() -> None:
    class Difference(Module):
        """exp(a x) - exp(b x), of which both overflow."""

        def __init__(self) -> None:
            self.a, self.b = Value(1.0, label="a"), Value(1.0, label="b")

        def forward(self, x: Any) -> Value:
            return (self.a * x[0]).exp() - (self.b * x[0]).exp()

    model = Difference()
    with pytest.raises(FloatingPointError, match="the loss became nan") as caught:
        fit(
            model,
            ([[1000.0]], [1.0]),
            half_squared_error,
            SGD(model.parameters(), 0.1),
            epochs=1,
        )
    message = str(caught.value)
    assert "try a learning rate below 0.1" in message
    assert "where it began: " in message
    assert "exp(1000.0) overflows" in message


def test_a_loss_that_leaves_its_domain_is_the_domain_s_error() -> None:
    model = Neuron(1, nonlin=False, seed=0)
    loss: Any = lambda out, target: log(out - 100)
    with pytest.raises(DomainError, match="log"):
        fit(model, ([[1.0]], [1.0]), loss, SGD(model.parameters(), 0.1), epochs=1)


# 30 layers deep: what the theory says of gradients, in numbers


DEPTH, WIDTH = 30, 30


def first_and_last(model: Sequential) -> tuple[float, float]:
    """Return the norms of the weights' gradients in the first and the last layer."""
    source = random.Random(5)
    x = [source.gauss(0, 1) for _ in range(WIDTH)]
    outs = model(x)
    # The error signal is of size 1 at each output.
    sum(outs[1:], outs[0]).backward()
    norms = [
        math.hypot(*(w.grad for n in layer.neurons for w in n.w))
        for layer in model.named_modules().values()
        if isinstance(layer, Layer)
    ]
    return norms[0], norms[-1]


def stack(activation: str, init: Any = None, residual: bool = False) -> Sequential:
    source = random.Random(1)
    layers = [
        Layer(WIDTH, WIDTH, activation=activation, seed=source, init=init) for _ in range(DEPTH)
    ]
    if residual:
        return Sequential(*(Residual(layer, 1 / math.sqrt(DEPTH)) for layer in layers))
    return Sequential(*layers)


@pytest.mark.long
def test_sigmoid_vanishes() -> None:
    first, last = first_and_last(stack("sigmoid"))
    # σ' is at most 1/4: about 4**-29 = 3e-18 times weights of about 1.
    assert 0 < first / last < 1e-10


@pytest.mark.long
def test_relu_with_he_stays() -> None:
    first, last = first_and_last(stack("relu", "he_normal"))
    assert 1e-2 < first / last < 1e2


@pytest.mark.long
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_residual_branches_scaled_by_the_root_of_the_depth_stay(activation: str) -> None:
    first, last = first_and_last(stack(activation, residual=True))
    assert 1e-2 < first / last < 1e2


def too_large(nin: int, nout: int, source: random.Random) -> float:
    return source.gauss(0, 2.0)


@pytest.mark.long
def test_a_start_too_large_explodes_and_clipping_by_norm_cures_it() -> None:
    model = stack("relu", too_large)
    first, _ = first_and_last(model)
    assert first > 1e10
    before = [p.data for p in model.parameters()]
    assert clip_grad_norm(model.parameters(), 1.0) >= first
    SGD(model.parameters(), 0.1).step()
    moved = math.hypot(*(p.data - b for p, b in zip(model.parameters(), before, strict=True)))
    # The step is the rate times the norm; the differences of weights of up to 10 are rounded.
    assert moved == pytest.approx(0.1, rel=1e-12)


def test_fit_reports_the_flow_of_gradients_through_the_layers() -> None:
    source = random.Random(0)
    model = Sequential(
        *(Layer(2, 2, activation="sigmoid", seed=source) for _ in range(10)),
        Layer(2, 1, activation="linear", seed=source),
    )
    with pytest.warns(TrainingWarning, match="vanishing gradients"):
        history = fit(model, moons(24), LOSS, Adam(model.parameters()), epochs=1, batch_size=8)
    assert history.layers == tuple(layers_of(model))
    flow = history.steps[0].gradients
    assert flow[0] < 1e-6 * flow[-1]
