"""``chainrule train``: what it prints and writes; `autograd.command.learning` does the learning."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from autograd.command.account import introduce, introduce_data, print_result
from autograd.command.arrangement import Arrangement, Samples, arranged, load
from autograd.command.inventory import fates
from autograd.command.learning import Trained, doubts, equipped, learn
from autograd.command.notes import Notes, described
from autograd.command.parser import Parser
from autograd.command.question import example
from autograd.command.settings import DEFAULTS, OPTIONS, Settings, settings_of
from autograd.command.terminal import Terminal, as_json, printable
from autograd.command.text import train_text
from autograd.command.text_settings import TEXT_OPTIONS, is_text, refuse_text_options
from autograd.command.usage import INTERRUPTED, OK, UsageError
from autograd.errors import ChainruleError
from autograd.extras import missing_extra

EXAMPLES = """\
examples:
  chainrule train moons                         results go to ./chainrule-moons
  chainrule train spirals --hidden 32,32 --activation relu --epochs 200
  chainrule train digits --resume               go on after Ctrl-C, or a crash
  chainrule train houses.csv --target price     any table: classes or numbers
  chainrule train houses.csv --dry-run          what is done with its columns
  chainrule train names                         a GPT that invents names
  chainrule train iris --patience 10 --json     stop early; the result as data"""


def add_options(parser: Parser) -> None:
    """Add the words and options of ``train`` to its parser; those not given are None."""
    parser.usage = f"{parser.prog} [options] DATA"
    names = ", ".join([*DEFAULTS, "names"])
    parser.add_argument(
        "data", metavar="DATA", help=f"{names}, or a FILE: .csv, .tsv, .xlsx, ... or .txt"
    )
    parser.offered |= {
        "data": lambda: [*DEFAULTS, "names"],
        "activation": lambda: import_module("nn.layers").activations(),
        "init": lambda: import_module("nn.init").NAMED,
    }
    for title, rows in (*OPTIONS.items(), ("text", TEXT_OPTIONS)):
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
    output.add_argument(
        "--dry-run", action="store_true", help="say what would be done with each column of a file"
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
    text = is_text(args)
    if not text:
        refuse_text_options(args)
    directory = args.out or Path(f"chainrule-{_stem(args.data)}")
    if not (args.resume or args.out or args.dry_run):
        directory = _free(directory, args.format)
    if text:
        return train_text(args, directory)
    checkpoint = directory / "checkpoint.json"
    settings = settings_of(args, _recorded(checkpoint) if args.resume else None)
    terminal = Terminal()
    try:
        arrangement = arranged(settings, load(settings))
        if args.dry_run:
            equipped(arrangement)  # what a training would refuse is refused
            return _dry_run(terminal, arrangement, args.json)

        def begin() -> None:
            directory.mkdir(parents=True, exist_ok=True)
            model = directory / f"model.{args.format}"
            if model.exists() and not args.resume:
                print(f"chainrule: {model} is written anew", file=sys.stderr)
            if not args.json:
                introduce(terminal, arrangement)
                sys.stdout.flush()  # what follows may take minutes
            for remark in arrangement.remarks:
                print(f"chainrule: {printable(remark)}", file=sys.stderr)

        with _warnings_said():
            trained = learn(arrangement, checkpoint, args.resume, begin)
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
        print_result(terminal, trained, files, example(notes))
    return INTERRUPTED if trained.history.interrupted else OK


def _stem(data: str) -> str:
    """Return a file's name without what it ends with."""
    name = Path(data).name
    return name.partition(".")[0] or name


def _free(directory: Path, kind: str) -> Path:
    """Return the folder, or the next one, in which there is no model yet."""
    taken, n = directory, 1
    while (directory / f"model.{kind}").exists():
        n += 1
        directory = taken.with_name(f"{taken.name}-{n}")
    if n > 1:
        print(f"chainrule: {taken} has a model already; this goes to {directory}", file=sys.stderr)
    return directory


def _dry_run(terminal: Terminal, arrangement: Arrangement, is_json: bool) -> int:
    """Print what would be learnt from what, and return the exit code."""
    if is_json:
        print(as_json(_plan(arrangement)))
        return OK
    introduce_data(terminal, arrangement)
    for remark in arrangement.remarks:
        terminal.line(f"  {printable(remark)}")
    return OK


def _plan(arrangement: Arrangement) -> dict[str, Any]:
    data, prepared = arrangement.data, arrangement.preparation
    return {
        "schema": 2,
        "settings": arrangement.settings.to_json(),
        "rows": {name: len(targets) for name, (_, targets) in arrangement.parts.items()},
        "table": []
        if isinstance(data, Samples)
        else [fate._asdict() for fate in fates(data, prepared)],
        "classes": arrangement.classes,
        "inputs": prepared.inputs if prepared else arrangement.columns,
        "warnings": arrangement.remarks,
    }


def _recorded(checkpoint: Path) -> Settings:
    """Return the settings that a `Record` has kept in a checkpoint."""
    from nn.documents import StateError
    from nn.training.checkpoint import callbacks_in

    if not checkpoint.exists():
        raise UsageError(f"there is nothing to resume: no {checkpoint}")
    try:
        recorded = callbacks_in(checkpoint)[0]
        return Settings.from_json(recorded)
    except StateError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
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
    arrangement = trained.arrangement
    data = arrangement.data
    return Notes(
        settings=arrangement.settings.to_json(),
        task="classification" if arrangement.classes else "regression",
        columns=arrangement.columns,
        classes=arrangement.classes,
        epochs=len(trained.history.loss),
        figures=trained.figures,
        target="" if isinstance(data, Samples) else data.target.name,
        unit=getattr(getattr(data, "target", None), "unit", ""),
        preparation=arrangement.preparation,
    )


def _draw(trained: Trained, directory: Path) -> dict[str, Path]:
    """Write the pictures, and return them by what they show."""
    from nn import plots

    arrangement, history = trained.arrangement, trained.history
    files = {"loss": directory / "loss.png", "gradients": directory / "gradients.png"}
    plots.loss_curve(history, files["loss"])
    plots.gradient_flow(history, files["gradients"])
    inputs = [row for rows, _ in arrangement.parts.values() for row in rows]
    if len(inputs[0]) == len(arrangement.columns) == 2 and arrangement.classes:
        files["boundary"] = directory / "boundary.png"
        plots.decision_boundary(
            trained.model,
            inputs,
            [target for _, targets in arrangement.parts.values() for target in targets],
            files["boundary"],
            arrangement.classes,
            arrangement.columns,
        )
    if arrangement.settings.data == "digits":
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
        warnings=[*trained.arrangement.remarks, *history.warnings, *doubts(trained.figures)],
    )
