"""``chainrule train``: what it prints and writes; `autograd.command.learning` does the learning."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.command.learning import Part, Trained, load, train
from autograd.command.settings import Settings, settings_of
from autograd.command.terminal import Terminal, cut, percent, printable
from autograd.command.usage import INTERRUPTED, OK, UsageError
from autograd.errors import ChainruleError, missing_extra

if TYPE_CHECKING:
    from nn import Module

SHOWN = {
    "model": "the model",
    "loss": "loss by epoch",
    "gradients": "gradients by layer and step",
    "boundary": "points and decision boundary",
    "weights": "weights of the first layer, as images",
    "checkpoint": "to go on from: add --resume",
}
"""What is said of each file."""

HEADS = {"r2": "R²"}


def run(args: argparse.Namespace) -> int:
    """Train, save and report, and return the exit code.

    Raises:
        UsageError: an option, the data or the checkpoint can't be used; nothing is trained.
        MissingExtraError: a library is not installed.
    """
    try:
        import_module("matplotlib")
    except ImportError as error:
        missing_extra("matplotlib", "plot", error)
    directory = args.out or Path(f"chainrule-{Path(args.data).stem}")
    checkpoint = directory / "checkpoint.json"
    settings = settings_of(args, _recorded(checkpoint) if args.resume else None)
    terminal = Terminal()

    def begin(parts: dict[str, Part], model: Module) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        if not args.json:
            _introduce(terminal, settings, parts, model)
            sys.stdout.flush()  # what follows may take minutes

    try:
        table = load(settings)
        with _warnings_said():
            trained = train(settings, table, checkpoint, args.resume, begin)
    except ChainruleError:
        raise
    except (ValueError, TypeError, FloatingPointError) as error:
        raise UsageError(str(error)) from error
    if not trained.history.loss:
        print("chainrule: no epoch was finished, so nothing is saved", file=sys.stderr)
        return INTERRUPTED
    files = {
        "model": _save(trained, directory, args.format),
        **_draw(trained, directory),
        "checkpoint": checkpoint,
    }
    if args.json:
        print(as_json(_described(trained, files)))
    else:
        _print(terminal, trained, files)
    return INTERRUPTED if trained.history.interrupted else OK


def _recorded(checkpoint: Path) -> Settings:
    """Return the settings that a `Record` has kept in a checkpoint."""
    from nn.documents import StateError, read_json

    if not checkpoint.exists():
        raise UsageError(f"there is nothing to resume: no {checkpoint}")
    content = read_json(checkpoint)
    try:
        recorded = content["callbacks"][0]
        return Settings(**{**recorded, "hidden": tuple(recorded["hidden"])})
    except (LookupError, TypeError, ValueError) as error:
        raise StateError(f"{checkpoint} is no checkpoint of chainrule train") from error


@contextmanager
def _warnings_said() -> Iterator[None]:
    """Say what `nn.hygiene` notices as a message of the command, without a place in the code."""
    from nn.hygiene import TrainingWarning

    def say(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"chainrule: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", TrainingWarning)
        warnings.showwarning = say
        yield


def _save(trained: Trained, directory: Path, format: str) -> Path:
    """Write the model, with what `autograd.command.inspection` says of it, and return the path."""
    from nn import save

    notes = {
        "settings": trained.settings.to_json(),
        "task": "classification" if trained.table.classes else "regression",
        "columns": trained.table.columns,
        "classes": trained.table.classes,
        "epochs": len(trained.history.loss),
        "figures": trained.figures,
    }
    return save(trained.model, directory / f"model.{format}", notes)


def _draw(trained: Trained, directory: Path) -> dict[str, Path]:
    """Write the pictures, and return them by what they show."""
    from nn import plots

    table, history = trained.table, trained.history
    files = {"loss": directory / "loss.png", "gradients": directory / "gradients.png"}
    plots.loss_curve(history, files["loss"])
    plots.gradient_flow(history, files["gradients"])
    if len(table.columns) == 2 and table.classes:
        files["boundary"] = directory / "boundary.png"
        plots.decision_boundary(
            trained.model,
            table.inputs,
            table.targets,
            files["boundary"],
            table.classes,
            table.columns,
        )
    if trained.settings.data == "digits":
        files["weights"] = directory / "weights.png"
        plots.weight_images(trained.model, files["weights"])
    return files


def _described(trained: Trained, files: dict[str, Path]) -> dict[str, Any]:
    history = trained.history
    return {
        "schema": 1,
        "settings": trained.settings.to_json(),
        "classes": trained.table.classes,
        "parameters": len(trained.model.parameters()),
        "epochs": len(history.loss),
        "interrupted": history.interrupted,
        "backend": history.backend,
        "loss": history.loss,
        "validation_loss": history.validation_loss,
        "figures": trained.figures,
        "confusion_matrix": trained.confusion,
        "warnings": history.warnings,
        "files": {name: str(path) for name, path in files.items()},
    }


def as_json(content: Any) -> str:
    """Return plain data as JSON, floats that are not finite as text.

    >>> as_json({"r2": [float("nan"), 1.0]})
    '{"r2": ["nan", 1.0]}'
    """

    def plain(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: plain(value) for key, value in part.items()}
        if isinstance(part, list | tuple):
            return [plain(value) for value in part]
        return str(part) if isinstance(part, float) and not isfinite(part) else part

    return json.dumps(plain(content))


def _introduce(
    terminal: Terminal, settings: Settings, parts: dict[str, Part], model: Module
) -> None:
    """Print what is to be learnt, by which network, and how."""
    width = len(parts["train"][0][0])
    test = f", {len(parts['test'][1]):,} for the test" if "test" in parts else ""
    terminal.line(printable(settings.data), "bold")
    terminal.line(f"  {len(parts['train'][1]):,} samples of {width:,} numbers to learn from{test}")
    terminal.heading("Network")
    for row in model.summary().splitlines():
        terminal.line(f"  {row}")
    terminal.heading("Training")
    terminal.line(
        f"  {settings.epochs} epochs   batches of {settings.batch_size}   {settings.optimizer}"
        f"   learning rate {settings.learning_rate:g}, {settings.schedule}"
        f"   seed {settings.seed}"
    )


def _print(terminal: Terminal, trained: Trained, files: dict[str, Path]) -> None:
    """Print how the training went, what is measured, and where everything is."""
    history = trained.history
    columns = {
        "loss": [f"{loss:.4f}" for loss in history.loss],
        "accuracy": list(map(percent, history.accuracy)),
        "validation loss": [f"{loss:.4f}" for loss in history.validation_loss],
        "validation accuracy": list(map(percent, history.validation_accuracy)),
    }
    columns = {name: column for name, column in columns.items() if column}
    terminal.line()
    terminal.table(
        ["epoch", *columns],
        [
            [f"{epoch:>5}", *(column[epoch - 1] for column in columns.values())]
            for epoch in _milestones(len(history.loss))
        ],
    )
    if history.stopped:
        terminal.line("  The loss fell no further: these are the best weights.")
    terminal.heading("Result")
    terminal.table(*figure_table(trained.figures))
    classes = [printable(name) for name in trained.table.classes]
    if len(classes) == 2:
        terminal.line(f"  precision and recall of {classes[1]}", "dim")
    if 2 <= len(classes) <= 12:
        part = "test" if "test" in trained.parts else "training"
        terminal.heading(f"Confusion matrix of the {part}: rows the classes, columns the guesses")
        room = (terminal.width - 4 - max(map(len, classes))) // len(classes) - 2
        terminal.table(
            ["", *(cut(name, room) for name in classes)],
            [
                [name, *(f"{n:,}" if n else "·" for n in row)]
                for name, row in zip(classes, trained.confusion, strict=True)
            ],
        )
    terminal.heading("Files")
    width = max(len(str(path)) for path in files.values())
    for name, path in files.items():
        terminal.line(f"  {str(path).ljust(width)}   {SHOWN[name]}")
    terminal.heading("Try next")
    terminal.line(f"  chainrule show {shlex.quote(str(files['model']))}")


def figure_table(figures: Mapping[str, Mapping[str, float]]) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the table of what was measured: a row for each part."""
    names = list(dict.fromkeys(name for measured in figures.values() for name in measured))
    return ["", *(HEADS.get(name, name) for name in names)], [
        [part, *(_figure(name, measured[name]) if name in measured else "" for name in names)]
        for part, measured in figures.items()
    ]


def _milestones(epochs: int) -> list[int]:
    """Return the first and the last epoch, and about ten evenly spaced between."""
    step = max(1, round(epochs / 10))
    return sorted({1, *range(step, epochs + 1, step), epochs})


def _figure(name: str, x: float) -> str:
    if name == "samples":
        return f"{x:,.0f}"
    return f"{x:.4f}" if name == "r2" else percent(x)
