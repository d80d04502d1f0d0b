"""`fit`: the training loop."""

from __future__ import annotations

import copy
import hashlib
import math
import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, repeat
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from autograd import CompileError, MissingExtraError, Value, mean, no_grad
from nn.arguments import count, number
from nn.callbacks import Callback
from nn.clip import clip_grad_norm
from nn.compiled import Clip, CompiledSteps
from nn.data import batches
from nn.dataset import Data, Dataset, Sample
from nn.documents import StateError, as_float, read_json, write_json
from nn.filters import Dropout
from nn.history import History, StepRecord, layers_of
from nn.hygiene import Hygiene, moves, nodes_below, norms, not_finite, relative
from nn.losses import Loss, bare, cross_entropy, is_classification, threshold
from nn.metrics import THRESHOLDED, accuracy
from nn.module import Module
from nn.optim import Optimizer
from nn.progress import bar
from nn.schedules import Schedule

Metric = Callable[[Sequence[Any], Sequence[Any]], Any]

WORTHWHILE = 4_000_000
"""Arguments in the graphs of all samples in all epochs from which on a training is compiled.

The eager engine takes about two seconds for them, making the machine code one.
"""


def fit(
    model: Module,
    data: Data,
    loss: Loss,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int = 32,
    validation: Data | None = None,
    clip: Clip | None = None,
    schedule: Schedule | None = None,
    metrics: Sequence[Metric] = (),
    callbacks: Sequence[Callback] = (),
    seed: int = 0,
    compile: bool | str | None = None,
    checkpoint: str | PathLike[str] | None = None,
    resume: str | PathLike[str] | None = None,
) -> History:
    """Train ``model`` in place and return the history; the model is left ready to use (`eval`).

    Every epoch goes once through the data, in mini-batches whose order follows from ``seed``
    and the epoch. Progress is shown in a terminal or notebook if rich is installed. What goes
    wrong without an error is said once as a `nn.hygiene.TrainingWarning`. Ctrl-C ends the
    training after the last whole step.

    Args:
        model: called with one sample's inputs, returns its prediction.
        data: the inputs, one list of numbers a sample, and the targets.
        loss: of one sample, ``loss(prediction, target)``; a step descends its mean.
        optimizer: holds the model's parameters.
        epochs: how often to go through the data.
        batch_size: samples a step; the last batch of an epoch may be smaller.
        validation: data of the same form, never learnt from, evaluated after each epoch.
        clip: the largest norm of all gradients together; or a function of the parameters, such
            as ``functools.partial(clip_grad_value, max_value=1.0)``.
        schedule: of the learning rate; see `nn.schedules`.
        metrics: functions ``(predictions, targets)``, evaluated after each epoch on the
            validation data, or without any on the data.
        callbacks: called after each epoch; see `nn.callbacks`.
        seed: of the shuffling.
        compile: whether the steps run as machine code (the extra ``fast``), with results equal
            within rounding; "exact" for the same bits as in the eager engine. By default, if
            that pays and can be done; if it can't, one line says why. `History.backend` tells.
        checkpoint: a file to which the state of the training is written after each epoch, in
            one go: whenever the process is killed, the file is whole.
        resume: a checkpoint to go on from, with the same arguments; the result has the same
            bits as if the training had never been interrupted.

    Raises:
        TypeError, ValueError: an argument is unusable; raised before anything is changed.
        StateError: the checkpoint is damaged, or of another training.
        FloatingPointError: the loss is no longer finite; says where that began.

    >>> from nn import MLP
    >>> from nn.data import moons
    >>> from nn.losses import binary_cross_entropy_with_logits
    >>> from nn.optim import SGD
    >>> model = MLP(2, [16, 16, 1], seed=0)
    >>> optimizer = SGD(model.parameters(), learning_rate=0.3)
    >>> loss = binary_cross_entropy_with_logits
    >>> history = fit(model, moons(40), loss, optimizer, epochs=40, batch_size=8)
    >>> history.accuracy[-1]
    1.0
    """
    count("epochs", epochs)
    count("batch_size", batch_size)
    if not isinstance(seed, Integral) or isinstance(seed, bool):
        raise TypeError(f"seed must be a whole number: got {seed!r:.60}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be one of nn.optim, such as SGD: got {optimizer!r:.60}")
    for name, functions in (("metrics", metrics), ("callbacks", callbacks)):
        for i, function in enumerate(functions):
            if not callable(function):
                raise TypeError(f"{name}[{i}] must be a function: got {function!r:.60}")
    if schedule is not None and not callable(schedule):
        raise TypeError(f"schedule must be a function of the epoch: got {schedule!r:.60}")
    if clip is not None and not callable(clip):
        number("clip", clip, positive=True)
    if checkpoint is not None and not Path(checkpoint).parent.is_dir():
        raise ValueError(f"checkpoint: there is no folder {Path(checkpoint).parent}")
    if compile not in (None, True, False, "exact"):
        raise ValueError(f'compile must be True, False, "exact" or None: got {compile!r:.40}')
    samples = Dataset(data, loss)
    tests = Dataset(validation, loss, "validation ") if validation is not None else None
    history = History()
    run = _Run(model, samples, loss, optimizer, int(seed), batch_size, clip, schedule, history)
    term = run.try_out(samples)
    if tests is not None:
        run.try_out(tests)
    if resume is not None:
        run.restore(Path(resume), callbacks)
        compile = run.same_backend(compile, Path(resume))
    if compile is None:
        arguments = sum(len(node.args) for node in nodes_below(term))
        compile = arguments * len(samples) * epochs >= WORTHWHILE and "if possible"
    run.choose(compile)
    history._replay = run.replay
    hygiene = run.hygiene = Hygiene(model, optimizer, history)
    hygiene.parameters = run.parameters
    if run.compiled and not history.steps:
        hygiene.check_reach(term)
    if tests is not None:
        hygiene.check_split(samples.inputs, tests.inputs)
    try:
        with bar(epochs, len(samples)) as show:
            for epoch in range(len(history.loss) + 1, epochs + 1):
                if history.stopped:
                    break
                run.learn_epoch(epoch, lambda done, epoch=epoch: show(epoch, done, history))
                run.evaluate(tests, metrics)
                hygiene.check_epoch()
                if callbacks or checkpoint is not None:
                    run.sync()
                observe = getattr(schedule, "observe", None)
                if observe:
                    observe((history.validation_loss or history.loss)[-1])
                answers = [callback(model, history) for callback in callbacks]
                history.stopped = any(answer is True for answer in answers)
                if checkpoint is not None:
                    write_json(Path(checkpoint), run.state(callbacks))
                run.finished = epoch
                show(epoch, len(samples), history)
    except KeyboardInterrupt:
        history.interrupted = True
        run.drop_unfinished()
        sys.stderr.write(
            f"stopped by Ctrl-C in epoch {len(history.loss) + 1} of {epochs}; "
            "the model keeps what it has learnt\n"
        )
    finally:
        run.sync()
        model.eval()
    for callback in callbacks:
        finish = getattr(callback, "finish", None)
        if finish:
            finish(model)
    return history


