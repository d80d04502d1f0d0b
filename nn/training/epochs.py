"""`fit`: epoch after epoch, in the eager engine or in machine code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial, wraps
from os import PathLike
from pathlib import Path
from typing import Any, Never, ParamSpec

from autograd import Value, topological_order
from nn.arguments import number
from nn.callbacks import Callback
from nn.elsewhere import FIT
from nn.history import History, layers_of
from nn.hygiene import DivergenceError, Hygiene
from nn.losses import Loss, bare, is_classification, threshold
from nn.metrics import THRESHOLDED, accuracy, mean_of
from nn.module import Module
from nn.optim import Optimizer
from nn.schedules import Schedule
from nn.training.changeover import StepsWherePossible, compiled_if_possible
from nn.training.checkpoint import Checkpoint
from nn.training.compiled import CompiledSteps
from nn.training.dataset import Data
from nn.training.identity import identity_of
from nn.training.order import Order
from nn.training.patience import Patience
from nn.training.plan import Clip, Metric, Plan
from nn.training.progress import Show, bar
from nn.training.replay import Replay
from nn.training.resumption import compile_of, saved_of, state_of, take_over
from nn.training.steps import EagerSteps, Start
from nn.training.trial import tried_out

P = ParamSpec("P")

EPOCHS_WORTHWHILE = 4_000_000
"""Arguments in the graphs of all samples in all epochs from which on a training is compiled.

The eager engine takes about two seconds for them, making the machine code one.
"""

CALLED = {
    "validation_data": "write validation=(X, y)",
    "validation_split": "split with nn.data.train_test_split, and write validation=(X, y)",
    "sample_weight": "give each target its weight, (y, weight), and take both in the loss",
    "class_weight": "give each target its weight, (y, weight), and take both in the loss",
    "shuffle": "samples are shuffled in each epoch, by seed",
    "verbose": "progress is shown in a terminal, if rich is installed",
    "learning_rate": "it is the optimizer's",
    "lr": "it is the optimizer's learning_rate",
}
"""What other libraries' arguments are here."""


def _asked(fit: Callable[P, History]) -> Callable[P, History]:
    """Return ``fit``, which says how it is called where arguments are missing."""

    @wraps(fit)
    def call(*args: P.args, **kwargs: P.kwargs) -> History:
        try:
            return fit(*args, **kwargs)
        except TypeError as error:
            if error.__traceback__ and error.__traceback__.tb_next:  # from inside of it
                raise
            raise TypeError(f"{error}; {FIT}") from None

    return call


@_asked
def fit(
    model: Module,
    data: Data,
    loss: Loss,
    optimizer: Optimizer,
    *more: Never,
    epochs: int,
    batch_size: int = 32,
    validation: Data | None = None,
    clip: Clip | None = None,
    schedule: Schedule | None = None,
    metrics: Sequence[Metric] = (),
    callbacks: Sequence[Callback] = (),
    seed: int = 0,
    compile: bool | str | None = None,
    dtype: str = "float64",
    checkpoint: str | PathLike[str] | None = None,
    resume: str | PathLike[str] | None = None,
    **unknown: Never,
) -> History:
    """Train ``model`` in place and return the history; the model is left ready to use (`eval`).

    Every epoch goes once through the data, in mini-batches whose order follows from ``seed``
    and the epoch. Progress is shown in a terminal or notebook if rich is installed. What goes
    wrong without an error is said once as a `nn.hygiene.TrainingWarning`. Ctrl-C ends the
    training after the last whole step.

    Args:
        model: called with one sample's inputs, returns its prediction.
        data: the inputs, one list of numbers a sample, and the targets. The lists may be of several
            lengths, if the model takes them; the targets of one length of inputs are alike.
        loss: of one sample, ``loss(prediction, target)``; a step descends its mean.
        optimizer: holds the model's parameters; those it doesn't hold stay as they are.
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
            What model and loss print, append or count, and don't go by, is left to the eager
            engine: as machine code, they do it while they are compiled only.
        dtype: "float32" for steps in single precision, always as machine code: in about half the
            time where that counts. Weights, gradients and what the optimiser remembers are
            rounded to it; the model's numbers, and files of it, are doubles of these values.
        checkpoint: a file to which the state of the training is written after an epoch, as
            often as a twentieth of the time allows, and when the training ends in whatever way;
            the history grows in a second file beside it. Whenever the process is killed, both
            are whole.
        resume: a checkpoint to go on from, with the same arguments; the result has the same
            bits as if the training had never been interrupted. Another number of epochs or
            learning rate, or a schedule with other numbers, counts from then on; any other
            difference is refused.

    Raises:
        TypeError, ValueError: an argument is unusable; raised before anything is changed.
        StateError: the checkpoint is damaged, or of another training; likewise.
        DivergenceError: the loss is no longer finite; says where that began. The model keeps
            its last weights, or those a callback restores, and the error has the history.

    >>> from nn import MLP
    >>> from nn.data import moons
    >>> from nn.losses import binary_cross_entropy_with_logits
    >>> from nn.optim import SGD
    >>> model = MLP(2, [16, 16, 1], activation="leaky_relu", seed=0)
    >>> optimizer = SGD(model.parameters(), learning_rate=0.3)
    >>> loss = binary_cross_entropy_with_logits
    >>> history = fit(model, moons(40), loss, optimizer, epochs=40, batch_size=8)
    >>> history.accuracy[-1]
    0.975
    """
    if more:
        raise TypeError(
            "inputs and targets are one argument, a pair: "
            "fit(model, (X, y), loss, optimizer, epochs=10)"
        )
    for name in unknown:
        raise TypeError(f"fit has no {name}: {CALLED.get(name, 'help(nn.fit) says what it has')}")
    plan = Plan(
        model,
        data,
        loss,
        optimizer,
        epochs,
        batch_size,
        validation,
        clip,
        schedule,
        metrics,
        callbacks,
        seed,
        compile,
        dtype,
        checkpoint,
        resume,
    )
    return Training(plan).run()


