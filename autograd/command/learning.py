"""A network that learns a data set as `Settings` say: what ``chainrule train`` does unseen."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.command.settings import MADE, Settings
from autograd.command.usage import UsageError
from autograd.modes import no_grad

if TYPE_CHECKING:
    from collections.abc import Callable

    from nn import History, Module
    from nn.losses import Loss
    from nn.optim import Optimizer
    from nn.schedules import Schedule
    from nn.tables import Table

NAMES: dict[str, list[str]] = {
    "moons": ["upper", "lower"],
    "circles": ["outer", "inner"],
    "spirals": ["arm 0", "arm 1"],
    "xor": ["equal", "different"],
    "digits": list("0123456789"),
    "iris": ["setosa", "versicolor", "virginica"],
    "breast_cancer": ["malignant", "benign"],
}
"""By data set, what its labels 0, 1, ... stand for."""

RAW = (*MADE, "digits")
"""The data sets whose columns are of like size already: they are not standardised."""

VALIDATION = 0.15
"""Which share of what is learnt from is kept back to decide when to stop."""

Part = tuple[list[list[float]], list[Any]]


class Trained(NamedTuple):
    """What came of a training.

    Attributes:
        model: takes raw inputs; of regression, gives raw targets.
        parts: by name, the samples learnt from and those of the test, if there is one.
        figures: by part, what is measured on it.
        confusion: the confusion matrix of the test, or without one of what was learnt from.
    """

    settings: Settings
    table: Table
    model: Module
    history: History
    parts: dict[str, Part]
    figures: dict[str, dict[str, float]]
    confusion: list[list[int]]


def load(settings: Settings) -> Table:
    """Return the data set, made, bundled or from a file."""
    from nn import data, tables

    name = settings.data
    if name not in NAMES:
        classes = None if settings.task is None else settings.task == "classification"
        return tables.read_csv(name, -1 if settings.target is None else settings.target, classes)
    source = getattr(data, name)
    if name in MADE:
        inputs, targets = source(n=settings.n, noise=settings.noise, seed=settings.seed)
    else:
        inputs, targets = source()
    columns = [f"x{i + 1}" for i in range(len(inputs[0]))]
    return tables.Table(inputs, targets, columns, NAMES[name])


def learn(
    settings: Settings,
    table: Table,
    checkpoint: Path | None = None,
    resume: bool = False,
    before: Callable[[dict[str, Part], Module], None] = lambda parts, model: None,
) -> Trained:
    """Return the network that has learnt the data.

    Args:
        checkpoint: where the state is written after every epoch.
        resume: whether to go on from there.
        before: called with the parts and the model, when all is ready for training.

    Raises:
        UsageError, ValueError, TypeError: a setting is unusable; nothing was trained.
        FloatingPointError: the loss did not stay finite.
    """
    from nn import MLP, Sequential, Standardize, fit
    from nn.arguments import count, number
    from nn.callbacks import EarlyStopping
    from nn.data import Standardizer, train_test_split

    classes = len(table.classes)
    if not table.columns:
        raise UsageError(
            f"{settings.data} has a target, but no column to predict it from; columns are "
            "separated by commas"
        )
    if settings.smoothing and classes < 3:
        raise UsageError("--smoothing is of three classes or more")
    if len(set(table.targets)) == 1:
        raise UsageError("all targets are equal, so there is nothing to learn")
    parts: dict[str, Part] = {"train": (table.inputs, table.targets)}
    split = partial(train_test_split, seed=settings.seed, stratified=bool(classes))
    if settings.test:
        parts["train"], parts["test"] = split(parts["train"], test=settings.test)
    learnt, validation = parts["train"], None
    if settings.patience is not None:
        learnt, validation = split(learnt, test=VALIDATION)
    mlp = MLP(
        len(table.inputs[0]),
        [*settings.hidden, classes if classes > 2 else 1],
        activation=settings.activation,
        seed=settings.seed,
        init=settings.init,
    )
    model: MLP | Sequential = mlp
    if settings.data not in RAW:
        scale = Standardizer(learnt[0])
        model = Sequential(Standardize(scale.means, scale.deviations), *mlp.layers)
    unit = None if classes else Standardizer([[y] for y in learnt[1]])
    callbacks: list[Any] = [Record(settings)]
    if settings.patience is not None:
        callbacks.append(EarlyStopping(settings.patience))
    optimizer = _optimizer(model, settings)
    # What fit would refuse is refused here, so that nothing is announced in vain.
    count("epochs", settings.epochs)
    count("batch_size", settings.batch_size)
    if settings.clip is not None:
        number("clip", settings.clip, positive=True)
    before(parts, model)
    history = fit(
        model,
        _standardized(learnt, unit),
        _loss(classes, settings.smoothing),
        optimizer,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        validation=_standardized(validation, unit) if validation else None,
        clip=settings.clip,
        schedule=_schedule(settings),
        callbacks=callbacks,
        seed=settings.seed,
        checkpoint=checkpoint,
        resume=checkpoint if resume else None,
    )
    if unit:
        back = Standardize(unit.means, unit.deviations, invert=True)
        model = Sequential(*model.layers, back)
    figures, confusion = _measured(model, parts, classes)
    return Trained(settings, table, model, history, parts, figures, confusion)


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


def _optimizer(model: Module, settings: Settings) -> Optimizer:
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
    decay = {} if settings.weight_decay is None else {"weight_decay": settings.weight_decay}
    made: Optimizer = kinds[settings.optimizer](model.parameters(), settings.learning_rate, **decay)
    return made


def _schedule(settings: Settings) -> Schedule | None:
    from nn.schedules import Cosine, ReduceOnPlateau

    if settings.schedule == "cosine":
        return Cosine(settings.epochs)
    return ReduceOnPlateau(patience=5) if settings.schedule == "plateau" else None


def _measured(
    model: Module, parts: dict[str, Part], classes: int
) -> tuple[dict[str, dict[str, float]], list[list[int]]]:
    """Return the figures of each part, and the confusion matrix of the last one."""
    from nn import metrics

    figures: dict[str, dict[str, float]] = {}
    confusion: list[list[int]] = []
    for name, (inputs, targets) in parts.items():
        with no_grad():
            predictions = [model(row) for row in inputs]
        measured: dict[str, float] = {"samples": len(targets)}
        if classes:
            measured["accuracy"] = metrics.accuracy(predictions, targets)
            confusion = metrics.confusion_matrix(predictions, targets, classes)
        else:
            measured["r2"] = metrics.r2(predictions, targets)
        if classes == 2:
            measured["precision"] = metrics.precision(predictions, targets)
            measured["recall"] = metrics.recall(predictions, targets)
        figures[name] = measured
    return figures, confusion
