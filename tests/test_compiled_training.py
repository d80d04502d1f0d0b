"""`fit` as machine code: the eager engine's results, its records, its manners."""

import math
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llvmlite", reason="comes with the extra fast")

from autograd import CompileError, Descent, Value, take, where
from nn import MLP, Dropout, History, Layer, Module, Residual, Sequential, clip_grad_value, fit
from nn.callbacks import EarlyStopping
from nn.data import circles, iris, moons, spirals, train_test_split
from nn.documents import StateError
from nn.hygiene import TrainingWarning
from nn.losses import (
    absolute_error,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    half_squared_error,
    hinge,
    huber,
)
from nn.metrics import accuracy, confusion_matrix
from nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nn.schedules import Cosine

Made = tuple[Module, History, Optimizer]


def trained(
    compile: bool | str | None,
    make: Callable[[], Module] = lambda: MLP(2, [6, 1], activation="tanh", seed=1),
    optimizer: Callable[[list[Value]], Optimizer] = lambda p: Adam(p, 0.01),
    loss: Any = binary_cross_entropy_with_logits,
    data: Any = None,
    **settings: Any,
) -> Made:
    model = make()
    used = optimizer(model.parameters())
    history = fit(
        model,
        data or moons(22, seed=3),
        loss,
        used,
        **{"epochs": 3, "batch_size": 8, "seed": 5, "compile": compile, **settings},
    )
    return model, history, used


class Scaled(Module):
    """A user's, with a setting that a callback changes."""

    def __init__(self) -> None:
        self.net, self.scale = MLP(2, [3, 1], activation="tanh", seed=1), 1.0

    def __call__(self, x: Any) -> Any:
        return self.net(x) * self.scale


@pytest.mark.long
def test_what_a_callback_changes_is_compiled_anew() -> None:
    def halve(model: Any, history: History) -> None:
        model.scale /= 2

    eager, compiled = (
        trained(compile, Scaled, callbacks=[halve], data=moons(8, seed=3))
        for compile in (False, True)
    )
    assert compiled[1].backend == "llvm"
    # Three epochs of sums of a few dozen products below 1.
    assert compiled[1].loss == pytest.approx(eager[1].loss, rel=1e-9)
    assert [p.data for p in compiled[0].parameters()] == pytest.approx(
        [p.data for p in eager[0].parameters()], rel=1e-9
    )


