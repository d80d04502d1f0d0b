"""`fit`: the training loop, and the `History` it returns."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd import Value, mean
from nn.arguments import count, generator
from nn.losses import LABELS
from nn.metrics import accuracy
from nn.module import Module
from nn.optim import SGD

Loss = Callable[[Any, float], Value]
Data = tuple[Sequence[Sequence[float]], Sequence[float]]
Sample = tuple[list[Value], float]


class History:
    """What happened in training.

    Attributes:
        loss: the mean loss of each epoch's samples, each at the moment it was learnt from.
        accuracy: likewise the share of them that was right; empty unless the loss is one of
            classification.
        interrupted: whether Ctrl-C ended the training; only whole epochs are listed.
    """

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.accuracy: list[float] = []
        self.interrupted = False

    def __repr__(self) -> str:
        parts = [f"{len(self.loss)} epochs"]
        parts += [f"loss {self.loss[-1]:.4g}"] if self.loss else []
        parts += [f"accuracy {self.accuracy[-1]:.1%}"] if self.accuracy else []
        return f"History({', '.join(parts + ['interrupted'] * self.interrupted)})"


def fit(
    model: Module,
    data: Data,
    loss: Loss,
    optimizer: SGD,
    *,
    epochs: int,
    batch_size: int = 32,
    seed: int = 0,
) -> History:
    """Train ``model`` in place and return the history.

    Every epoch goes once through the data, in mini-batches whose order follows from ``seed``.
    Progress is shown in a terminal or notebook if rich is installed. Ctrl-C ends the training
    after the last whole step.

    Args:
        model: called with one sample's inputs, returns its prediction.
        data: the inputs, one list of numbers a sample, and the targets.
        loss: of one sample, ``loss(prediction, target)``; a step descends its mean.
        optimizer: holds the model's parameters.
        epochs: how often to go through the data.
        batch_size: samples a step; the last batch of an epoch may be smaller.
        seed: of the shuffling.

    Raises:
        TypeError, ValueError: an argument is unusable; raised before anything is changed.
        FloatingPointError: the loss is no longer finite.

    >>> from nn import MLP
    >>> from nn.data import moons
    >>> from nn.losses import binary_cross_entropy_with_logits
    >>> model = MLP(2, [16, 16, 1], seed=0)
    >>> optimizer = SGD(model.parameters(), learning_rate=0.3)
    >>> loss = binary_cross_entropy_with_logits
    >>> history = fit(model, moons(40), loss, optimizer, epochs=40, batch_size=8)
    >>> history.accuracy[-1]
    1.0
    """
    count("epochs", epochs)
    count("batch_size", batch_size)
    source = generator(seed)
    samples = _samples(data, loss)
    _try_out(model, loss, optimizer, *samples[0])
    history = History()
    try:
        with _progress(epochs, len(samples)) as show:
            for epoch in range(1, epochs + 1):
                source.shuffle(samples)
                predictions: list[float] = []
                losses: list[float] = []
                for start in range(0, len(samples), batch_size):
                    show(epoch, start, history)
                    outs, terms = _step(model, samples[start : start + batch_size], loss, optimizer)
                    losses += [term.data for term in terms]
                    if loss in LABELS:
                        predictions += [out.data for out in outs]
                history.loss.append(math.fsum(losses) / len(losses))
                if loss in LABELS:
                    history.accuracy.append(accuracy(predictions, [label for _, label in samples]))
                show(epoch, len(samples), history)
    except KeyboardInterrupt:
        history.interrupted = True
        sys.stderr.write(
            f"stopped by Ctrl-C in epoch {len(history.loss) + 1} of {epochs}; "
            "the model keeps what it has learnt so far\n"
        )
    return history


def _step(
    model: Module, batch: list[Sample], loss: Loss, optimizer: SGD
) -> tuple[list[Value], list[Value]]:
    """Learn from one batch and return its predictions and losses; wholly or not at all."""
    before = [parameter.data for parameter in optimizer.parameters]
    try:
        outs = [model(inputs) for inputs, _ in batch]
        terms = [loss(out, target) for out, (_, target) in zip(outs, batch, strict=True)]
        cost = mean(terms)
        if not math.isfinite(cost.data):
            raise FloatingPointError(
                f"the loss became {cost.data}: try a learning rate below "
                f"{optimizer.learning_rate:g}"
            )
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()
    except BaseException:
        for parameter, number in zip(optimizer.parameters, before, strict=True):
            parameter.data = number
        raise
    return outs, terms


def _samples(data: Data, loss: Loss) -> list[Sample]:
    """Return inputs and target of each sample, as leaves and a float.

    Raises:
        TypeError, ValueError: some of it is unusable; the message says which.
    """
    if not isinstance(data, tuple) or len(data) != 2:
        raise TypeError(f"data must be the pair (inputs, targets): got {data!r:.60}")
    inputs, targets = data
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(
            "data needs as many inputs as targets, at least one: "
            f"got {len(inputs)} and {len(targets)}"
        )
    samples = []
    for i, (row, target) in enumerate(zip(inputs, targets, strict=True)):
        if not hasattr(row, "__len__"):
            raise TypeError(f"inputs[{i}] must be a list of numbers: got {row!r:.60}")
        if len(row) != len(inputs[0]):
            raise ValueError(f"inputs[{i}] has {len(row)} numbers, inputs[0] has {len(inputs[0])}")
        leaves = [_leaf(f"inputs[{i}][{j}]", x) for j, x in enumerate(row)]
        label = _leaf(f"targets[{i}]", target).data
        if label not in LABELS.get(loss, (label,)):
            low, high = LABELS[loss]
            raise ValueError(
                f"{loss.__name__} needs labels {low:g} and {high:g}: targets[{i}] is {target}"
            )
        samples.append((leaves, label))
    return samples


def _leaf(name: str, x: float) -> Value:
    try:
        leaf = Value(x)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None
    if not math.isfinite(leaf.data):
        raise ValueError(f"{name} is {leaf.data}: clean the data first")
    return leaf


def _try_out(model: Module, loss: Loss, optimizer: SGD, inputs: list[Value], target: float) -> None:
    """Run the model and the loss once, so that what doesn't fit shows before training."""
    if not set(model.parameters()) & set(optimizer.parameters):
        raise ValueError(
            "the optimizer holds none of the model's parameters: make it of model.parameters()"
        )
    prediction = model(inputs)
    try:
        term = loss(prediction, target)
    except TypeError as error:
        error.add_note(f"in the loss of prediction {prediction!r:.60} and target {target}")
        raise
    if not isinstance(term, Value):
        raise TypeError(f"the loss must return a Value to differentiate: got {term!r:.60}")
    if term.op is None:
        raise ValueError("the loss has no graph to differentiate: train outside of no_grad()")


@contextmanager
def _progress(epochs: int, samples: int) -> Iterator[Callable[[int, int, History], None]]:
    """Yield what shows epoch, samples done in it, and the history; if nobody sees it, nothing."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        yield lambda epoch, done, history: None
        return
    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield lambda epoch, done, history: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=epochs * samples, figures="")

        def show(epoch: int, done: int, history: History) -> None:
            figures = [f"loss {history.loss[-1]:.4f}"] if history.loss else []
            figures += [f"accuracy {history.accuracy[-1]:.1%}"] if history.accuracy else []
            bar.update(
                task,
                completed=(epoch - 1) * samples + done,
                description=f"epoch {epoch:{len(str(epochs))}}/{epochs}",
                figures="  ".join(figures),
            )

        yield show
