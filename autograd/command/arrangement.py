"""What a training begins with: the data in parts, prepared, and a network yet to learn."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.command.settings import MADE, Settings
from autograd.command.usage import UsageError
from autograd.stepping.notation import counted

if TYPE_CHECKING:
    from nn import MLP, Sequential
    from nn.data import Standardizer
    from nn.tables import Table
    from nn.tables.preparation import Preparation

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

LEAST = 10
"""Rows that a table needs for some to be kept back for a test."""

Part = tuple[list[list[float]], list[Any]]


class Samples(NamedTuple):
    """A data set of numbers, made or bundled; ``targets`` are places in ``classes``."""

    inputs: list[list[float]]
    targets: list[Any]
    columns: list[str]
    classes: list[str]


class Arrangement(NamedTuple):
    """All that is settled before a training begins.

    Attributes:
        data: of a table, what was done with each column.
        columns: the names of what is learnt from.
        classes: what the targets are called; none if they are numbers.
        parts: by name, the samples learnt from and those of the test, if there is one.
        learnt, validation: the first of these, without and with only what decides on the end.
        model: takes raw inputs, gives logits or standardised targets.
        unit: of targets that are numbers.
        preparation: from a table's cells to the inputs.
        remarks: what is to be said of the data.
        rivals: by name, what simpler models say of the test.
    """

    settings: Settings
    data: Samples | Table
    columns: list[str]
    classes: list[str]
    parts: dict[str, Part]
    learnt: Part
    validation: Part | None
    model: MLP | Sequential
    unit: Standardizer | None
    preparation: Preparation | None
    remarks: list[str]
    rivals: dict[str, list[Any]]


def load(settings: Settings) -> Samples | Table:
    """Return the data set, made, bundled or from a file."""
    from nn import data, tables

    name = settings.data
    if name not in NAMES:
        return tables.read(
            name,
            settings.target,
            None if settings.task is None else settings.task == "classification",
            drop=settings.drop,
            use=settings.use,
            categorical=settings.categorical,
            separator=settings.sep,
        )
    source = getattr(data, name)
    if name in MADE:
        inputs, targets = source(n=settings.n, noise=settings.noise, seed=settings.seed)
    else:
        inputs, targets = source()
    return Samples(inputs, targets, [f"x{i + 1}" for i in range(len(inputs[0]))], NAMES[name])


def arranged(settings: Settings, data: Samples | Table) -> Arrangement:
    """Return the data in parts, and a network for it.

    Raises:
        UsageError, ValueError, TypeError: a setting is unusable, or the data.
    """
    from nn import MLP, Sequential, Standardize
    from nn.data import Standardizer, train_test_split

    table = None if isinstance(data, Samples) else data
    classes, targets = len(data.classes), data.targets
    if table and table.lack:
        raise UsageError(f"{settings.data} {table.lack}")
    if settings.smoothing and classes < 3:
        raise UsageError("--smoothing is of three classes or more")
    if len(set(targets)) == 1:
        raise UsageError("all targets are equal, so there is nothing to learn")
    remarks: list[str] = []
    split = partial(train_test_split, seed=settings.seed, stratified=bool(classes))
    places: dict[str, list[int]] = {"train": list(range(len(targets)))}
    test = settings.test
    if table and len(targets) < LEAST and test == Settings.test:
        test = 0.0
        remarks.append(f"{len(targets)} rows are too few for a test: all are learnt from")
    if test:
        (first, _), (second, _) = split((places["train"], targets), test=test)
        places = {"train": first, "test": second}
    if isinstance(data, Samples):
        prepared, inputs, columns = None, data.inputs, data.columns
    else:
        prepared = data.prepared(places["train"])
        inputs = prepared.inputs.tolist()
        columns = [column.name for column in data.used]
        remarks += _remarks(data, places)
    parts = {
        name: ([inputs[i] for i in part], [targets[i] for i in part])
        for name, part in places.items()
    }
    learnt, validation = parts["train"], None
    if settings.patience is not None and len(learnt[1]) >= LEAST:
        learnt, validation = split(learnt, test=VALIDATION)
    mlp = MLP(
        len(inputs[0]),
        [*settings.hidden, classes if classes > 2 else 1],
        activation=settings.activation,
        seed=settings.seed,
        init=settings.init,
    )
    model: MLP | Sequential = mlp
    if prepared:
        model = Sequential(Standardize(prepared.means, prepared.deviations), *mlp.layers)
    elif settings.data not in RAW:
        standard = Standardizer(learnt[0])
        model = Sequential(Standardize(standard.means, standard.deviations), *mlp.layers)
    unit = None if classes else Standardizer([[y] for y in learnt[1]])
    rivals: dict[str, list[Any]] = {}
    if prepared and "test" in parts:
        from nn.tables.rivals import baselines

        scaled = prepared.standardized
        known = scaled[places["train"]], parts["train"][1]
        rivals = baselines(known, scaled[places["test"]], classes)
    return Arrangement(
        settings,
        data,
        columns,
        data.classes,
        parts,
        learnt,
        validation,
        model,
        unit,
        prepared.preparation if prepared else None,
        remarks,
        rivals,
    )


def _remarks(table: Table, places: dict[str, list[int]]) -> list[str]:
    """Return what makes the figures of a table doubtful."""
    from nn.tables.leakage import leaks, met_twice

    said = []
    kind = "an AUC" if table.classes else "an R²"
    for name, score in leaks(table.used, table.targets, len(table.classes)).items():
        said.append(
            f"{name} alone predicts {table.target.name}, with {kind} of {score:.3f}: if it isn't "
            f"known beforehand, it gives the answer away; --drop {shlex.quote(name)}"
        )
    if "test" in places:
        twice = met_twice(table.used, table.targets, places["train"], places["test"])
        if twice:
            one = twice == 1
            said.append(
                f"{counted(twice, 'row')} of the {len(places['test']):,} of the test "
                f"{'is' if one else 'are'} among those learnt from, too: the test is easier by "
                f"{'it' if one else 'them'}"
            )
    said += [
        f"the classes {' and '.join(names)} differ in capitals only: are they the same?"
        for names in _alike(table.classes)
    ]
    if table.classes:
        rare = [name for place, name in enumerate(table.classes) if table.targets.count(place) < 5]
        if rare and len(table.targets) >= 20:
            shown = ", ".join(rare[:5]) + (" ..." if len(rare) > 5 else "")
            said.append(f"fewer than 5 rows are of {shown}: too few to learn or to measure it")
    return said


def _alike(classes: list[str]) -> list[list[str]]:
    """Return the names of classes that differ in capitals, or in blanks, only."""
    groups: dict[str, list[str]] = {}
    for name in classes:
        groups.setdefault("".join(name.casefold().split()), []).append(name)
    return [names for names in groups.values() if len(names) > 1]
