"""A network that learns a data set as `Settings` say: what ``chainrule train`` does unseen."""

from __future__ import annotations

import math
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.command.arrangement import Arrangement, Part
from autograd.command.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from nn import History, Module
    from nn.losses import Loss
    from nn.optim import Optimizer
    from nn.schedules import Schedule


class Trained(NamedTuple):
    """What came of a training.

    Attributes:
        model: takes raw inputs; of regression, gives raw targets.
        figures: by part, what is measured on it; by simpler model, on the test.
        confusion: the confusion matrix of the test, or without one of what was learnt from.
    """

    arrangement: Arrangement
    model: Module
    history: History
    figures: dict[str, dict[str, float]]
    confusion: list[list[int]]


def learn(
    arrangement: Arrangement,
    checkpoint: Path | None = None,
    resume: bool = False,
    begin: Callable[[], None] = lambda: None,
) -> Trained:
    """Return the network that has learnt the data.

    Args:
        checkpoint: where the state is written after every epoch.
        resume: whether to go on from there.
        begin: called when all is ready for training.

    Raises:
        ValueError, TypeError: a setting is unusable; nothing was trained.
        FloatingPointError: the loss did not stay finite.
    """
    from nn import Sequential, Standardize, fit

    settings, unit = arrangement.settings, arrangement.unit
    model, validation = arrangement.model, arrangement.validation
    equipment = equipped(arrangement)
    begin()
    history = fit(
        model,
        _standardized(arrangement.learnt, unit),
        _loss(len(arrangement.classes), settings.smoothing),
        equipment.optimizer,
        epochs=settings.epochs,
        batch_size=equipment.batch_size,
        validation=_standardized(validation, unit) if validation else None,
        clip=settings.clip,
        schedule=_schedule(settings),
        callbacks=equipment.callbacks,
        seed=settings.seed,
        dtype=settings.dtype,
        checkpoint=checkpoint,
        resume=checkpoint if resume else None,
    )
    if unit:
        back = Standardize(unit.means, unit.deviations, invert=True)
        model = Sequential(*model.layers, back)
    figures, confusion = _measured(model, arrangement)
    return Trained(arrangement, model, history, figures, confusion)


class Equipment(NamedTuple):
    """What goes through the data with the network."""

    optimizer: Optimizer
    batch_size: int
    callbacks: list[Any]


def equipped(arrangement: Arrangement) -> Equipment:
    """Return what a training takes besides the network and the data.

    Raises:
        ValueError, TypeError: a setting is unusable. What `nn.fit` would refuse is refused here,
            so that nothing is announced in vain.
    """
    from nn.arguments import count, number
    from nn.callbacks import EarlyStopping

    settings, samples = arrangement.settings, len(arrangement.learnt[1])
    callbacks: list[Any] = [Record(settings)]
    if settings.patience is not None:
        stopping = EarlyStopping(settings.patience)
        callbacks += [stopping] if arrangement.validation else []
    optimizer = _optimizer(arrangement.model, settings, settings.decay_of(samples))
    count("epochs", settings.epochs)
    if settings.clip is not None:
        number("clip", settings.clip, positive=True)
    return Equipment(optimizer, count("batch_size", settings.batch_of(samples)), callbacks)


class Record:
    """A callback that does nothing but keep the settings in the checkpoint."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, model: Module, history: History) -> None:
        pass

    def state_dict(self) -> dict[str, Any]:
        """Return the settings."""
        return self.settings.to_json()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing: the settings were read before the training was set up."""


def _standardized(part: Part, unit: Any) -> Part:
    """Return a part with its targets, if they are numbers to predict, in their unit."""
    inputs, targets = part
    return (inputs, [y for (y,) in unit([[y] for y in targets])]) if unit else part


def _loss(classes: int, smoothing: float) -> Loss:
    from nn import losses

    if classes > 2:
        if smoothing:
            return partial(losses.cross_entropy, smoothing=smoothing)
        return losses.cross_entropy
    return losses.binary_cross_entropy_with_logits if classes else losses.half_squared_error


