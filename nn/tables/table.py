"""`Table`: anybody's table, with what is to be predicted and what from."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from os import PathLike
from typing import Any, NamedTuple

from nn.arguments import bare, listed
from nn.tables.columns import LARGEST_CELL, Column, column_of, is_numbering, reason_against
from nn.tables.numerals import Clock, Dates, Flags, Numerals, decimal_of
from nn.tables.preparation import Prepared, prepare
from nn.tables.texts import read_texts

MOST_CLASSES = 20
"""Different whole numbers from which on they are no classes but numbers to predict."""

CELLS_TRIED = 20_000
"""Cells of the first rows that say which decimal mark a file has: more of a very wide table."""

ROWS_EACH = 3
"""How many rows different numbers need, on average, to be taken for classes."""

USUAL = ("target", "class", "label", "y", "outcome", "response")
"""Names that a first or last target is known by; without one of them, it is the last column."""


class Table(NamedTuple):
    """A table to learn from.

    Attributes:
        columns: all but the target, in the order of the file, those left out as well.
        target: the column to predict.
        targets: places in ``classes``, or numbers without any; of the rows that have one.
        classes: what the targets are called; empty if they are numbers to predict.
        how: how the file was read, in words.
        rows: how many rows the file has; those without a target are not in the columns.
        why: how the target was chosen, in words.
    """

    columns: list[Column]
    target: Column
    targets: list[Any]
    classes: list[str]
    how: list[str]
    rows: int
    why: str

    def __repr__(self) -> str:
        names = listed([column.name for column in self.used], 12)
        return f"Table of {self.rows:,} rows: {self.target.name} from {names}"

    @property
    def used(self) -> list[Column]:
        """The columns to predict from."""
        return [column for column in self.columns if not column.reason]

    @property
    def lack(self) -> str:
        """Why nothing can be learnt from it, in words: no column is left to predict from; or ""."""
        if self.used:
            return ""
        left_out = ", ".join(f"{c.name} ({c.reason})" for c in self.columns[:4])
        hint = f"left out: {left_out}" if left_out else "if it has several columns, say --sep"
        return f"has a target, {self.target.name}, but no column to predict it from; {hint}"

    def prepared(self, learnt: Sequence[int]) -> Prepared:
        """Return the rows as numbers, by what those that are learnt from are like.

        Raises:
            ValueError: there is no column to predict from.
        """
        if self.lack:
            raise ValueError(f"the table {self.lack}")
        return prepare(self.used, learnt)


def read(
    path: str | PathLike[str],
    target: str | None = None,
    classes: bool | None = None,
    *,
    drop: Sequence[str] = (),
    use: Sequence[str] = (),
    categorical: Sequence[str] = (),
    separator: str | None = None,
) -> Table:
    """Return the table in a file of text, .parquet, .xlsx or .xls: whatever it holds.

    Args:
        target: the column to predict; by default one that is called so, or the last that can be.
        classes: whether the targets are classes; by default, if they are words or few whole
            numbers.
        drop, use: columns that are not used, or the only ones that are.
        categorical: columns of numbers that are but names of categories.
        separator: of the cells; by default, it is found out.

    Raises:
        ValueError: the file holds no table to learn from; the message names what is wrong.
        OSError: the file can't be read.
        MissingExtraError: pandas or scikit-learn is not installed.
    """
    asked = [*drop, *use, *categorical, *([target] if target is not None else [])]
    texts = read_texts(path, separator, asked)
    names = [name or f"x{i + 1}" for i, name in enumerate(texts.names)]
    found = {word: _named(path, names, word) for word in asked}
    if target is not None and found[target] in {found[word] for word in drop}:
        raise ValueError(f"{found[target]} can't be both predicted and left out")
    rows = max(20, min(200, CELLS_TRIED // max(1, len(names))))
    sample = texts.frame.iloc[:rows].to_numpy().ravel().tolist()
    decimal = decimal_of(sample)
    are_words = {found[word] for word in categorical}
    columns = [
        column_of(name, texts.frame[i], decimal, names[i] in are_words)
        for i, name in enumerate(texts.names)
    ]
    place, why = _target(path, columns, names, found.get(target) if target is not None else None)
    chosen = columns[place]
    if classes is None:
        classes = _are_classes(chosen)
    if not classes and chosen.reader is None:
        words = f"the words {chosen.values[chosen.values != ''].iloc[0]!r:.40}, ..."
        raise ValueError(f"{path}: {names[place]} holds {words}, which are no numbers to predict")
    if chosen.reader is not None and chosen.values.abs().max() > LARGEST_CELL:
        raise ValueError(f"{path}: {names[place]} holds numbers beyond {LARGEST_CELL:g}")
    whole = texts.frame[place]
    present = chosen.values.notna() & (chosen.values != "")
    if not present.all():
        kept = present[present].index
        columns = [_at(column, kept) for column in columns]
        chosen, whole = columns[place], whole[kept].reset_index(drop=True)
    targets, called = _targets(chosen, whole) if classes else (chosen.values.tolist(), [])
    given = {found[word] for word in use}
    left = {found[word] for word in drop}
    judged = []
    for i, column in enumerate(columns):
        if i == place:
            continue
        name, reason = names[i], reason_against(column, i == 0, given | are_words)
        if name in left:
            reason = "as --drop says"
        elif given and name not in given:
            reason = "not among --use"
        judged.append(_with(column, name, reason))
    if judged and all(column.reason for column in judged):
        # What numbers the rows may be all there is to learn from.
        judged = [
            _with(column, column.name, "" if _is_numbering(column) else column.reason)
            for column in judged
        ]
    return Table(
        judged, _with(chosen, names[place], ""), targets, called, texts.how, len(texts.frame), why
    )


def _named(path: str | PathLike[str], names: list[str], word: str) -> str:
    """Return the name of the column that is meant."""
    if word in names:
        return word
    alike = [name for name in names if bare(name) == bare(word)]
    if len(alike) == 1:
        return alike[0]
    close = get_close_matches(word, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"it has {listed(names, 12)}"
    raise ValueError(f"{path} has no column {word!r:.60}; {hint}")


def _target(
    path: str | PathLike[str], columns: list[Column], names: list[str], given: str | None
) -> tuple[int, str]:
    """Return the place of the target column, and how it was chosen."""
    if given is not None:
        return names.index(given), ""
    last = len(columns) - 1
    is_first = names[0].lower() in USUAL and names[-1].lower() not in USUAL
    if is_first and not _unfit(columns[0], True):
        return 0, "by its name"
    for i in reversed(range(len(columns))):
        if not _unfit(columns[i], i == 0):
            return i, "the last column" if i == last else "the last that can be"
    if len(columns[0].values) < 2:
        raise ValueError(
            f"{path} has {len(columns[0].values)} row of data: there is nothing to learn"
        )
    reasons = [_unfit(column, i == 0) for i, column in enumerate(columns)]
    named = [f"{name} ({reason})" for name, reason in zip(names, reasons, strict=True)]
    raise ValueError(
        f"{path} has no column that can be predicted: {listed(named)}; --target names one"
    )


def _unfit(column: Column, is_first: bool) -> str:
    """Return why a column is of no use as a target that nobody has asked for, or ""."""
    reason = reason_against(column, is_first)
    if reason == "numbers the rows" and not is_first and not is_numbering(column.name):
        reason = ""
    if isinstance(column.reader, Dates):
        return reason or "dates"
    return reason or ("mostly missing" if column.missing > len(column.values) / 2 else "")


def _is_numbering(column: Column) -> bool:
    return column.reason.endswith("numbers the rows") and column.reader is not None


def _are_classes(column: Column) -> bool:
    if not isinstance(column.reader, Numerals):
        return not isinstance(column.reader, Dates | Clock)
    values = column.values.dropna()
    different = values.nunique()
    is_whole = not (values % 1 != 0).any()
    return (
        is_whole
        and different <= MOST_CLASSES
        and (different == 2 or len(values) >= ROWS_EACH * different)
    )


def _targets(column: Column, cells: Any) -> tuple[list[int], list[str]]:
    """Return the place of each row's class, and what the classes are called."""
    if column.reader is None:
        words = sorted(column.values.unique().tolist())
        return [words.index(word) for word in column.values], words
    numbers = sorted(column.values.unique().tolist())
    places = {x: i for i, x in enumerate(numbers)}
    if isinstance(column.reader, Flags):
        called = {column.values[i]: cells[i] for i in reversed(range(len(cells)))}
    else:
        called = {x: f"{x:.17g}" for x in numbers}
    return [places[x] for x in column.values], [called[x] for x in numbers]


def _at(column: Column, kept: Any) -> Column:
    """Return the column without the other rows."""
    values = column.values[kept].reset_index(drop=True)
    missing = int((values == "").sum() if column.reader is None else values.isna().sum())
    return Column(column.name, column.reader, values, missing, column.reason, column.said)


def _with(column: Column, name: str, reason: str) -> Column:
    return Column(name, column.reader, column.values, column.missing, reason, column.said)
