"""The history of a training, checkpoints and resuming, and the way back into any step."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import nn
from autograd import Stepper, Value
from nn import Dropout, History, Layer, Module, Neuron, Residual, Sequential, clip_grad_value, fit
from nn.callbacks import EarlyStopping
from nn.data import moons, train_test_split
from nn.documents import StateError
from nn.history import layers_of
from nn.losses import binary_cross_entropy_with_logits, half_squared_error, huber
from nn.metrics import accuracy, recall
from nn.optim import SGD, Adam
from nn.schedules import Cosine, ReduceOnPlateau, WarmUp

ROOT = Path(nn.__file__).parent.parent
TRAIN, TEST = train_test_split(moons(60, seed=4), test=0.3)


def network() -> Sequential:
    source = random.Random(0)
    return Sequential(
        Layer(2, 4, activation="tanh", seed=source),
        Dropout(0.25, seed=source),
        Residual(Layer(4, 4, activation="leaky_relu", seed=source), scale=0.5),
        Layer(4, 1, activation="linear", seed=source),
    )


def trained(epochs: int, **settings: Any) -> tuple[Module, Adam, History]:
    model = network()
    optimizer = Adam(model.parameters(), 0.02)
    history = fit(
        model,
        TRAIN,
        binary_cross_entropy_with_logits,
        optimizer,
        epochs=epochs,
        batch_size=16,
        validation=TEST,
        clip=1.0,
        schedule=WarmUp(1, then=ReduceOnPlateau(0.5, patience=1)),
        metrics=[recall],
        **settings,
    )
    return model, optimizer, history


def everything(model: Module, optimizer: Adam, history: History) -> str:
    return repr((model.state_dict(), optimizer.state_dict(), history.state_dict()))


def test_every_step_is_recorded() -> None:
    model, _, history = trained(3)
    assert [(s.epoch, s.batch) for s in history.steps] == [
        (e, b) for e in (1, 2, 3) for b in range(3)
    ]
    assert history.layers == ("layers.0", "layers.2.module", "layers.3")
    assert all(len(s.gradients) == len(s.updates) == 3 for s in history.steps)
    assert [s.scale for s in history.steps[:4]] == pytest.approx([0.1, 0.4, 0.7, 1.0])
    assert all(s.learning_rate == 0.02 * s.scale for s in history.steps)
    assert len(history.validation_loss) == len(history.validation_accuracy) == 3
    figures = [model(x) for x in TEST[0]]
    assert history.validation_accuracy[-1] == accuracy(figures, TEST[1])
    assert history.metrics == {"recall": history.metrics["recall"]}
    assert history.metrics["recall"][-1] == recall(figures, TEST[1])
    assert "validation accuracy" in repr(history)


def test_a_batch_s_loss_is_that_of_its_samples() -> None:
    neuron = Neuron(1, nonlin=False, seed=0)
    w, b = (p.data for p in neuron.parameters())
    data = [[1.0], [2.0]], [0.0, 1.0]
    history = fit(neuron, data, half_squared_error, SGD(neuron.parameters(), 0.1), epochs=1)
    errors = [w + b, 2 * w + b - 1]
    slopes = (errors[0] + 2 * errors[1]) / 2, sum(errors) / 2
    (step,) = history.steps
    assert step.loss == pytest.approx(sum(e * e / 4 for e in errors), rel=1e-14)
    norm = (slopes[0] ** 2 + slopes[1] ** 2) ** 0.5
    assert step.gradients == pytest.approx((norm,), rel=1e-14)
    # The difference of weights before and after has an absolute error of 1.1e-16.
    assert step.updates == pytest.approx((0.1 * norm / (w * w + b * b) ** 0.5,), rel=1e-13)


def test_layers_are_whole_and_other_modules_own_what_is_left() -> None:
    model = network()
    groups = layers_of(model)
    assert [len(g) for g in groups.values()] == [12, 20, 5]
    assert list(layers_of(model.layers[0])) == [""]
    assert list(layers_of(Neuron(2))) == [""]


# Checkpoints


def test_resumed_from_any_epoch_it_has_the_same_bits(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    whole = everything(*trained(5))
    for epochs in (1, 3):
        trained(epochs, checkpoint=path)
        assert everything(*trained(5, checkpoint=path, resume=path)) == whole
    # A training that is done already has nothing left to do.
    assert everything(*trained(5, resume=path)) == whole


def test_a_kill_at_any_write_leaves_the_last_or_the_new_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    whole = everything(*trained(4))
    replace = os.replace

    class Killed(BaseException):
        pass

    for epoch in range(1, 4):
        for stage in ("before", "after"):
            path.unlink(missing_ok=True)
            calls = 0

            def dying(a: Any, b: Any, stage: str = stage, epoch: int = epoch) -> None:
                nonlocal calls
                calls += 1
                if stage == "after" or calls < epoch:
                    replace(a, b)
                if calls == epoch:
                    raise Killed

            monkeypatch.setattr("os.replace", dying)
            with pytest.raises(Killed):
                trained(4, checkpoint=path)
            monkeypatch.setattr("os.replace", replace)
            resume = path if path.exists() else None
            assert everything(*trained(4, checkpoint=path, resume=resume)) == whole


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
import test_history as t
path = Path({path!r})
result = t.trained(12, checkpoint=path, resume=path if path.exists() else None)
Path({out!r}).write_text(t.everything(*result))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_killed_fifty_times_and_resumed_it_has_the_same_bits(tmp_path: Path) -> None:
    path, out = tmp_path / "state.json", tmp_path / "out.txt"
    code = SCRIPT.format(
        root=str(ROOT), tests=str(Path(__file__).parent), path=str(path), out=str(out)
    )
    start = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True)
    seconds = time.monotonic() - start
    whole = out.read_text()
    source = random.Random(0)
    for kill in range(50):
        if out.exists():
            out.unlink()
            path.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", code])
        try:
            process.wait(source.uniform(0.2, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if path.exists():
            json.loads(path.read_text())
        if out.exists():
            assert out.read_text() == whole, kill
    subprocess.run([sys.executable, "-c", code], check=True)
    assert out.read_text() == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: "{", "damaged or no JSON"),
        (lambda c: [], "no checkpoint of chainrule's"),
        (lambda c: c | {"training": c["training"] | {"seed": 3}}, "of another training: seed"),
        (
            lambda c: c | {"training": None},
            "of another training: data, batch_size, seed, loss, optimizer differ",
        ),
        (lambda c: c | {"weights": {}}, "is damaged: ValueError: the state does not fit"),
        (lambda c: c | {"masks": []}, "is damaged: ValueError"),
        (lambda c: c | {"optimizer": {"steps": 3}}, "is damaged: ValueError: the state is not"),
        (lambda c: c | {"history": {}}, "is damaged: KeyError"),
        (lambda c: {k: v for k, v in c.items() if k != "schedule"}, "is damaged: KeyError"),
    ],
)
def test_a_bad_checkpoint_is_named_and_changes_nothing(
    change: Any, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    trained(1, checkpoint=path)
    content = change(json.loads(path.read_text()))
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    before = network().state_dict()
    model = network()
    optimizer = Adam(model.parameters(), 0.02)
    with pytest.raises(StateError, match=message):
        fit(
            model,
            TRAIN,
            binary_cross_entropy_with_logits,
            optimizer,
            epochs=2,
            batch_size=16,
            schedule=WarmUp(1, then=ReduceOnPlateau(0.5, patience=1)),
            resume=path,
        )
    assert model.state_dict() == before
    assert optimizer.steps == 0


def test_early_stopping_stops_keeps_the_best_weights_and_resumes(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    def run(epochs: int, resume: Path | None = None) -> tuple[Any, Any, Any]:
        model = Neuron(1, nonlin=False, seed=0)
        stop = EarlyStopping(patience=2)
        # Each epoch goes a little further past the validation's optimum.
        history = fit(
            model,
            ([[1.0]], [2.0]),
            half_squared_error,
            SGD(model.parameters(), 0.1),
            epochs=epochs,
            validation=([[2.0]], [1.0]),
            callbacks=[stop],
            checkpoint=path,
            resume=resume,
        )
        return model, stop, history

    model, stop, history = run(50)
    best = min(history.validation_loss)
    assert history.stopped
    assert len(history.loss) == stop.epoch + 2 < 50
    assert stop.best == best == history.validation_loss[stop.epoch - 1]
    assert half_squared_error(model([2.0]).data, 1.0) == best
    for epochs in (2, stop.epoch + 1):
        path.unlink()
        run(epochs)
        again, _, resumed = run(50, path)
        assert again.state_dict() == model.state_dict()
        assert resumed.state_dict() == history.state_dict()


def test_early_stopping_used_again_knows_nothing_of_the_training_before() -> None:
    stop, weights = EarlyStopping(patience=3), []
    for seed in (0, 1, 0):
        model = Neuron(1, nonlin=False, seed=seed)
        optimizer = SGD(model.parameters(), 0.1)
        data = [[1.0]], [2.0]
        fit(model, data, half_squared_error, optimizer, epochs=5 - seed, callbacks=[stop])
        weights.append(model.state_dict())
    assert weights[0] == weights[2] != weights[1]


# Into a step


@pytest.mark.parametrize("step", [0, 4, 8, -1])
def test_a_recorded_step_is_replayed_to_the_bit(step: int) -> None:
    model, optimizer, history = trained(3)
    before = everything(model, optimizer, history)
    cost = history.replay(step)
    assert cost.data == history.steps[step].loss
    stepper = history.stepper(step)
    assert isinstance(stepper, Stepper)
    assert everything(model, optimizer, history) == before
    assert stepper.events[-1].kind == "done"


def test_replayed_gradients_have_the_recorded_norms() -> None:
    _, _, history = trained(2)
    stepper = history.stepper(4)
    totals = {e.node.label: e.total for e in stepper.events if e.kind == "done" and e.node.label}
    squares = sum(x * x for name, x in totals.items() if name.startswith("layers.0."))
    assert squares**0.5 == pytest.approx(history.steps[4].gradients[0], rel=1e-12)


def test_a_step_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexError, match="there is no step 0: 0 are recorded"):
        History().replay(0)
    path = tmp_path / "state.json"
    trained(1, checkpoint=path)
    _, _, history = trained(2, resume=path)
    assert history.replay(3).data == history.steps[3].loss
    with pytest.raises(ValueError, match="replay the steps from epoch 2 on"):
        history.replay(0)
    copied = History()
    copied.load_state_dict(history.state_dict())
    with pytest.raises(ValueError, match="only the history that fit returned"):
        copied.replay(0)


# Settings


def test_clipping_by_a_function() -> None:
    neuron = Neuron(1, nonlin=False, seed=0)
    before = [p.data for p in neuron.parameters()]
    fit(
        neuron,
        ([[1.0]], [100.0]),
        half_squared_error,
        SGD(neuron.parameters(), 0.5),
        epochs=1,
        clip=partial(clip_grad_value, max_value=0.25),
    )
    assert [p.data for p in neuron.parameters()] == [x + 0.125 for x in before]


def test_the_model_is_left_ready_to_use_and_trained_in_train_mode() -> None:
    modes = []

    class Watching(Neuron):
        def forward(self, x: Any) -> Any:
            modes.append(self.training)
            return super().forward(x)

    model = Watching(1, nonlin=False, seed=0)
    data = [[1.0]], [0.5]
    fit(model, data, half_squared_error, SGD(model.parameters(), 0.1), epochs=1, metrics=[r2_like])
    assert modes == [False, True, False]  # the trial, the step, the metric
    assert not model.training


def r2_like(predictions: Any, targets: Any) -> float:
    return float(predictions[0] - targets[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clip": 0.0}, "clip must be finite and above 0"),
        ({"clip": "1"}, "clip must be finite and above 0"),
        ({"schedule": 0.5}, "schedule must be a function of the epoch: got 0.5"),
        ({"metrics": ["accuracy"]}, r"metrics\[0\] must be a function: got 'accuracy'"),
        ({"callbacks": [3]}, r"callbacks\[0\] must be a function: got 3"),
        ({"checkpoint": "nowhere/state.json"}, "checkpoint: there is no folder nowhere"),
        ({"validation": ([], [])}, "validation data needs as many inputs"),
        ({"validation": ([[1.0, 2.0]], [3])}, r"validation targets\[0\] is 3"),
        ({"validation": ([[1.0]], [1])}, "takes 2 inputs, got 1"),
    ],
)
def test_bad_settings_are_named_before_training(settings: dict[str, Any], message: str) -> None:
    model = network()
    before = model.state_dict()
    loss = binary_cross_entropy_with_logits
    with pytest.raises((TypeError, ValueError), match=message):
        fit(model, TRAIN, loss, SGD(model.parameters(), 0.1), epochs=1, **settings)
    assert model.state_dict() == before


def test_a_schedule_may_end_at_zero() -> None:
    model = network()
    optimizer = SGD(model.parameters(), 0.1)
    loss = binary_cross_entropy_with_logits
    history = fit(model, TRAIN, loss, optimizer, epochs=3, schedule=Cosine(1))
    assert [s.learning_rate for s in history.steps][-1] == 0.0
    assert optimizer.learning_rate == 0.1


def test_ctrl_c_in_a_metric_leaves_only_whole_epochs() -> None:
    def hasty(predictions: Any, targets: Any) -> float:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(1)
        return 0.5

    calls: list[int] = []
    model = network()
    loss = binary_cross_entropy_with_logits
    optimizer = SGD(model.parameters(), 0.1)
    history = fit(model, TRAIN, loss, optimizer, epochs=5, validation=TEST, metrics=[hasty])
    assert history.interrupted
    lists = (history.loss, history.accuracy, history.validation_loss, history.metrics["hasty"])
    assert [len(kept) for kept in lists] == [2, 2, 2, 2]
    assert history.steps[-1].epoch == 2


def test_a_dataclass_module_is_trained_although_it_cannot_be_hashed() -> None:
    import dataclasses

    @dataclasses.dataclass
    class Scale(Module):
        factor: Value

        def forward(self, x: Any) -> Any:
            return self.factor * x[0]

    model = Scale(Value(0.0))
    data = [[1.0], [2.0]], [3.0, 6.0]
    fit(model, data, half_squared_error, SGD(model.parameters(), 0.4), epochs=40)
    # A step leaves 1 - 0.4 * (1 + 4) / 2 = 0 of the error, to a few roundings.
    assert model.factor.data == pytest.approx(3.0, rel=1e-14)


def test_the_optimizer_must_be_one() -> None:
    model = network()
    optimizer: Any = 0.1
    with pytest.raises(
        TypeError, match=r"optimizer must be one of nn\.optim, such as SGD: got 0\.1"
    ):
        fit(model, TRAIN, binary_cross_entropy_with_logits, optimizer, epochs=1)


def test_a_step_that_fails_takes_its_masks_back() -> None:
    model = network()
    fails = [False]

    def loss(prediction: Any, target: float) -> Any:
        if fails[0]:
            raise KeyboardInterrupt
        return binary_cross_entropy_with_logits(prediction, target)

    def fail(model: Module, history: History) -> None:
        fails[0] = len(history.loss) == 2

    optimizer = SGD(model.parameters(), 0.1)
    assert fit(model, TRAIN, loss, optimizer, epochs=5, callbacks=[fail]).interrupted
    assert model.layers[1].masks == 2 * len(TRAIN[0])


def test_a_checkpoint_knows_a_loss_by_its_arguments(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for delta, resume in ((1.0, None), (1.0, path), (2.0, path)):
        model = Neuron(1, nonlin=False, seed=0)
        optimizer = SGD(model.parameters(), 0.1)
        loss = partial(huber, delta=delta)
        settings: Any = {"epochs": 2, "checkpoint": path, "resume": resume}
        if delta == 1.0:
            fit(model, ([[1.0]], [2.0]), loss, optimizer, **settings)
        else:
            with pytest.raises(StateError, match="of another training: loss differ"):
                fit(model, ([[1.0]], [2.0]), loss, optimizer, **settings)
