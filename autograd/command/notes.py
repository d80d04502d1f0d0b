"""What ``train`` notes with a model, and ``show`` finds there: one description of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.command.terminal import Terminal, percent, printable
from autograd.command.usage import UsageError
from autograd.errors import ChainruleError

if TYPE_CHECKING:
    from nn import Module
    from nn.tables.preparation import Preparation

HEADS = {"r2": "R²", "mae": "MAE", "rmse": "RMSE"}


@dataclass(frozen=True, slots=True)
class Notes:
    """What a model was trained on, and how well it did; empty for models from elsewhere.

    Attributes:
        settings: the options of the training, as plain data.
        figures: by part of the data, what was measured on it; by simpler model, on the test.
        target: what is predicted, where it has a name.
        unit: of a number that is predicted.
        characters: of a text that was learnt, in the order of their tokens.
        preparation: from a table's cells to the inputs, as `nn.tables` has it; None for numbers.
    """

    settings: dict[str, Any]
    task: str
    columns: list[str]
    classes: list[str]
    epochs: int
    figures: dict[str, dict[str, float]]
    target: str = ""
    unit: str = ""
    characters: str = ""
    preparation: Preparation | None = None

    @property
    def data(self) -> str:
        """The data set, or the file; "" if it isn't known."""
        name = self.settings.get("data", "")
        return name if isinstance(name, str) else ""

    def to_json(self) -> dict[str, Any]:
        """Return the notes as plain data, as they are kept with a model."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        prepared = self.preparation
        return plain | {"preparation": prepared.to_json() if prepared else None}


def described(
    model: Module, notes: Notes, files: Mapping[str, Path], **more: object
) -> dict[str, Any]:
    """Return what ``--json`` prints of a model.

    Args:
        files: what was written, by what it shows.
        more: what one of the subcommands alone can say.
    """
    return {
        "schema": 2,
        "model": repr(model),
        "parameters": len(model.parameters()),
        **notes.to_json(),
        **more,
        "files": {name: str(path) for name, path in files.items()},
    }


def saved(path: Path) -> tuple[Module, Notes]:
    """Return a saved model, ready to be asked, and the notes in its file.

    Raises:
        StateError: the file is damaged or hostile.
        UsageError: it is of another kind.
    """
    from nn import load

    try:
        return load(path).eval(), notes_in(path)
    except ValueError as error:
        if isinstance(error, ChainruleError):
            raise
        raise UsageError(str(error)) from None


def function_of(model: Module) -> tuple[int, Callable[[list[Any]], Any]]:
    """Return how many numbers a model takes, 0 if that is not known, and the function of a list.

    Raises:
        UsageError: it takes something else.
    """
    from nn import GPT, Block, CausalSelfAttention, Embedding, Residual, Sequential

    parts = list(model.named_modules().values())
    first = next((part for part in parts if not isinstance(part, Sequential | Residual)), model)
    if isinstance(model, GPT):
        raise UsageError(f"{model} takes tokens, and its file doesn't say which letters these are")
    if isinstance(first, Embedding):

        def row(x: list[Any]) -> Any:
            try:
                return model(x[0])
            except (IndexError, TypeError) as error:
                raise UsageError(str(error)) from None

        return 1, row
    if isinstance(first, Block | CausalSelfAttention):
        raise UsageError(
            f"{first} takes a sequence of vectors: a part of a network, which isn't asked "
            "or exported alone; a GPT is"
        )
    return next((part.nin for part in parts if part.nin), 0), lambda x: model(x)


def notes_in(path: Path) -> Notes:
    """Return the notes in a model's file, fit to be printed.

    Raises:
        StateError: the file, or a note, is damaged.
    """
    from nn.documents import StateError
    from nn.state import notes_of
    from nn.tables.preparation import Preparation

    noted = notes_of(path)
    prepared = noted.get("preparation")
    try:
        return Notes(
            settings={_text(k): _setting(x) for k, x in noted.get("settings", {}).items()},
            task=_text(noted.get("task", "")),
            columns=list(map(_text, noted.get("columns", []))),
            classes=list(map(_text, noted.get("classes", []))),
            epochs=int(noted.get("epochs", 0)),
            figures={
                _text(part): {_text(name): float(x) for name, x in figures.items()}
                for part, figures in noted.get("figures", {}).items()
            },
            target=_text(noted.get("target", "")),
            unit=_text(noted.get("unit", "")),
            characters=_characters(noted.get("characters", "")),
            preparation=None if prepared is None else Preparation.from_json(prepared),
        )
    except (LookupError, AttributeError, TypeError, ValueError, OverflowError) as error:
        raise StateError(f"{path}: the notes are damaged: {error}") from None


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{given!r:.40} is no text")
    return printable(given)


def _characters(given: Any) -> str:
    if not isinstance(given, str) or len(set(given)) < len(given):
        raise TypeError(f"{given!r:.40} are no characters, each once")
    return given


def _setting(given: Any) -> Any:
    if isinstance(given, list):
        return list(map(_setting, given))
    return given if given is None or isinstance(given, int | float) else _text(given)


def print_figures(
    terminal: Terminal, figures: Mapping[str, Mapping[str, float]], unit: str = ""
) -> None:
    """Print what was measured: a row for each part of the data.

    Args:
        unit: of a target that is a number.
    """
    names = list(dict.fromkeys(name for measured in figures.values() for name in measured))
    rows = [
        [
            part,
            *(_figure(name, measured[name], unit) if name in measured else "" for name in names),
        ]
        for part, measured in figures.items()
    ]
    terminal.table(["", *(HEADS.get(name, name) for name in names)], rows)


def _figure(name: str, x: float, unit: str) -> str:
    """Return a figure as it is read: a share in percent, a loss as the number that it is.

    >>> _figure("accuracy", 0.5, ""), _figure("loss", 1.25, ""), _figure("mae", 2.0, "€")
    ('50.0 %', '1.250', '2 €')
    """
    if name == "samples":
        return f"{x:,.0f}"
    if name in ("mae", "rmse"):
        return f"{quantity(x)} {unit}".rstrip()
    if name in ("r2", "loss"):
        return f"{x:.3f}" if x > -10 else f"{x:.3g}"
    return percent(x)


def quantity(x: float) -> str:
    """Return a number from anybody's table, to four digits.

    >>> quantity(1234567.8), quantity(0.00123456), quantity(1987.0)
    ('1,235,000', '0.001235', '1,987')
    """
    digits = float(f"{x:.4g}")
    if digits.is_integer() and abs(digits) < 1e12:
        return f"{digits:,.0f}"
    return f"{digits:,.4g}" if abs(digits) < 1e4 else f"{digits:.3e}"