def test_after_a_callback_that_changes_nothing_nothing_is_recorded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def record(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("autograd.compiler.original.record", record)
    assert trained(True, callbacks=[lambda model, history: None])[1].backend == "llvm"


class Table(Module):
    """The number that stands in a row, plus all of them."""

    def __init__(self) -> None:
        self.rows = [Value(0.1 * k) for k in range(3)]

    def __call__(self, x: Any) -> Any:
        return take(self.rows, x[0]) + sum(self.rows)


def test_a_table_that_a_callback_shortens_is_not_read_beyond_its_end() -> None:
    model = Table()
    data = [[0], [1], [2]], [1.0, 1.0, 1.0]
    optimizer, before = SGD(model.rows[:], 0.1), []

    def shorten(model: Any, history: History) -> None:
        model.rows.pop()
        before.extend(leaf.data for leaf in optimizer.parameters)

    wrong = r"by 2, which has the rows 0 to 1: it is x0\[0\] of sample 2"
    with pytest.raises(IndexError, match=wrong):
        fit(model, data, half_squared_error, optimizer, epochs=2, compile=True, callbacks=[shorten])
    assert [leaf.data for leaf in optimizer.parameters] == before


def everything(made: Made) -> dict[str, Any]:
    model, history, optimizer = made
    recorded = history.state_dict()
    del recorded["backend"]
    grads = [p.grad for p in optimizer.parameters]
    return {**recorded, **model.state_dict(), **optimizer.state_dict(), "grads": grads}


def distance(one: Made, other: Made) -> float:
    """Return how far the weights of two models are apart, relative to their norm."""
    a, b = (made[0].state_dict().values() for made in (one, other))
    apart = math.hypot(*(x - y for x, y in zip(a, b, strict=True)))
    return apart / math.hypot(*a)


def dropping() -> Module:
    source = random.Random(0)
    return Sequential(
        Layer(2, 6, activation="relu", seed=source),
        Dropout(0.3, seed=source),
        Residual(Layer(6, 6, activation="gelu", seed=source), scale=0.5),
        Dropout(0.2, seed=source),
        Layer(6, 1, activation="linear", seed=source),
    )


SETTINGS: dict[str, dict[str, Any]] = {
    "Adam": {},
    "a validation, metrics, a schedule and a callback": {
        "validation": moons(10, seed=9),
        "metrics": [accuracy, confusion_matrix],
        "schedule": Cosine(3),
        "callbacks": [EarlyStopping(2)],
    },
    "dropout": {"make": dropping},
    "clipping by norm": {"clip": 0.05},
    "clipping by value": {"clip": partial(clip_grad_value, max_value=0.01)},
    "SGD": {"optimizer": lambda p: SGD(p, 0.1)},
    "Nesterov": {"optimizer": lambda p: SGD(p, 0.1, 0.9, nesterov=True, weight_decay=0.01)},
    "RMSprop": {"optimizer": lambda p: RMSprop(p, 0.01)},
    "Adagrad": {"optimizer": lambda p: Adagrad(p, 0.1)},
    "AdamW": {"optimizer": lambda p: AdamW(p, 0.01)},
    "a batch of all": {"batch_size": 100},
    "several classes": {
        "make": lambda: MLP(2, [5, 3], activation="relu", seed=2),
        "loss": partial(cross_entropy, smoothing=0.1),
        "data": spirals(20, arms=3, seed=1),
    },
    "several outputs": {
        "make": lambda: MLP(2, [4, 2], activation="silu", seed=2),
        "loss": half_squared_error,
        "data": ([[0.1 * i, 1.0] for i in range(9)], [[float(i), -1.0] for i in range(9)]),
    },
    "hinge": {"loss": hinge, "data": (moons(9)[0], [1, -1, 1, 1, -1, 1, -1, -1, 1])},
    "huber": {"loss": huber},
    "absolute error": {"loss": absolute_error},
    "probabilities": {
        "make": lambda: MLP(2, [4, 1], activation=["tanh", "sigmoid"], seed=2),
        "loss": binary_cross_entropy,
    },
    "one sample a batch": {"batch_size": 1, "epochs": 1},
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.long
def test_exact_training_has_the_bits_of_the_eager_engine(name: str) -> None:
    eager, exact = (trained(how, **SETTINGS[name]) for how in (False, "exact"))
    assert (eager[1].backend, exact[1].backend) == ("eager", "llvm, exact")
    assert everything(exact) == everything(eager)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.long
def test_fast_training_differs_by_rounding_only(name: str) -> None:
    eager, fast = (trained(how, **SETTINGS[name]) for how in (False, True))
    assert fast[1].backend == "llvm"
    # The bound for an epoch; each step adds roundings of 1e-16, which Adam divides by
    # gradients that may be as small as 1e-5 of the largest.
    assert distance(eager, fast) < 1e-10
    for a, b in zip(eager[1].steps, fast[1].steps, strict=True):
        assert b[:2] == a[:2]
        assert b[2:5] == pytest.approx(a[2:5], rel=1e-9)
        assert b.gradients == pytest.approx(a.gradients, rel=1e-9)
        assert b.updates == pytest.approx(a.updates, rel=1e-9)


def test_two_compiled_trainings_have_the_same_bits() -> None:
    assert everything(trained(True)) == everything(trained(True))


@pytest.mark.parametrize("how", [True, "exact"])
@pytest.mark.long
def test_resumed_it_has_the_same_bits(how: bool | str, tmp_path: Path) -> None:
    whole = trained(how, make=dropping, epochs=4)
    path = tmp_path / "checkpoint.json"
    trained(how, make=dropping, epochs=2, checkpoint=path)
    again = trained(None, make=dropping, epochs=4, resume=path)
    assert again[1].backend == whole[1].backend
    assert everything(again) == everything(whole)


def test_resumed_by_another_back_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.json"
    trained(True, epochs=1, checkpoint=path)
    with pytest.raises(StateError, match=r"back end 'llvm'.*compile=True"):
        trained(False, resume=path)


@pytest.mark.parametrize("step", [0, 2, 7])
@pytest.mark.long
def test_a_step_is_replayed_with_its_weights_and_masks(step: int) -> None:
    _, history, _ = trained(True, make=dropping)
    # The replay's graph is eager, so its loss is rounded in another order.
    assert history.replay(step).data == pytest.approx(history.steps[step].loss, rel=1e-14)


def test_what_cannot_be_compiled_is_trained_eagerly_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Deciding(Module):
        def __init__(self) -> None:
            self.w = Value(0.5)

        def forward(self, x: Any) -> Any:
            return self.w * x[0] if x[1] > 0 else self.w * x[1]

    big = moons(400)
    settings: dict[str, Any] = {"make": Deciding, "data": big, "loss": half_squared_error}
    history = trained(None, epochs=3000, callbacks=[lambda m, h: True], **settings)[1]
    assert history.backend == "eager"
    message = capsys.readouterr().err
    assert message.startswith("fit runs in the eager engine: ")
    assert "test_compiled_training.py" in message
    assert "where(c, a, b)" in message
    assert message.count("\n") == 1
    with pytest.raises(CompileError, match="where"):
        trained(True, **settings)


def test_where_makes_it_compile() -> None:
    class Choosing(Module):
        def __init__(self) -> None:
            self.w = Value(0.5)

        def forward(self, x: Any) -> Any:
            return where(x[1], self.w * x[0], self.w * x[1])

    settings: dict[str, Any] = {"make": Choosing, "loss": half_squared_error}
    assert everything(trained("exact", **settings)) == everything(trained(False, **settings))


def test_a_short_training_is_not_worth_compiling(capsys: pytest.CaptureFixture[str]) -> None:
    assert trained(None)[1].backend == "eager"
    assert capsys.readouterr().err == ""


def test_a_long_one_is() -> None:
    stop = [lambda model, history: True]
    assert trained(None, epochs=100_000, callbacks=stop)[1].backend == "llvm"


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "llvmlite", None)
    with pytest.raises(ImportError, match=r"chainrule\[fast\]"):
        trained(True)


def test_a_function_that_clips_in_its_own_way_is_refused_by_name() -> None:
    def my_clip(parameters: list[Value]) -> None: ...

    with pytest.raises(CompileError, match="my_clip"):
        trained(True, clip=my_clip)


def test_an_unknown_way_to_compile_is_named() -> None:
    with pytest.raises(ValueError, match="compile must be True, False"):
        trained("fast")


def test_ctrl_c_keeps_the_last_whole_step(capsys: pytest.CaptureFixture[str]) -> None:
    calls = 0

    def schedule(time: float) -> float:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return 1.0

    model, history, optimizer = trained("exact", schedule=schedule)
    assert history.interrupted
    assert (optimizer.steps, len(history.loss), len(history.steps)) == (4, 1, 3)
    assert "stopped by Ctrl-C in epoch 2" in capsys.readouterr().err

    class Stop(Exception):
        pass

    def stop(time: float) -> float:
        nonlocal calls
        calls += 1
        if calls == 10:
            raise Stop
        return 1.0

    eager = MLP(2, [6, 1], activation="tanh", seed=1)
    with pytest.raises(Stop):
        trained(False, make=lambda: eager, schedule=stop)
    assert model.state_dict() == eager.state_dict()


@pytest.mark.parametrize("clip", [None, 0.05, partial(clip_grad_value, max_value=0.01)])
def test_many_steps_are_one_call(clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has its say after 20 ms, which steps of a µs don't take: 64 at once at most."""
    ran: list[int] = []
    run = Descent.run

    def noted(descent: Descent, settings: Any) -> str:
        ran.append(len(settings))
        return run(descent, settings)

    monkeypatch.setattr(Descent, "run", noted)
    trained(True, data=moons(200, seed=3), batch_size=1, epochs=2, clip=clip)
    assert (sum(ran), max(ran)) == (400, 64)
    assert ran[0] == 1  # until it is known how long one takes


def test_a_gradient_of_zeros_is_clipped_to_itself() -> None:
    """The norm of nothing is told from one whose square underflows by Python."""
    before = MLP(2, [6, 1], activation="tanh", seed=1).state_dict()
    nothing = lambda out, target: 0.0 * out
    model, history, _ = trained(True, loss=nothing, clip=1.0, optimizer=lambda p: SGD(p, 1.0))
    assert len(history.steps) == 9
    assert all(norm == 0 for step in history.steps for norm in step.gradients)
    assert model.state_dict() == before


@pytest.mark.parametrize("tiny", [1e-200, 1e200])
@pytest.mark.long
def test_norms_whose_squares_are_no_floats_are_clipped(tiny: float) -> None:
    loss = lambda out, target: tiny * (out - target)
    eager, fast = (
        trained(compile, loss=loss, clip=tiny / 10, optimizer=lambda p: SGD(p, 0.1 / tiny))
        for compile in (False, True)
    )
    assert distance(eager, fast) < 1e-9


def test_a_diverging_loss_stops_with_the_last_finite_weights() -> None:
    model = MLP(2, [4, 1], activation="relu", seed=0)
    with pytest.raises(FloatingPointError, match=r"(?s)the loss became .*where it began"):
        fit(
            model,
            moons(40),
            half_squared_error,
            SGD(model.parameters(), 1e60),
            epochs=9,
            compile=True,
        )
    assert all(map(math.isfinite, model.state_dict().values()))


def test_dead_units_are_noticed() -> None:
    def dead() -> MLP:
        model = MLP(2, [4, 1], activation="relu", seed=0)
        for neuron in model.layers[0].neurons:
            neuron.b.data = -100.0
        return model

    with pytest.warns(TrainingWarning) as caught:
        trained(True, make=dead, loss=half_squared_error)
    assert any("dead ReLU units: 4 of 4 in layers.0" in str(w.message) for w in caught)


@pytest.mark.long
def test_iris_is_learnt() -> None:
    pytest.importorskip("sklearn")
    train, test = train_test_split(iris(), test=0.2, seed=0)
    model = MLP(4, [16, 3], activation="tanh", seed=0)
    optimizer = Adam(model.parameters(), 0.01)
    history = fit(model, train, cross_entropy, optimizer, epochs=200, validation=test)
    assert history.backend == "llvm"
    assert history.validation_accuracy[-1] >= 0.95


@pytest.mark.long
def test_large_data_are_learnt_in_seconds() -> None:
    data = circles(2000, noise=0.05, seed=0)
    model = MLP(2, [16, 16, 1], activation="tanh", seed=0)
    loss = binary_cross_entropy_with_logits
    history = fit(model, data, loss, Adam(model.parameters(), 0.01), epochs=10)
    assert history.backend == "llvm"
    assert history.accuracy[-1] > 0.98
