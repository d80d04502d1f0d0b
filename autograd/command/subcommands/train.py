"""``chainrule train``: what it prints and writes; `autograd.command.learning` does the learning."""

from __future__ import annotations

import argparse
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.command.learning import Part, Trained, learn, load
from autograd.command.notes import Notes, described, print_figures
from autograd.command.parser import Parser
from autograd.command.settings import DEFAULTS, OPTIONS, Settings, settings_of
from autograd.command.terminal import Terminal, as_json, cut, percent, printable
from autograd.command.usage import INTERRUPTED, OK, UsageError
from autograd.errors import ChainruleError, missing_extra

if TYPE_CHECKING:
    from nn import Module

EXAMPLES = """\
examples:
  chainrule train moons                         results go to ./chainrule-moons
  chainrule train spirals --hidden 32,32 --activation relu --epochs 200
  chainrule train digits --resume               go on after Ctrl-C, or a crash
  chainrule train houses.csv --target price     any table: classes or numbers
  chainrule train iris --patience 10 --json     stop early; the result as data"""

SHOWN = {
    "model": "the model",
    "loss": "loss by epoch",
    "gradients": "gradients by layer and step",
    "boundary": "points and decision boundary",
    "weights": "weights of the first layer, as images",
    "checkpoint": "to go on from: add --resume",
}
"""What is said of each file."""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``train`` to its parser; those not given are None."""
    parser.usage = f"{parser.prog} [options] DATA"
    parser.add_argument("data", metavar="DATA", help=f"{', '.join(DEFAULTS)}, or a FILE.csv")
    for title, rows in OPTIONS.items():
        group = parser.add_argument_group(title)
        for names, metavar, kind, text in rows:
            how: dict[str, Any] = {"type": kind} if callable(kind) else {"choices": kind}
            group.add_argument(*names.split(), metavar=metavar, help=text, **how)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out", metavar="DIR", type=Path, help="where all files go (default: chainrule-DATA)"
    )
    output.add_argument(
        "--format", choices=["json", "safetensors"], default="json", help="of the saved model"
    )
    output.add_argument(
        "--resume", action="store_true", help="go on where the training in DIR was stopped"
    )
    output.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Train, save and report, and return the exit code.

    Raises:
        UsageError: an option, the data or the checkpoint can't be used; nothing is trained.
        MissingExtraError: a library is not installed.
    """
    from nn import save

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
            trained = learn(settings, table, checkpoint, args.resume, begin)
    except ChainruleError:
        raise
    except (ValueError, TypeError, FloatingPointError) as error:
        raise UsageError(str(error)) from error
    if not trained.history.loss:
        print("chainrule: no epoch was finished, so nothing is saved", file=sys.stderr)
        return INTERRUPTED
    notes = _notes(trained)
    model = save(trained.model, directory / f"model.{args.format}", notes.to_json())
    files = {"model": model, **_draw(trained, directory), "checkpoint": checkpoint}
    if args.json:
        print(as_json(_described(trained, notes, files)))
    else:
        _print(terminal, trained, files)
    return INTERRUPTED if trained.history.interrupted else OK


def _recorded(checkpoint: Path) -> Settings:
    """Return the settings that a `Record` has kept in a checkpoint."""
    from nn.documents import StateError
    from nn.training.checkpoint import callbacks_in

    if not checkpoint.exists():
        raise UsageError(f"there is nothing to resume: no {checkpoint}")
    try:
        recorded = callbacks_in(checkpoint)[0]
        return Settings(**{**recorded, "hidden": tuple(recorded["hidden"])})
    except StateError:
        raise
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


def _notes(trained: Trained) -> Notes:
    return Notes(
        settings=trained.settings.to_json(),
        task="classification" if trained.table.classes else "regression",
        columns=trained.table.columns,
        classes=trained.table.classes,
        epochs=len(trained.history.loss),
        figures=trained.figures,
    )


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


def _described(trained: Trained, notes: Notes, files: dict[str, Path]) -> dict[str, Any]:
    history = trained.history
    return described(
        trained.model,
        notes,
        files,
        interrupted=history.interrupted,
        backend=history.backend,
        loss=history.loss,
        validation_loss=history.validation_loss,
        confusion_matrix=trained.confusion,
        warnings=history.warnings,
    )


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
    print_figures(terminal, trained.figures)
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


def _milestones(epochs: int) -> list[int]:
    """Return the first and the last epoch, and about ten evenly spaced between."""
    step = max(1, round(epochs / 10))
    return sorted({1, *range(step, epochs + 1, step), epochs})
