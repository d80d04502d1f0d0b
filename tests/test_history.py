"""The history of a training, checkpoints and resuming, and the way back into any step."""

import copy
import hashlib
import json
import math
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import nn
from autograd import DomainError, Stepper, Value, relu
from nn import (
    MLP,
    Dropout,
    History,
    Layer,
    Module,
    Neuron,
    Residual,
    Sequential,
    clip_grad_value,
    fit,
)
from nn.callbacks import EarlyStopping
from nn.data import moons, train_test_split
from nn.documents import StateError, as_text
from nn.history import layers_of
from nn.hygiene import DivergenceError
from nn.losses import binary_cross_entropy_with_logits, half_squared_error, huber, squared_error
from nn.metrics import accuracy, recall
from nn.optim import SGD, Adam
from nn.schedules import Cosine, ReduceOnPlateau, WarmUp
from nn.training.checkpoint import WRITING_SHARE, read

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
    own: dict[str, Any] = {
        "loss": binary_cross_entropy_with_logits,
        "batch_size": 16,
        "validation": TEST,
        "clip": 1.0,
        "schedule": WarmUp(1, then=ReduceOnPlateau(0.5, patience=1)),
        "metrics": [recall],
    }
    history = fit(model, TRAIN, optimizer=optimizer, epochs=epochs, **(own | settings))
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


