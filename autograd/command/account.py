"""A training told: what there is to learn from, how it went, what the test says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from autograd.command.arrangement import Arrangement, Samples
from autograd.command.inventory import print_inventory
from autograd.command.learning import Trained, doubts
from autograd.command.notes import print_figures
from autograd.command.terminal import WARNING, Terminal, cut, percent, printable
from autograd.stepping.notation import counted

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


def introduce(terminal: Terminal, arrangement: Arrangement) -> None:
    """Print what is to be learnt, by which network, and how."""
    settings = arrangement.settings
    introduce_data(terminal, arrangement)
    print_network(terminal, arrangement.model)
    terminal.heading("Training")
    batch_size = settings.batch_of(len(arrangement.learnt[1]))
    stop = ""
    if arrangement.validation:
        stop = f"   at most, until {len(arrangement.validation[1]):,} samples apart gain no more"
    decay = settings.decay_of(len(arrangement.learnt[1]))
    pulled = "" if decay is None else f"   weight decay {decay:.3g}"
    terminal.line(
        f"  {counted(settings.epochs, 'epoch')}{stop}   batches of {batch_size}"
        f"   {settings.optimizer}   learning rate {settings.learning_rate:g}, {settings.schedule}"
        f"{pulled}   seed {settings.seed}"
    )


def introduce_data(terminal: Terminal, arrangement: Arrangement) -> None:
    """Print what there is to learn from: of a table, each column."""
    data, parts = arrangement.data, arrangement.parts
    width = len(parts["train"][0][0])
    test = f", {len(parts['test'][1]):,} for the test" if "test" in parts else ""
    terminal.line(printable(arrangement.settings.data), "bold")
    if not isinstance(data, Samples):
        how = "   ".join(map(printable, data.how))
        terminal.line(f"  {data.rows:,} rows, {len(data.columns) + 1:,} columns   {how}")
        if data.why:
            why = f"{data.why}; --target names another"
            terminal.line(f"  predicted is {printable(data.target.name)}, {why}")
        if arrangement.settings.data.lower().endswith(".txt"):
            told = "read as a table; --task text learns it letter by letter, a document a line"
            terminal.line(f"  {told}", "dim")
        terminal.line()
        print_inventory(terminal, data, arrangement.preparation)
        terminal.line()
    samples = counted(len(parts["train"][1]), "sample")
    terminal.line(f"  {samples} of {counted(width, 'number')} to learn from{test}")


def print_network(terminal: Terminal, model: Module) -> None:
    """Print the modules of a model, as `Module.summary` does."""
    from nn.summary import HEAD, rows_of

    terminal.heading("Network")
    rows = [HEAD, *rows_of(model.named_modules())]
    # A gap after the first column like that of the summary.
    head, *spaced = [[f"{path} ", *others] for path, *others in rows]
    terminal.table(head, spaced, left=2)


def print_result(terminal: Terminal, trained: Trained, files: dict[str, Path], asked: str) -> None:
    """Print how the training went, what is measured, where everything is, and what to ask it."""
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
            for epoch in milestones(len(history.loss))
        ],
    )
    if history.stopped:
        terminal.line("  The loss fell no further: these are the best weights.")
    terminal.heading("Result")
    arrangement = trained.arrangement
    unit = getattr(getattr(arrangement.data, "target", None), "unit", "")
    print_figures(terminal, trained.figures, unit)
    for remark in doubts(trained.figures):
        terminal.line(f"  {remark}", WARNING)
    classes = [printable(name) for name in arrangement.classes]
    if len(classes) == 2:
        terminal.line(f"  precision and recall of {classes[1]}", "dim")
    if 2 <= len(classes) <= 12:
        part = "test" if "test" in arrangement.parts else "training"
        terminal.heading(f"Confusion matrix of the {part}: rows the classes, columns the guesses")
        room = max(6, (terminal.width - 4 - max(map(len, classes))) // len(classes) - 2)
        terminal.table(
            ["", *(cut(name, room) for name in classes)],
            [
                [name, *(f"{n:,}" if n else "·" for n in row)]
                for name, row in zip(classes, trained.confusion, strict=True)
            ],
        )
    print_files(terminal, files, SHOWN)
    print_next(terminal, files["model"], printable(asked))


def print_files(terminal: Terminal, files: Mapping[str, Path], shown: Mapping[str, str]) -> None:
    """Print where everything is: each path, and what is ``shown`` there."""
    terminal.heading("Files")
    width = max(len(str(path)) for path in files.values())
    for name, path in files.items():
        terminal.line(f"  {str(path).ljust(width)}   {shown[name]}")


def print_next(terminal: Terminal, model: Path, asked: str, remark: str = "") -> None:
    """Print what to ask a saved model: a command that can be copied, so it isn't folded."""
    terminal.heading("Try next")
    command = f"  chainrule show {shlex.quote(str(model))} {asked}"
    terminal.spans(f"{command}     {remark}".rstrip())


def milestones(epochs: int) -> list[int]:
    """Return the first and the last epoch or step, and about ten evenly spaced between."""
    step = max(1, round(epochs / 10))
    return sorted({1, *range(step, epochs + 1, step), epochs})