class Training:
    """A training under way, from its plan to its history.

    Raises:
        TypeError, ValueError, StateError: something in the plan doesn't go together; nothing
            was changed.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        term = tried_out(plan, plan.samples)
        if plan.tests is not None:
            tried_out(plan, plan.tests)
        self.identity = identity_of(plan) if plan.checkpoint or plan.resume else None
        # The learning rate that was asked for; a callback may have changed it meanwhile.
        self.asked = plan.optimizer.learning_rate
        saved = saved_of(plan, self.identity)
        self.history = History()
        self.history.layers = tuple(layers_of(plan.model))
        compile = compile_of(plan, saved) if saved else plan.compile
        if plan.dtype == "float32":
            compile = True
        if compile is None:
            arguments = _arguments_of(term) * len(plan.samples) * plan.epochs
            compile = arguments >= EPOCHS_WORTHWHILE and "if possible"
        self.steps = _steps(plan, compile, term)
        self.history.backend = self.steps.name
        if saved:
            take_over(plan, saved)
            vars(self.history).update(vars(saved.history))
        self.hygiene = self.steps.hygiene = Hygiene(plan.model, plan.optimizer, self.history)
        self.modules = plan.modules
        self.order = Order(len(plan.samples), plan.batch_size, plan.seed)
        self.replay = self.history._replay = Replay(plan, self.history, self.steps.name)
        self.keeper = Checkpoint(Path(plan.checkpoint), saved) if plan.checkpoint else None
        self.finished = len(self.history.loss)
        self.begun: tuple[int, Start] | None = None
        self.is_torn = False
        if self.steps.name != "eager" and not self.history.steps:
            self.hygiene.check_reach(term)
        if plan.tests is not None:
            self.hygiene.check_split(plan.samples.inputs, plan.tests.inputs)

    def run(self) -> History:
        """Return the history, at the end of the training."""
        plan, history = self.plan, self.history
        try:
            with bar(plan.epochs, len(plan.samples)) as show:
                for epoch in range(self.finished + 1, plan.epochs + 1):
                    if history.stopped:
                        break
                    self._go_through(epoch, show)
                    show(epoch, len(plan.samples), history)
        except KeyboardInterrupt:
            history.interrupted = True
            sys.stderr.write(
                f"stopped by Ctrl-C in epoch {self.finished + 1} of {plan.epochs}; "
                "the model keeps what it has learnt\n"
            )
        except FloatingPointError as error:
            self._leave()
            self._finish()
            if not isinstance(error, DivergenceError):
                raise self._diverged(DivergenceError(str(error))) from error
            raise self._diverged(error) from None
        except BaseException:
            self._leave()
            raise
        self._leave()
        self._finish()
        return history

    def _go_through(self, epoch: int, show: Show) -> None:
        """Go once through the data, look at what has come of it, and add to the history."""
        plan, history = self.plan, self.history
        warnings = len(history.warnings) if epoch > 1 else 0
        # All units are watched in epochs 1, 2, 4, 8, ... and the last, as it costs time.
        self.hygiene.is_looking = epoch & (epoch - 1) == 0 or epoch == plan.epochs
        start = self.steps.start()
        self.begun = epoch, start
        self.replay.keep(epoch, start)
        batches = self.order(epoch)
        self._set_training(True)
        done = self.steps.learn(
            epoch,
            batches,
            lambda i: self._factor(epoch - 1 + i / len(batches)),
            lambda i: show(epoch, i * plan.batch_size, history),
        )
        self._set_training(False)
        history.steps += done.records
        history.loss.append(mean_of(done.losses))
        if is_classification(plan.loss):
            history.accuracy.append(accuracy(done.predictions, done.targets, threshold(plan.loss)))
        observe = getattr(plan.schedule, "observe", None)
        if plan.callbacks or plan.metrics or observe:  # which find the model as it is
            self.steps.sync()
        self._evaluate()
        history.backend = self.replay.backend = self.steps.name
        self.hygiene.check_epoch()
        self.is_torn = True
        if observe:
            observe((history.validation_loss or history.loss)[-1])
        answers = [callback(plan.model, history) for callback in plan.callbacks]
        history.stopped = any(map(_is_stop, answers))
        if self.keeper:
            self.keeper.note(history, warnings)
        self.finished, self.is_torn = epoch, False
        if self.keeper and self.keeper.is_due:
            self.steps.sync()
            self._write(self.keeper)

    def _factor(self, time: float) -> float:
        """Return the schedule's factor for a step."""
        schedule = self.plan.schedule
        return 1.0 if schedule is None else number("the schedule's factor", schedule(time))

    def _set_training(self, training: bool) -> None:
        # The model's own way looks for its modules each time, past every weight.
        for module in self.modules:
            module.training = training

    def _evaluate(self) -> None:
        """Add what the epoch has come to: loss and accuracy on validation data, and metrics."""
        plan, history = self.plan, self.history
        samples = plan.tests or plan.samples
        if plan.tests is None and not plan.metrics:
            return
        losses, predictions = self.steps.evaluate(samples)
        limit = threshold(plan.loss)
        if plan.tests is not None:
            history.validation_loss.append(mean_of(losses))
            if is_classification(plan.loss):
                history.validation_accuracy.append(accuracy(predictions, samples.targets, limit))
        if plan.metrics and not isinstance(predictions, list):
            predictions = predictions.tolist()
        for name, metric in zip(plan.metric_names, plan.metrics, strict=True):
            figure = _measured(metric, predictions, samples.targets, limit)
            history.metrics.setdefault(name, []).append(figure)

    def _leave(self) -> None:
        """Leave the model ready to use, and the history and the checkpoint with whole epochs."""
        self.steps.sync()
        self._set_training(False)
        self._drop_unfinished()
        # Between two epochs, callbacks may have seen one that the history hasn't.
        if self.keeper and self.keeper.written < self.finished and not self.is_torn:
            self._write(self.keeper)

    def _write(self, keeper: Checkpoint) -> None:
        start = self.begun[1] if self.begun and self.begun[0] > self.finished else None
        state = state_of(self.plan, self.identity, self.asked, self.history, start)
        keeper.write(state, self.finished)

    def _finish(self) -> None:
        for callback in self.plan.callbacks:
            finish = getattr(callback, "finish", None)
            if finish:
                finish(self.plan.model)

    def _diverged(self, error: DivergenceError) -> DivergenceError:
        error.history = self.history
        return error

    def _drop_unfinished(self) -> None:
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


