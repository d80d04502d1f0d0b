"""What ``chainrule train`` can be told, and the defaults for each data set."""

from __future__ import annotations

import argparse
import csv
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from autograd.command.usage import UsageError

MADE = ("moons", "circles", "spirals", "xor")


@dataclass(frozen=True)
class Settings:
    """All that decides what a training gives: the same settings give the same model.

    A share is from 0 up to below 1; what is None is not used.

    Attributes:
        data: the name of a data set, or the path of a file.
        n, noise: how many points are made, and how far they are scattered.
        target, task: of a file: the column to predict, and as what.
        drop, use, categorical, sep: of a file: see `nn.tables.read`.
        weight_decay, batch_size: without one, see `decay_of` and `batch_of`.
        test: the share of the data that is kept back and measured at the end.
        patience: epochs without improvement on a validation part before training stops.
    """

    data: str
    n: int | None = None
    noise: float | None = None
    target: str | None = None
    task: str | None = None
    drop: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    sep: str | None = None
    test: float = 0.2
    hidden: tuple[int, ...] = (16,)
    activation: str = "tanh"
    init: str | None = None
    optimizer: str = "adam"
    learning_rate: float = 0.02
    weight_decay: float | None = None
    schedule: str = "cosine"
    smoothing: float = 0.0
    epochs: int = 60
    batch_size: int | None = None
    clip: float | None = None
    patience: int | None = None
    seed: int = 0
    dtype: str = "float64"

    def __post_init__(self) -> None:
        choices = {
            "optimizer": RATES,
            "schedule": SCHEDULES,
            "task": (*TASKS, None),
            "dtype": DTYPES,
        }
        for name, known in choices.items():
            given = getattr(self, name)
            if given not in known:
                listed = ", ".join(map(str, known))
                raise ValueError(f"{name} must be one of {listed}: got {given!r:.60}")

    def decay_of(self, samples: int) -> float | None:
        """Return how strongly weights are pulled to 0, learning from so many samples.

        A table's network is pulled the more, the fewer there are: by 100 / n, up to 3. Over eight
        small regressions that come with R (birthwt, mtcars, swiss, Boston, airquality, tips,
        cpus, msleep) and four seeds, the mean R² on the test is 0.55 with it. Without it, it is
        0.44, or 0.50 if a validation part decides when to stop; a linear model's is 0.49. Over
        three classifications (Pima.tr, infert, fgl) the accuracy is 71 % with it, 69 % without.
        """
        is_own = self.data in DEFAULTS or self.optimizer != "adamw"
        if self.weight_decay is not None or is_own:
            return self.weight_decay
        return min(3.0, 100 / samples)

    def batch_of(self, samples: int) -> int:
        """Return how many samples a step takes, of so many in all.

        A hundred steps an epoch are enough: 80,000 samples take a sixth of the time, and come
        to the same loss.

        >>> [Settings("moons").batch_of(n) for n in (100, 3_199, 3_200, 80_000)]
        [16, 16, 32, 256]
        """
        if self.batch_size is not None:
            return self.batch_size
        return min(256, 1 << max(4, (samples // 100).bit_length() - 1))

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain data."""
        return {k: list(x) if isinstance(x, tuple) else x for k, x in asdict(self).items()}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Settings:
        """Return the settings that plain data stands for.

        Raises:
            TypeError, ValueError: it stands for none.
        """
        several = {field.name for field in fields(cls) if isinstance(field.default, tuple)}
        if set(given) != {field.name for field in fields(cls)} or not all(
            isinstance(given[name], list) for name in several
        ):
            raise ValueError("settings are missing, unknown or of another kind")
        kept: dict[str, Any] = {k: tuple(x) if isinstance(x, list) else x for k, x in given.items()}
        return cls(**kept)


DEFAULTS: dict[str, dict[str, Any]] = {
    "moons": {"n": 200, "noise": 0.1, "hidden": (16, 16), "activation": "relu"},
    "circles": {"n": 200, "noise": 0.1, "activation": "relu"},
    "spirals": {"n": 300, "noise": 0.02, "hidden": (24, 24), "activation": "relu"},
    "xor": {"n": 4, "noise": 0.0, "test": 0.0, "hidden": (4,), "learning_rate": 0.1, "epochs": 100},
    "digits": {"hidden": (32,), "smoothing": 0.1, "epochs": 30, "batch_size": 32},
    "iris": {"hidden": (8,)},
    "breast_cancer": {"hidden": (8,), "epochs": 15, "batch_size": 32},
}
"""By data set, what differs from the defaults of `Settings`; a CSV file takes those.

Those of digits were chosen on validation parts: see tests/test_train.py.
"""

RATES = {
    "sgd": 0.1,
    "momentum": 0.02,
    "nesterov": 0.02,
    "adagrad": 0.05,
    "rmsprop": 0.005,
    "adam": 0.02,
    "adamw": 0.02,
}
"""By optimiser, the learning rate that is tried first."""

SCHEDULES = ("constant", "cosine", "plateau")
DTYPES = ("float64", "float32")
TASKS = ("classification", "regression")

TEXT = "text"
"""The task of a file that is learnt letter by letter: see `autograd.command.text_settings`."""

OF_FILES = ["--target", "--task", "--drop", "--use", "--categorical", "--sep"]
"""The options of tables in files."""


def _widths(text: str) -> tuple[int, ...]:
    if text == "none":
        return ()
    try:
        return tuple(int(width) for width in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r:.60} lists no widths: write 16,16, or none for no hidden layer"
        ) from None


def _names(text: str) -> tuple[str, ...]:
    """Return names between commas; one that holds a comma is quoted."""
    (names,) = csv.reader([text], skipinitialspace=True)
    return tuple(name.strip() for name in names if name.strip())


OPTIONS: dict[str, list[tuple[str, str | None, Any, str]]] = {
    "data": [
        ("--n", "N", int, "points to make, of moons to xor"),
        ("--noise", "X", float, "the deviation of the noise on them"),
        ("--target", "COLUMN", str, "what to predict from a file (default: the last column)"),
        ("--drop", "A,B", _names, "columns of a file that are not used"),
        ("--use", "A,B", _names, "the only columns of a file that are used, whatever they are"),
        ("--categorical", "A,B", _names, "columns of numbers that only name categories"),
        ("--sep", "CHAR", str, "what stands between the cells of a file (default: found out)"),
        (
            "--task",
            None,
            (*TASKS, TEXT),
            "what that is (default: classes, if it is words or few whole numbers); or a text, "
            "learnt letter by letter",
        ),
        ("--test", "SHARE", float, "kept back to measure on (default: 0.2; xor: 0)"),
    ],
    "network": [
        ("--hidden", "N,N", _widths, "widths of the hidden layers, or none"),
        ("--activation", "OP", str, "tanh, relu, sigmoid, gelu, ..."),
        ("--init", "NAME", str, "he_normal, ... (default: as fits the activation)"),
    ],
    "training": [
        ("--epochs", "N", int, "how often to go through the data"),
        ("--batch-size", "N", int, "samples a step (default: 16, more of very many)"),
        ("--optimizer", "NAME", RATES, ", ".join(RATES)),
        ("--learning-rate --lr", "X", float, "the size of its steps"),
        ("--schedule", None, SCHEDULES, "of the learning rate (default: cosine)"),
        (
            "--weight-decay",
            "X",
            float,
            "how weights are pulled to 0 (a file: by its size)",
        ),
        ("--smoothing", "SHARE", float, "of the labels of three classes or more"),
        ("--clip", "NORM", float, "the largest norm of all gradients together"),
        (
            "--patience",
            "N",
            int,
            "stop after N epochs without improvement on a validation part; keep the best",
        ),
        ("--seed", "N", int, "of data, weights and order (default: 0)"),
        ("--dtype", None, DTYPES, "what it is computed in (float32: always as machine code)"),
    ],
}
"""By group: an option's names, its metavar, its type or its choices, and its help."""


def settings_of(args: argparse.Namespace, recorded: Settings | None = None) -> Settings:
    """Return the settings that the command line asks for.

    Args:
        recorded: those of the training to go on with, as its checkpoint has them; what is
            given must be the same, but for the epochs.

    Raises:
        UsageError: an option does not go with the data or with what is recorded.
    """
    given = {
        field.name: getattr(args, field.name)
        for field in fields(Settings)
        if getattr(args, field.name) is not None
    }
    name = args.data
    is_file = name not in DEFAULTS
    if is_file and not Path(name).suffix and not Path(name).is_file():
        close = get_close_matches(name, [*DEFAULTS, "names"], n=1)
        raise UsageError(
            f"there is no data set {name!r:.60}: it is {', '.join(DEFAULTS)}, names, or a file.csv "
            f"or .txt{f'; did you mean {close[0]}?' if close else ''}"
        )
    for option in ("n", "noise"):
        if option in given and name not in MADE:
            raise UsageError(f"--{option} is of data that are made: {', '.join(MADE)}")
    for option in OF_FILES:
        if option.removeprefix("--") in given and not is_file:
            raise UsageError(f"{option} is of a file; {name} has its own")
    if recorded is not None:
        for key, value in given.items():
            if key != "epochs" and getattr(recorded, key) != value:
                raise UsageError(
                    f"the training to resume has {key} {getattr(recorded, key)}, not {value}; "
                    "drop the option, or train anew without --resume"
                )
        return replace(recorded, epochs=given.get("epochs", recorded.epochs))
    own = DEFAULTS.get(name, {"optimizer": "adamw"})
    if given.get("optimizer", "adam") not in ("adam", "adamw"):
        own = own | {"learning_rate": RATES[given["optimizer"]]}
    return Settings(**(own | given))