@pytest.mark.long
def test_resumed_from_any_epoch_it_has_the_same_bits(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    whole = everything(*trained(5))
    for epochs in (1, 3):
        trained(epochs, checkpoint=path)
        assert everything(*trained(5, checkpoint=path, resume=path)) == whole
    # A training that is done already has nothing left to do.
    assert everything(*trained(5, resume=path)) == whole


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have checkpoints written after every epoch, whatever the time it takes."""
    monkeypatch.setattr("nn.training.checkpoint.WRITING_SHARE", math.inf)


@pytest.mark.long
@pytest.mark.usefixtures("every_epoch")
def test_a_kill_at_any_moment_leaves_the_last_or_the_new_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    whole = everything(*trained(2))

    class Killed(BaseException):
        pass

    calls = left = 0
    dead = False

    def dying(call: Any) -> Any:
        def die(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls, dead
            calls += 1
            if dead or calls == left:  # once killed, nothing more is done to the files
                dead = True
                raise Killed
            return call(*args, **kwargs)

        return die

    for module, name in ((os, "replace"), (os, "fsync"), (os, "open"), (Path, "unlink")):
        monkeypatch.setattr(module, name, dying(getattr(module, name)))
    trained(2, checkpoint=path)
    assert calls > 10
    for begun in (False, True):  # in a folder without a checkpoint, and in one with another's
        for left in range(1, calls + 1):
            for file in tmp_path.iterdir():
                calls = -(10**6)
                file.unlink()
            dead, calls = False, -(10**6)
            if begun:
                trained(1, checkpoint=path)
            before = path.read_bytes() if begun else None
            calls = 0
            with pytest.raises(Killed):
                trained(2, checkpoint=path)
            dead, calls = False, -(10**6)
            if path.exists() and path.read_bytes() != before:
                assert everything(*trained(2, checkpoint=path, resume=path)) == whole
            elif begun:
                assert everything(*trained(2, resume=path)) == whole
            calls = left


@pytest.mark.long
def test_whatever_ends_a_training_leaves_its_last_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # After the first epoch there is never time.
    monkeypatch.setattr("nn.training.checkpoint.WRITING_SHARE", 0.0)
    whole = everything(*trained(4))
    for error in (KeyboardInterrupt, ZeroDivisionError, FloatingPointError):
        path = tmp_path / f"{error.__name__}.json"
        calls = 0

        def failing(prediction: Any, target: float, error: Any = error) -> Any:
            nonlocal calls
            calls += 1
            if calls > 3 * 60 + 20:  # in the fourth epoch
                raise error
            return binary_cross_entropy_with_logits(prediction, target)

        failing.__name__ = "binary_cross_entropy_with_logits"
        with suppress(ArithmeticError):
            trained(5, loss=failing, checkpoint=path, metrics=[])
        assert read(path).history.loss == trained(3)[2].loss
    path = tmp_path / "whole.json"
    trained(3, checkpoint=path)
    assert everything(*trained(4, checkpoint=path, resume=path)) == whole


@pytest.mark.long
def test_a_checkpoint_takes_time_and_room_linear_in_the_epochs(tmp_path: Path) -> None:
    sizes = []
    for epochs in (10, 40):
        path = tmp_path / f"{epochs}.json"
        trained(epochs, checkpoint=path)
        sizes.append([p.stat().st_size for p in (path, path.with_name(path.name + ".history"))])
    assert sizes[1][0] < 1.1 * sizes[0][0]  # the state, but for digits of its numbers
    assert sizes[1][1] == pytest.approx(4 * sizes[0][1], rel=0.05)


@pytest.mark.long
def test_writing_has_a_share_of_the_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("nn.training.checkpoint.time.monotonic", lambda: clock[0])
    writes: list[float] = []

    def slowly(path: Path, content: Any) -> None:
        writes.append(clock[0])
        clock[0] += 3.0

    monkeypatch.setattr("nn.training.checkpoint.write_json", slowly)

    def work(model: Module, history: History) -> None:
        clock[0] += 1.0

    trained(150, checkpoint=tmp_path / "state.json", callbacks=[work], metrics=[])
    # A twentieth of the time, and the first and the last.
    assert 3 * len(writes) <= WRITING_SHARE * clock[0] + 6
    assert len(writes) > 2


@pytest.mark.slow
def test_a_checkpoint_costs_a_tenth_of_the_time_at_most(tmp_path: Path) -> None:
    pytest.importorskip("llvmlite")
    data = moons(1600)
    seconds = []
    for checkpoint in (None, tmp_path / "state.json"):
        times = []
        for _ in range(3):
            model = MLP(2, [8, 1], activation="tanh", seed=0)
            start = time.perf_counter()
            fit(
                model,
                data,
                binary_cross_entropy_with_logits,
                Adam(model.parameters(), 0.01),
                epochs=400,
                batch_size=16,
                compile=True,
                checkpoint=checkpoint,
            )
            times.append(time.perf_counter() - start)
        seconds.append(min(times))
    # A tenth, with what two measurements of a second differ by.
    assert seconds[1] < 1.2 * seconds[0] + 0.1


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


class Trained(Exception):
    """A training was not refused."""


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a checkpoint, ``state.json``, after one epoch of `trained`."""
    folder = tmp_path_factory.mktemp("one_epoch")
    trained(1, checkpoint=folder / "state.json")
    return folder


def resumed(path: Path, **changes: Any) -> None:
    """Resume the training that `trained` is, with something changed, and see that it is refused."""
    model = changes.pop("model", None) or network()
    before = model.state_dict()
    schedule = WarmUp(1, then=ReduceOnPlateau(0.5, patience=1))
    optimizer = changes.pop("optimizer", lambda p: Adam(p, 0.02))(model.parameters())
    settings: dict[str, Any] = {
        "data": TRAIN,
        "loss": binary_cross_entropy_with_logits,
        "epochs": 2,
        "batch_size": 16,
        "validation": TEST,
        "clip": 1.0,
        "schedule": schedule,
        "metrics": [recall],
        "resume": path,
    }
    masks = [m.masks for m in model.named_modules().values() if isinstance(m, Dropout)]
    state = optimizer.state_dict()
    try:
        with suppress(DomainError, DivergenceError):  # of squares, say, that were made negative
            fit(model, optimizer=optimizer, **(settings | changes))
        raise Trained
    except StateError:
        assert model.state_dict() == before
        assert optimizer.state_dict() == state
        assert schedule.state_dict() == WarmUp(1, then=ReduceOnPlateau(0.5)).state_dict()
        assert masks == [m.masks for m in model.named_modules().values() if isinstance(m, Dropout)]
        raise


def relu_network() -> Sequential:
    model = network()
    for neuron in model.layers[0].neurons:
        neuron.activation = relu
    return model


def other_rate() -> Sequential:
    model = network()
    model.layers[1].rate = 0.5
    return model


def print_loss(model: Module, history: History) -> None: ...


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 3}, "of another training: seed was 0 and is 3"),
        ({"batch_size": 8}, "batch_size was 16 and is 8"),
        ({"data": TEST}, "data differ"),
        ({"validation": TRAIN}, "validation differ"),
        ({"validation": None}, "validation differ"),
        ({"clip": None}, r"clip was 1\.0 and is not there"),
        ({"clip": 2.0}, r"clip was 1\.0 and is 2\.0"),
        ({"schedule": None}, "schedule was .*'WarmUp'.* and is not there"),
        ({"schedule": Cosine(3)}, "schedule was .*'WarmUp'.* and is 'Cosine'"),
        ({"metrics": []}, r"metrics was \['recall'\] and is \[\]"),
        ({"callbacks": [EarlyStopping()]}, r"callbacks was \[\] and is \[{'class': 'EarlyStopp"),
        ({"callbacks": [print_loss]}, r"callbacks was \[\] and is \['print_loss'\]"),
        ({"loss": squared_error}, "loss was 'binary_cross_entropy_with_logits' and is 'squ"),
        ({"optimizer": lambda p: Adam(p, 0.02, betas=(0.8, 0.999))}, "optimizer: betas was"),
        ({"optimizer": lambda p: Adam(p, 0.02, weight_decay=0.1)}, "optimizer: weight_decay was"),
        ({"optimizer": lambda p: SGD(p, 0.02)}, "optimizer: class was 'Adam' and is 'SGD'"),
        ({"model": relu_network()}, r"model: layers\.0\.neurons\.0\.activation was 'tanh' and is"),
        ({"model": other_rate()}, r"model: layers\.1\.rate was 0\.25 and is 0\.5"),
    ],
)
def test_another_training_is_refused_with_the_difference(
    changes: dict[str, Any], message: str, one_epoch: Path, tmp_path: Path
) -> None:
    shutil.copytree(one_epoch, tmp_path, dirs_exist_ok=True)
    with pytest.raises(StateError, match=message):
        resumed(tmp_path / "state.json", **changes)