class _Run:
    """A training run: what an epoch needs, what a checkpoint holds, what a replay repeats."""

    def __init__(
        self,
        model: Module,
        samples: Dataset,
        loss: Loss,
        optimizer: Optimizer,
        seed: int,
        batch_size: int,
        clip: Clip | None,
        schedule: Schedule | None,
        history: History,
    ) -> None:
        self.model = model
        self.samples = samples
        self.loss = loss
        self.optimizer = optimizer
        self.seed = seed
        self.batch_size = batch_size
        self.clip = clip
        self.schedule = schedule
        self.history = history
        self.hygiene: Hygiene | None = None
        self.compiled: CompiledSteps | None = None
        groups = layers_of(model)
        history.layers = tuple(groups)
        self.groups = list(groups.values())
        self.modules = list(model.named_modules().values())
        self.dropouts = [module for module in self.modules if isinstance(module, Dropout)]
        self.parameters = model.named_parameters()
        self.is_whole = list(self.parameters.values()) == optimizer.parameters
        self.shuffled: tuple[int, Iterator[list[list[int]]]] | None = None
        self.finished = 0
        self.starts: dict[int, dict[str, Any]] = {}

    def batches(self, epoch: int) -> list[list[int]]:
        """Return an epoch's mini-batches as places in the samples.

        Cost: constant for the epoch after the last one asked for; else all epochs before.
        """
        if self.shuffled is None or self.shuffled[0] != epoch - 1:
            every = batches(len(self.samples), self.batch_size, self.seed)
            return self._keep(epoch, islice(every, epoch - 1, None))
        return self._keep(epoch, self.shuffled[1])

    def _keep(self, epoch: int, every: Iterator[list[list[int]]]) -> list[list[int]]:
        self.shuffled = epoch, every
        return next(every)

    def try_out(self, samples: Dataset) -> Value:
        """Return the loss of the first sample, so that what doesn't fit shows before training."""
        if set(self.optimizer.parameters).isdisjoint(self.parameters.values()):
            raise ValueError(
                "the optimizer holds none of the model's parameters: make it of model.parameters()"
            )
        inputs, target = samples[0]
        modes = [module.training for module in self.modules]
        self._set_training(False)  # a dropout would draw a mask
        try:
            prediction = self.model(inputs)
        finally:
            for module, training in zip(self.modules, modes, strict=True):
                module.training = training
        try:
            term = self.loss(prediction, target)
        except TypeError as error:
            error.add_note(f"in the loss of prediction {prediction!r:.60} and target {target}")
            raise
        if not isinstance(term, Value):
            raise TypeError(f"the loss must return a Value to differentiate: got {term!r:.60}")
        if term.op is None:
            raise ValueError("the loss has no graph to differentiate: train outside of no_grad()")
        if bare(self.loss) is cross_entropy:
            _check_classes(len(prediction), samples)
        return term

    def choose(self, compile: bool | str) -> None:
        """Compile the steps, if asked to: True, "exact", or "if possible".

        Raises:
            CompileError, MissingExtraError: it can't be done, and was asked for.
        """
        if compile:
            try:
                self.compiled = CompiledSteps(
                    self.model,
                    self.samples,
                    self.loss,
                    self.optimizer,
                    self.clip,
                    exact=compile == "exact",
                )
            except (CompileError, MissingExtraError) as error:
                if compile != "if possible":
                    raise
                sys.stderr.write(f"fit runs in the eager engine: {error}\n")
        self.history.backend = self.compiled.name if self.compiled else "eager"

    def same_backend(self, compile: bool | str | None, path: Path) -> bool | str:
        """Return ``compile`` such that the checkpoint at ``path`` goes on with the same bits.

        Raises:
            StateError: that is not what was asked for.
        """
        kinds: dict[str, bool | str] = {"eager": False, "llvm": True, "llvm, exact": "exact"}
        before = kinds[self.history.backend]
        if compile not in (None, before):
            raise StateError(
                f"{path} is of a training by the back end {self.history.backend!r}: resume it "
                f"with compile={before!r}, for the same bits"
            )
        return before

    def learn_epoch(self, epoch: int, show: Callable[[int], None]) -> None:
        """Go once through the data, and add to the history."""
        if self.compiled and self.is_whole:
            self.starts[epoch] = self.compiled.start()
        else:
            self.sync()
            self.starts[epoch] = self._packed()
        self._set_training(True)
        if self.compiled:
            self._learn_compiled(self.compiled, epoch, show)
        else:
            self._learn_eager(epoch, show)
        self._set_training(False)

    def sync(self) -> None:
        """Bring the model to where the training is."""
        if self.compiled:
            self.compiled.sync()

    def _set_training(self, training: bool) -> None:
        # The model's own way looks for its modules each time, past every weight.
        for module in self.modules:
            module.training = training

    def _scale(self, epoch: int, i: int, parts: int) -> float:
        """Return the schedule's factor for a step."""
        if self.schedule is None:
            return 1.0
        return number("the schedule's factor", self.schedule(epoch - 1 + i / parts))

    def _learn_compiled(
        self, compiled: CompiledSteps, epoch: int, show: Callable[[int], None]
    ) -> None:
        parts = self.batches(epoch)
        learnt = compiled.learn(
            parts,
            lambda i: self._scale(epoch, i, len(parts)),
            lambda i: show(i * self.batch_size),
            self._refuse,
        )
        moves = compiled.moves(learnt.weights)
        gradients, sizes, ways = (
            compiled.norms(rows, self.groups).tolist()
            for rows in (learnt.gradients, learnt.weights[:-1], moves)
        )
        updates = [tuple(map(relative, way, size)) for way, size in zip(ways, sizes, strict=True)]
        self.history.steps += map(
            StepRecord,
            repeat(epoch),
            range(len(parts)),
            learnt.costs,
            learnt.rates,
            learnt.scales,
            map(tuple, gradients),
            updates,
        )
        self._note(learnt.losses.tolist(), learnt.predictions, learnt.targets)
        if self.hygiene and _is_looked_at(epoch):
            for unit, samples, flat in compiled.units(learnt):
                self.hygiene.note_answers(unit, samples, flat)

    def _refuse(self, places: Sequence[int], cost: float) -> NoReturn:
        """Raise the error for a batch whose cost is not finite."""
        rate = self.optimizer.learning_rate * self.optimizer.scale
        batch = [self.samples[place] for place in places]
        raise not_finite(cost, rate, lambda: self.forward(batch))

    def _note(self, losses: list[float], predictions: Any, targets: Any) -> None:
        """Add an epoch's losses, and what was right, to the history."""
        self.history.loss.append(math.fsum(losses) / len(losses))
        if is_classification(self.loss):
            limit = threshold(self.loss)
            self.history.accuracy.append(accuracy(predictions, targets, limit))

    def _learn_eager(self, epoch: int, show: Callable[[int], None]) -> None:
        parts = self.batches(epoch)
        losses: list[float] = []
        predictions: list[Any] = []
        targets: list[Any] = []
        for i, places in enumerate(parts):
            show(i * self.batch_size)
            self.optimizer.scale = self._scale(epoch, i, len(parts))
            batch = [self.samples[place] for place in places]
            outs, terms = self.learn(epoch, i, batch)
            losses += [term.data for term in terms]
            predictions += map(_plain, outs)
            targets += [target for _, target in batch]
        self._note(losses, predictions, targets)

    def evaluate(self, tests: Dataset | None, metrics: Sequence[Metric]) -> None:
        """Add what the epoch has come to: loss and accuracy on validation data, and metrics."""
        history, loss = self.history, self.loss
        if tests is not None:
            losses, predictions = self._evaluated(tests)
            history.validation_loss.append(math.fsum(losses) / len(losses))
            if is_classification(loss):
                right = accuracy(predictions, tests.targets, threshold(loss))
                history.validation_accuracy.append(right)
        elif metrics:
            _, predictions = self._evaluated(self.samples)
        targets = (tests or self.samples).targets
        for metric in metrics:
            figure = _measured(metric, _listed(predictions), targets, threshold(loss))
            history.metrics.setdefault(_name(metric), []).append(figure)

    def _evaluated(self, samples: Dataset) -> tuple[list[float], Any]:
        """Return loss and prediction of each sample, by the model as it is used."""
        if self.compiled:
            return self.compiled.evaluate(samples)
        with no_grad():
            outs = [_plain(self.model(inputs)) for inputs, _ in samples]
            losses = [
                _number(self.loss(out, target))
                for out, target in zip(outs, samples.targets, strict=True)
            ]
        return losses, outs

    def learn(self, epoch: int, place: int, batch: list[Sample]) -> tuple[list[Any], list[Value]]:
        """Learn from one batch and return its predictions and losses; wholly or not at all."""
        optimizer = self.optimizer
        before = {parameter: parameter.data for parameter in optimizer.parameters}
        memory, steps = optimizer.memory, optimizer.steps
        masks = [dropout.masks for dropout in self.dropouts]
        try:
            outs, terms, cost = self.forward(batch)
            if not math.isfinite(cost.data):
                rate = optimizer.learning_rate * optimizer.scale
                raise not_finite(cost.data, rate, lambda: self.forward(batch))
            optimizer.zero_grad()
            if self.hygiene:
                self.hygiene.before_backward()
                if not self.history.steps:
                    self.hygiene.check_reach(cost)
                if _is_looked_at(epoch):
                    self.hygiene.watch_units(cost)
            cost.backward()
            gradients = norms(self.groups)
            if callable(self.clip):
                self.clip(optimizer.parameters)
            elif self.clip is not None:
                clip_grad_norm(optimizer.parameters, self.clip)
            optimizer.step()
        except BaseException:
            for parameter, weight in before.items():
                parameter.data = weight
            optimizer.memory, optimizer.steps = memory, steps
            for dropout, drawn in zip(self.dropouts, masks, strict=True):
                dropout.masks = drawn
            raise
        rate = optimizer.learning_rate * optimizer.scale
        updates = moves(self.groups, before)
        self.history.steps.append(
            StepRecord(epoch, place, cost.data, rate, optimizer.scale, gradients, updates)
        )
        return outs, terms

    def forward(self, batch: list[Sample]) -> tuple[list[Any], list[Value], Value]:
        """Return predictions, losses and cost of one batch."""
        outs = [self.model(inputs) for inputs, _ in batch]
        terms = [self.loss(out, target) for out, (_, target) in zip(outs, batch, strict=True)]
        return outs, terms, mean(terms)

    def replay(self, step: int) -> Value:
        """Return the cost of a step, from a copy of the model taken back to its epoch's start."""
        record = self.history.steps[step]
        if record.epoch not in self.starts:
            raise ValueError(
                f"step {step} was made before the training was resumed: replay the steps from "
                f"epoch {min(self.starts, default=record.epoch + 1)} on, or train anew"
            )
        # Together, so that the optimizer's copy holds the parameters of the model's copy.
        model, optimizer = copy.deepcopy((self.model, self.optimizer))
        twin = _Run(
            model,
            self.samples,
            self.loss,
            optimizer,
            self.seed,
            self.batch_size,
            self.clip,
            None,
            History(),
        )
        twin._unpack(self.starts[record.epoch])
        model.train()
        parts = self.batches(record.epoch)
        first = step - record.batch
        scales = [past.scale for past in self.history.steps[first : step + 1]]
        batches_ = [[self.samples[place] for place in places] for places in parts]
        if self.compiled and record.batch:
            twin.choose("exact" if self.compiled.exact else True)
            assert twin.compiled
            model.train()
            twin.compiled.learn(
                parts[: record.batch], scales.__getitem__, lambda _: None, twin._refuse
            )
            twin.sync()
        elif not self.compiled:
            for i in range(record.batch):
                optimizer.scale = scales[i]
                twin.learn(record.epoch, i, batches_[i])
        optimizer.scale = scales[-1]
        optimizer.zero_grad()
        return twin.forward(batches_[record.batch])[2]

    def state(self, callbacks: Sequence[Any]) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {
            "format": "chainrule checkpoint",
            "version": 1,
            "training": self._identity(),
            **self._snapshot(),
            "schedule": _state_of(self.schedule),
            "callbacks": list(map(_state_of, callbacks)),
            "history": self.history.state_dict(),
        }

    def restore(self, path: Path, callbacks: Sequence[Any]) -> None:
        """Take over a checkpoint, wholly or not at all.

        Raises:
            StateError: it is damaged, or of another training.
        """
        content = read_json(path)
        if not isinstance(content, dict) or content.get("format") != "chainrule checkpoint":
            raise StateError(f"{path} is no checkpoint of chainrule's")
        own, found = self._identity(), content.get("training")
        if found != own:
            differing = [
                key for key in own if not isinstance(found, dict) or found.get(key) != own[key]
            ]
            raise StateError(
                f"{path} is of another training: {', '.join(differing)} differ; resume with the "
                "same arguments"
            )
        before = self._snapshot(), self.history.state_dict()
        stateful = [x for x in (self.schedule, *callbacks) if hasattr(x, "load_state_dict")]
        kept = [x.state_dict() for x in stateful]
        try:
            self._take(_read(content))
            self.history.load_state_dict(_read(content["history"]))
            self.finished = len(self.history.loss)
            for thing, state in zip(
                (self.schedule, *callbacks),
                (content["schedule"], *content["callbacks"]),
                strict=True,
            ):
                if hasattr(thing, "load_state_dict"):
                    thing.load_state_dict(_read(state))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            self._take(before[0])
            self.history.load_state_dict(before[1])
            for thing, state in zip(stateful, kept, strict=True):
                thing.load_state_dict(state)
            raise StateError(f"{path} is damaged: {type(error).__name__}: {error}") from error

    def drop_unfinished(self) -> None:
        """Drop the records of an epoch that was not finished."""
        history = self.history
        while history.steps and history.steps[-1].epoch > self.finished:
            history.steps.pop()
        for kept in (
            history.loss,
            history.accuracy,
            history.validation_loss,
            history.validation_accuracy,
            *history.metrics.values(),
        ):
            del kept[self.finished :]

    def _identity(self) -> dict[str, Any]:
        """Return what must be equal for a checkpoint to be of this training."""
        digest = hashlib.sha256()
        for row, target in zip(self.samples.inputs, self.samples.targets, strict=True):
            numbers = list(row)
            numbers += target if isinstance(target, list) else [target]
            digest.update(struct.pack(f"<{len(numbers)}d", *numbers))
        return {
            "data": digest.hexdigest(),
            "batch_size": self.batch_size,
            "seed": self.seed,
            "loss": _name(self.loss),
            "optimizer": type(self.optimizer).__name__,
        }

    def _snapshot(self) -> dict[str, Any]:
        """Return weights, the optimiser's memory and how many masks each dropout has drawn."""
        return {
            "weights": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "masks": [dropout.masks for dropout in self.dropouts],
        }

    def _packed(self) -> dict[str, Any]:
        """Return the snapshot in little memory: one is kept for each epoch."""
        optimizer = {
            name: array("d", x) if isinstance(x, list) else x
            for name, x in self.optimizer.state_dict().items()
        }
        weights = array("d", [parameter.data for parameter in self.parameters.values()])
        masks = [dropout.masks for dropout in self.dropouts]
        return {"weights": weights, "optimizer": optimizer, "masks": masks}

    def _unpack(self, packed: dict[str, Any]) -> None:
        self._take(packed | {"weights": dict(zip(self.parameters, packed["weights"], strict=True))})

    def _take(self, snapshot: dict[str, Any]) -> None:
        self.optimizer.load_state_dict(snapshot["optimizer"])
        self.model.load_state_dict(snapshot["weights"])
        for dropout, masks in zip(self.dropouts, snapshot["masks"], strict=True):
            dropout.masks = int(masks)