def _steps(
    plan: Plan, compile: bool | str, term: Value
) -> CompiledSteps | EagerSteps | StepsWherePossible:
    """Return what makes the steps: compiled, if asked to by True, "exact", or "if possible".

    Args:
        term: the loss of a sample.

    Raises:
        CompileError, MissingExtraError: it can't be done, and was asked for.
    """
    if compile == "if possible":
        patience = Patience(EPOCHS_WORTHWHILE / max(_arguments_of(term), 1))
        things = (plan.model, plan.loss, plan.optimizer)
        make = partial(CompiledSteps, plan, exact=False, patience=patience)
        steps = compiled_if_possible("fit", things, make)
        return StepsWherePossible(plan, steps) if steps else EagerSteps(plan)
    return CompiledSteps(plan, exact=compile == "exact") if compile else EagerSteps(plan)


def _arguments_of(term: Value) -> int:
    return sum(len(node.args) for node in topological_order(term))


def _measured(metric: Metric, predictions: Any, targets: Any, limit: float) -> Any:
    """Return a metric's figure; one that needs a threshold gets the loss's, or keeps its own."""
    has_own = isinstance(metric, partial) and "threshold" in metric.keywords
    if bare(metric) in THRESHOLDED and not has_own:
        return metric(predictions, targets, threshold=limit)  # type: ignore[call-arg]
    return metric(predictions, targets)


def _is_stop(answer: Any) -> bool:
    """Return whether a callback's answer is True, be it Python's or NumPy's."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)