def test_epochs_and_learning_rate_may_change(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    def run(rate: float, epochs: int, **settings: Any) -> Any:
        model = Neuron(1, nonlin=False, seed=0)
        optimizer = SGD(model.parameters(), rate)
        data = [[1.0], [2.0]], [2.0, 3.0]
        return fit(model, data, half_squared_error, optimizer, epochs=epochs, **settings).steps

    def halve(model: Module, history: History) -> None:
        optimizers[-1].learning_rate /= 2

    run(0.1, 2, checkpoint=path)
    assert [s.learning_rate for s in run(0.3, 4, checkpoint=path, resume=path)] == [
        0.1,
        0.1,
        0.3,
        0.3,
    ]
    # It counts from then on, without being said again.
    assert [s.learning_rate for s in run(0.3, 5, resume=path)][-3:] == [0.3] * 3
    # What a callback has made of the learning rate that was asked for goes on.
    rates, optimizers = [], []
    for epochs, resume in ((2, None), (4, path)):
        model = Neuron(1, nonlin=False, seed=0)
        optimizers.append(SGD(model.parameters(), 0.8))
        data = [[1.0]], [2.0]
        settings: Any = {"callbacks": [halve], "checkpoint": path, "resume": resume}
        history = fit(model, data, half_squared_error, optimizers[-1], epochs=epochs, **settings)
        rates = [s.learning_rate for s in history.steps]
    assert rates == [0.8, 0.4, 0.2, 0.1]


def tampered(change: Any) -> Any:
    """Return what changes a checkpoint's state, and its digest with it."""

    def tamper(content: dict[str, Any]) -> Any:
        change(content["state"])
        text = as_text(content["state"])
        return content | {"digest": hashlib.sha256(text.encode()).hexdigest()}

    return tamper


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: "{", "damaged or no JSON"),
        (lambda c: [], "no checkpoint of chainrule's"),
        (lambda c: c | {"version": 999}, "of version 999, this reads 2"),
        (lambda c: c | {"version": None}, "of version None, this reads 2"),
        (lambda c: c | {"state": None}, "it is not as it was written"),
        (lambda c: c | {"state": c["state"] | {"masks": [1]}}, "it is not as it was written"),
        (tampered(lambda s: s.pop("training")), "damaged: KeyError"),
        (tampered(lambda s: s.update(training=None)), "damaged: TypeError"),
        (tampered(lambda s: s["training"].update(seed=3)), "of another training: seed was 3"),
        (tampered(lambda s: s.update(backend="cuda")), "of the unknown back end 'cuda'"),
        (tampered(lambda s: s.update(backend=3)), "of the unknown back end 3"),
        (tampered(lambda s: s.update(weights={})), "damaged: ValueError: the weights are of"),
        (tampered(lambda s: s.update(weights=3)), "damaged: TypeError"),
        (tampered(lambda s: s["weights"].update({"layers.0.neurons.0.b": "x"})), "must be a num"),
        (tampered(lambda s: s.update(masks=[])), "damaged: ValueError"),
        (tampered(lambda s: s.update(masks=[1.5])), "masks must be a whole number"),
        (tampered(lambda s: s.update(masks=None)), "damaged: TypeError"),
        (tampered(lambda s: s.update(optimizer={"steps": 3})), "the state is not that of Adam"),
        (tampered(lambda s: s["optimizer"].update(steps=-1)), "steps must be a whole number"),
        (tampered(lambda s: s["optimizer"].update(means=[0.0])), "means is of 1 parameters"),
        (tampered(lambda s: s["optimizer"].update(learning_rate=0)), "above 0: got 0"),
        (tampered(lambda s: s.update(learning_rate="fast")), "above 0: got 'fast'"),
        (tampered(lambda s: s.update(callbacks=[{}])), "damaged: ValueError: zip"),
        (tampered(lambda s: s.pop("schedule")), "damaged: KeyError: 'schedule'"),
        (tampered(lambda s: s.update(schedule={"best": "x"})), "damaged: "),
        (tampered(lambda s: s.update(history={})), "damaged: KeyError"),
        (tampered(lambda s: s["history"].update(suffix="/../x")), "damaged: TypeError"),
        (tampered(lambda s: s["history"].update(bytes=True)), "damaged: TypeError"),
        (tampered(lambda s: s["history"].update(epochs=2)), "2 epochs, its history is not"),
        (tampered(lambda s: s["history"].update(bytes=10)), "history, .* is another one"),
    ],
)
def test_a_bad_checkpoint_is_named_and_changes_nothing(
    change: Any, message: str, one_epoch: Path, tmp_path: Path
) -> None:
    shutil.copytree(one_epoch, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "state.json"
    content = change(json.loads(path.read_text()))
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(StateError, match=message) as caught:
        resumed(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: b"", "its history, .* is another one"),
        (lambda lines: lines[:-30], "its history, .* is another one"),
        (lambda lines: lines.replace(b"1", b"2"), "its history, .* is another one"),
        (None, "has lost its history, .*history"),
    ],
)
def test_a_bad_history_is_named_and_changes_nothing(
    change: Any, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    trained(1, checkpoint=path)
    journal = tmp_path / "state.json.history"
    if change is None:
        journal.unlink()
    else:
        journal.write_bytes(change(journal.read_bytes()))
    with pytest.raises(StateError, match=message):
        resumed(path)


@pytest.mark.slow
def test_no_tampering_gets_past_a_state_error(tmp_path: Path) -> None:
    """Every place of a checkpoint, set to every kind of thing, digest and all."""
    path = tmp_path / "state.json"
    trained(1, checkpoint=path)
    text = path.read_text()

    def places(part: Any, keys: tuple[Any, ...] = ()) -> Any:
        yield keys
        items: Any = part.items() if isinstance(part, dict) else enumerate(part)
        for key, inner in items:
            if isinstance(inner, dict | list):
                yield from places(inner, (*keys, key))
            else:
                yield (*keys, key)

    source = random.Random(0)
    every = [keys for keys in places(json.loads(text)["state"]) if keys]
    for keys in source.sample(every, 40):
        for wrong in (None, [], {}, "x", -1, 1e999, True, [[]]):
            content = json.loads(text)
            holder = content["state"]
            for key in keys[:-1]:
                holder = holder[key]
            if holder[keys[-1]] == wrong:
                continue
            holder[keys[-1]] = "inf" if wrong == 1e999 else wrong
            path.write_text(json.dumps(tampered(lambda state: None)(content)))
            # It is refused, and has changed nothing; or it is the numbers that are others.
            with suppress(StateError, Trained):
                resumed(path)


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
@pytest.mark.long
def test_a_recorded_step_is_replayed_to_the_bit(step: int) -> None:
    model, optimizer, history = trained(3)
    before = everything(model, optimizer, history)
    cost = history.replay(step)
    assert cost.data == history.steps[step].loss
    stepper = history.stepper(step)
    assert isinstance(stepper, Stepper)
    assert everything(model, optimizer, history) == before
    assert stepper.events[-1].kind == "done"


@pytest.mark.long
def test_replayed_gradients_have_the_recorded_norms() -> None:
    _, _, history = trained(2)
    stepper = history.stepper(4)
    totals = {e.node.label: e.total for e in stepper.events if e.kind == "done" and e.node.label}
    squares = sum(x * x for name, x in totals.items() if name.startswith("layers.0."))
    assert squares**0.5 == pytest.approx(history.steps[4].gradients[0], rel=1e-12)


@pytest.mark.long
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
            with pytest.raises(StateError, match=r"loss was 'huber\(delta=1\.0\)' and is"):
                fit(model, ([[1.0]], [2.0]), loss, optimizer, **settings)


def test_a_history_comes_back_from_another_process_and_as_a_copy() -> None:
    _, _, history = trained(2)
    for twin in (
        pickle.loads(pickle.dumps(history)),
        copy.copy(history),
        copy.deepcopy(history),
    ):
        assert twin.state_dict() == history.state_dict()
        with pytest.raises(ValueError, match="only the history that fit returned"):
            twin.replay(0)
    assert history.replay(3).data == history.steps[3].loss


@pytest.mark.long
@pytest.mark.parametrize("compile", [False, True])
def test_what_is_kept_for_replays_is_bounded(
    compile: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compile:
        pytest.importorskip("llvmlite")
    room = 3 * 8 * 37 * 4  # of four epochs' weights, means and squares
    monkeypatch.setattr("nn.training.replay.BYTES", room)
    _, _, history = trained(11, compile=compile)
    assert list(history._replay._starts) == [1, 5, 9]  # type: ignore[union-attr]
    for step in (0, 1, 10, 14, 20, -1):  # those between are reached from the epoch before
        assert history.replay(step).data == pytest.approx(history.steps[step].loss, rel=1e-13)
        if not compile:
            assert history.replay(step).data == history.steps[step].loss
    monkeypatch.setattr("nn.training.replay.BYTES", 0)
    _, _, history = trained(2, compile=compile)
    with pytest.raises(ValueError, match=r"take more than nn\.training\.replay\.BYTES, 0"):
        history.replay(0)


def test_a_replay_notices_that_a_callback_has_changed_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nn.training.replay.BYTES", 3 * 8 * 37)

    def meddle(model: Module, history: History) -> None:
        model.parameters()[0].data += 1.0

    _, _, history = trained(3, callbacks=[meddle])
    assert history.replay(0).data == history.steps[0].loss
    with pytest.raises(ValueError, match=r"its loss was .*; a callback has changed the model"):
        history.replay(-1)


def test_a_learning_rate_that_a_callback_sets_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nn.training.replay.BYTES", 2 * 8)
    model = Neuron(1, nonlin=False, seed=0)
    optimizer = SGD(model.parameters(), 0.1)

    def halve(model: Module, history: History) -> None:
        optimizer.learning_rate /= 2

    data = [[1.0], [2.0]], [2.0, 3.0]
    settings: dict[str, Any] = {"epochs": 5, "batch_size": 1, "callbacks": [halve]}
    history = fit(model, data, half_squared_error, optimizer, **settings)
    assert list(history._replay._starts) == [1]  # type: ignore[union-attr]
    for step, record in enumerate(history.steps):
        assert history.replay(step).data == record.loss