def _state_of(thing: Any) -> Any:
    return thing.state_dict() if hasattr(thing, "state_dict") else None


def _read(content: Any) -> Any:
    """Return plain data with the strings for floats that are not finite as floats."""
    if isinstance(content, dict):
        return {key: _read(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_read(value) for value in content]
    return as_float("", content) if content in ("inf", "-inf", "nan") else content


def _is_looked_at(epoch: int) -> bool:
    """Return whether all units are watched: in epochs 1, 2, 4, 8, ..., as it costs time."""
    return epoch & (epoch - 1) == 0


def _listed(predictions: Any) -> Any:
    return predictions if isinstance(predictions, list) else predictions.tolist()


def _measured(metric: Metric, predictions: Any, targets: Any, limit: float) -> Any:
    """Return a metric's figure; one that needs a threshold gets the loss's, or keeps its own."""
    has_own = isinstance(metric, partial) and "threshold" in metric.keywords
    if bare(metric) in THRESHOLDED and not has_own:
        return metric(predictions, targets, threshold=limit)  # type: ignore[call-arg]
    return metric(predictions, targets)


def _plain(out: Any) -> Any:
    return [_number(x) for x in out] if isinstance(out, list) else _number(out)


def _number(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _name(function: Any) -> str:
    """Return the name of a function, or of the one inside a partial, with its arguments."""
    inner = bare(function)
    name = getattr(inner, "__name__", None) or repr(inner)
    if inner is function:
        return str(name)
    given = [*map(repr, function.args), *(f"{k}={v!r}" for k, v in function.keywords.items())]
    return f"{name}({', '.join(given)})"


def _check_classes(classes: int, samples: Dataset) -> None:
    """Compare the labels with the number of the model's outputs.

    Raises:
        ValueError: a label is no class.
    """
    known = list(map(float, range(classes)))
    for i, label in enumerate(samples.targets):
        if label not in known:
            raise ValueError(
                f"the model has {classes} outputs, so labels go from 0 to {classes - 1}: "
                f"that of sample {i} is {label:g}"
            )
