"""What a saved model is asked: words such as ``island=Torgersen``, or its inputs in their order."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import inf, isfinite
from typing import TYPE_CHECKING, NamedTuple

from autograd.command.expression import number_of
from autograd.command.notes import Notes
from autograd.command.terminal import printable
from autograd.command.usage import UsageError
from autograd.errors import ExpressionError
from autograd.functions import softmax
from autograd.stepping.notation import counted
from nn.arguments import bare, listed

if TYPE_CHECKING:
    from nn import Module

MOST_SHOWN = 12
"""More columns than these are too many for an example."""


MOST_LETTERS = 12
"""Letters that are told when it is asked what comes next."""


class Question(NamedTuple):
    """The numbers that a model is given, and what is to be said of how they were found."""

    inputs: list[float]
    remarks: list[str]


def question_of(words: Sequence[str], notes: Notes, width: int) -> Question:
    """Return what the words ask.

    Args:
        notes: tell the names of the columns, and how a table's cells are prepared.
        width: how many numbers the model takes; 0 if that is not known.

    Raises:
        UsageError: they are not what the model takes; the message says what is missing.
    """
    from nn.tables.preparation import UnreadableCellError

    prepared = notes.preparation
    names = [column.name for column in prepared.columns] if prepared else notes.columns
    by_name = bool(names) and any(_name_in(word, names) for word in words)
    if by_name or (prepared and any("=" in word for word in words)):
        given = _named(words, names)
    else:
        count = len(names) if prepared else width
        if count and len(words) != count:
            known = f": {', '.join(names)}" if len(names) == count <= MOST_SHOWN else ""
            what = counted(count, "value" if prepared else "number")
            raise UsageError(f"the model takes {what}{known}; got {len(words)}")
        given = dict(zip(names, words, strict=True)) if prepared else {}
    if not prepared:
        cells = [given[name] for name in names] if given else words
        return Question(list(map(_input, cells)), [])
    try:
        inputs = prepared.encode(given)
    except UnreadableCellError as error:
        raise UsageError(str(error)) from None
    return Question(inputs, _remarks(prepared.unknown(given), notes, given))


def example(notes: Notes) -> str:
    """Return words that ask the model, by name; "" where it has too many columns or no names."""
    prepared = notes.preparation
    if not prepared or len(prepared.columns) > MOST_SHOWN:
        return ""
    return " ".join(shlex.quote(f"{each.name}={each.example}") for each in prepared.columns)


def _name_in(word: str, names: Sequence[str]) -> str:
    """Return the name that a word gives a value to, "" if it is none of these."""
    fitting = [name for name in names if word.startswith(f"{name}=")]
    if fitting:
        return max(fitting, key=len)
    said = bare(word.partition("=")[0]) if "=" in word else ""
    alike = [name for name in names if said and bare(name) == said]
    return alike[0] if len(alike) == 1 else ""


def _named(words: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for word in words:
        name = _name_in(word, names)
        if not name:
            said = word.partition("=")[0]
            close = get_close_matches(said, names, n=1)
            hint = (
                f"did you mean {close[0]!r}?" if close else f"they are {listed(names, MOST_SHOWN)}"
            )
            what = "is not name=value" if "=" not in word else "is none of the model's columns"
            raise UsageError(f"{word if '=' not in word else said!r:.60} {what}; {hint}")
        if name in given:
            raise UsageError(f"{name} is given twice")
        start = len(name) + 1 if word.startswith(f"{name}=") else word.index("=") + 1
        given[name] = word[start:]
    missing = [name for name in names if name not in given]
    if missing:
        raise UsageError(
            f"missing: {listed(missing, MOST_SHOWN)}; write {missing[0]}= for one that isn't known"
        )
    return given


def _remarks(unknown: Sequence[str], notes: Notes, given: Mapping[str, str]) -> list[str]:
    said = []
    for column in notes.preparation.columns if notes.preparation else ():
        if column.name in unknown:
            words = getattr(column, "words", ())
            close = get_close_matches(given[column.name], words, n=1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            counts = "one of the rare ones" if getattr(column, "rare", ()) else "none of them"
            said.append(
                f"{column.name} was never {given[column.name]!r:.60} in training; {hint}"
                f"it was {listed(words, MOST_SHOWN)}, and this counts as {counts}"
            )
    return said


def _input(word: str) -> float:
    try:
        x = number_of(word)
    except ExpressionError:
        x = inf
    if not isfinite(x):
        raise UsageError(f"an input must be a finite number: got {word.strip()!r:.60}")
    return x


def next_letters(model: Module, notes: Notes, beginning: str) -> list[tuple[str, float]]:
    """Return the likeliest letters after the beginning of a document, with their probabilities.

    Raises:
        UsageError: the model has not learnt a letter of it, or it is too long.
    """
    from nn.text import Tokenizer

    tokenizer = Tokenizer(notes.characters)
    longest = getattr(model, "block_size", len(beginning) + 1) - 1
    if len(beginning) > longest:
        raise UsageError(
            f"the model goes by {counted(longest, 'letter')} at most, and {beginning!r:.60} has "
            f"{len(beginning)}: give the last {longest}"
        )
    try:
        logits = model(tokenizer.encode(beginning)[:-1])[-1]
    except (ValueError, IndexError) as error:
        raise UsageError(str(error)) from None
    names = ["(the end)", *map(printable, tokenizer.characters)]
    chances = [p.data for p in softmax(logits)]
    ranked = sorted(zip(names, chances, strict=True), key=lambda pair: -pair[1])
    return ranked[:MOST_LETTERS]