def _optimizer(model: Module, settings: Settings, weight_decay: float | None) -> Optimizer:
    from nn import optim

    kinds: dict[str, Any] = {
        "sgd": optim.SGD,
        "momentum": partial(optim.SGD, momentum=0.9),
        "nesterov": partial(optim.SGD, momentum=0.9, nesterov=True),
        "adagrad": optim.Adagrad,
        "rmsprop": optim.RMSprop,
        "adam": optim.Adam,
        "adamw": optim.AdamW,
    }
    decay = {} if weight_decay is None else {"weight_decay": weight_decay}
    made: Optimizer = kinds[settings.optimizer](model.parameters(), settings.learning_rate, **decay)
    return made


def _schedule(settings: Settings) -> Schedule | None:
    from nn.schedules import Cosine, ReduceOnPlateau

    if settings.schedule == "cosine":
        return Cosine(settings.epochs)
    return ReduceOnPlateau(patience=5) if settings.schedule == "plateau" else None


def _measured(
    model: Module, arrangement: Arrangement
) -> tuple[dict[str, dict[str, float]], list[list[int]]]:
    """Return the figures of each part and of the simpler models, and the confusion matrix."""
    from nn import metrics

    classes = len(arrangement.classes)
    figures: dict[str, dict[str, float]] = {}
    confusion: list[list[int]] = []
    # All at once: what is compiled is compiled once, and it pays sooner.
    answers = iter(model.predict([row for rows, _ in arrangement.parts.values() for row in rows]))
    for name, (_, targets) in arrangement.parts.items():
        predictions = list(islice(answers, len(targets)))
        figures[name] = {"samples": len(targets), **_figures(predictions, targets, classes)}
        if classes:
            confusion = metrics.confusion_matrix(predictions, targets, classes)
    for name, said in arrangement.rivals.items():
        _, targets = arrangement.parts["test"]
        figures[name] = {"samples": len(targets), **_figures(said, targets, classes)}
    return figures, confusion


def _figures(predictions: list[Any], targets: list[Any], classes: int) -> dict[str, float]:
    from nn import metrics

    if not classes:
        return {
            "r2": metrics.r2(predictions, targets),
            "mae": metrics.mean_absolute_error(predictions, targets),
            "rmse": metrics.root_mean_squared_error(predictions, targets),
        }
    measured = {"accuracy": metrics.accuracy(predictions, targets)}
    if classes == 2:
        measured["precision"] = metrics.precision(predictions, targets)
        measured["recall"] = metrics.recall(predictions, targets)
    return measured


APART = {"r2": 0.1, "accuracy": 0.05}
"""By how much the training part may do better than the test before that is said."""


def doubts(figures: dict[str, dict[str, float]]) -> list[str]:
    """Return what speaks against a network, by what was measured.

    >>> doubts({"train": {"r2": 0.9}, "test": {"r2": 0.2}, "mean": {"r2": -0.1}})
    ['train and test are far apart, so some of it is learnt by heart: try a larger --weight-decay']
    >>> doubts({"test": {"accuracy": 0.5}, "linear model": {"accuracy": 0.6}})
    ['the linear model does better on the test: there is no reason to prefer the network']
    """
    found = []
    test = figures.get("test", {})
    name = next((name for name in APART if name in test), "")
    if not name:
        return []
    gap = figures.get("train", test)[name] - test[name]
    # Of few samples, the share that is right is known to about a standard error.
    noise = 0.0 if name == "r2" else 1 / (test.get("samples", math.inf) ** 0.5)
    if gap > max(APART[name], noise):
        found.append(
            "train and test are far apart, so some of it is learnt by heart: try a larger "
            "--weight-decay"
        )
    better = [
        rival
        for rival, measured in figures.items()
        if rival not in ("train", "test") and measured[name] > test[name]
    ]
    if better:
        found.append(
            f"the {' and the '.join(better)} {'does' if len(better) == 1 else 'do'} better on the "
            "test: there is no reason to prefer the network"
        )
    return found
