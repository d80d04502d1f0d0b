"""`Column`: what a column of a table holds, and what becomes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from nn.tables.numerals import (
    NO_NUMBERS,
    Clock,
    Dates,
    Flags,
    Numerals,
    Reader,
    Unreadable,
    is_missing,
    reader_of,
    swapped_of,
    unreadable,
)

MOST_CATEGORIES = 50
"""Different words of a column from which on they are too many to be told apart."""

LARGEST_CELL = 1e100
"""Numbers beyond can't be standardised: the sum of their squares is no float."""

ODD = 0.05
"""Which share of a column's cells may be no numbers, for it to hold numbers all the same."""

FEW_WORDS = 10
"""Numbers of so few values are words if there are other words among them: 0, 1, 2, 3+."""

NINES = re.compile(r"-?99+(\.0)?")
"""Numbers that people write where there is none."""

THOUSANDS = r"[+-]?[1-9]\d{0,2}\.\d{3}"
"""A number whose point may stand between thousands."""

LEAST_OF_CODE = 5
"""Digits that a code has at least: fewer, with a 0 first, are hours, months, or years."""

NUMBERING = re.compile(
    r"(.*[_ .-])?(id|ids|idx|identifier|index|key|uuid|guid|row[_ .]?names?|row|rowid"
    r"|row_?num(ber)?|serial|unnamed: \d+|code[_ ]number)|(id|index)[_ .-].*|.*[a-z]I[Dd]",
)
COUNTING = re.compile(r"(.*[_ .-])?(obs|no|nr|num|number|case|record)")
TIME = re.compile(r"(?i)(.*[_ .-])?(year|yr|time|date|day|days|week|month|quarter|hour|age|t)")
"""Names of whole numbers that tell rows apart, of those that do if they rise from row to row,
as "smoker_no" may be how many don't; and of those that count something in the world."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column, with its cells read.

    Attributes:
        reader: of numbers, dates and flags; None of words.
        values: numbers, nan where one is missing; or words, "" where one is.
        missing: how many are.
        reason: why it is left out, or "".
        said: what else is to be said of it.
    """

    name: str
    reader: Reader | None
    values: Any = field(repr=False)
    missing: int
    reason: str = ""
    said: str = ""

    @property
    def different(self) -> int:
        """How many different values there are."""
        return int(self.values.replace("", math.nan).nunique())

    @property
    def unit(self) -> str:
        """What its numbers are of: "$", "%", or nothing."""
        return self.reader.unit if isinstance(self.reader, Numerals) else ""

    @property
    def what(self) -> str:
        """What the column holds, in words."""
        if self.missing == len(self.values):
            return "empty"
        if isinstance(self.reader, Numerals):
            return f"numbers, {self.unit}" if self.unit else "numbers"
        if isinstance(self.reader, Dates):
            return "dates"
        if isinstance(self.reader, Clock):
            return "times"
        if isinstance(self.reader, Flags):
            return f"{self.reader.no} or {self.reader.yes}"
        return "words"


def column_of(name: str, cells: Any, decimal: str, is_word: bool = False) -> Column:
    """Return a column from the texts in its cells.

    Args:
        cells: pandas' series.
        decimal: the decimal mark of the file.
        is_word: whether numbers are but names of categories.
    """
    import pandas

    # By far most columns are plain numbers: this reads them in a fiftieth of the time.
    plain = pandas.to_numeric(cells, errors="coerce").astype(float)
    others = cells[plain.isna()].unique().tolist()
    gone = cells.isin([cell for cell in others if is_missing(cell)])
    missing = int(gone.sum())
    is_plain = missing == int(plain.isna().sum()) and not plain.isin([math.inf, -math.inf]).any()
    may_be_date = re.search(r"(?i)date", name)
    is_word = is_word or (not may_be_date and _are_codes(cells))
    if is_plain and missing < len(cells) and decimal == "." and not may_be_date and not is_word:
        doubts = filter(None, [_doubtful(plain), _perhaps_thousands(cells, plain)])
        return Column(name, Numerals(), plain, missing, "", "; ".join(doubts))
    words = cells.where(~gone, "")
    present = cells[~gone].unique().tolist()
    if not present or is_word:
        return Column(name, None, words, missing)
    reader = reader_of(present, decimal)
    if isinstance(reader, Numerals) and may_be_date:
        compact = Dates("%Y%m%d")
        if all(len(cell) == 8 for cell in present) and not unreadable(compact, present[:999]):
            reader = compact
    if not reader:
        return Column(name, None, words, missing)
    found = {cell: _read(reader, cell) for cell in present}
    odd = [cell for cell, x in found.items() if x is None]
    if not all(cell.lower() in NO_NUMBERS for cell in odd):
        strange = int(cells.isin(odd).sum())
        is_rare = strange <= ODD * (len(cells) - missing) or (
            len(odd) <= 2 and strange <= 0.3 * len(cells)
        )
        if not is_rare or len(found) - len(odd) <= FEW_WORDS:
            return Column(name, None, words, missing)
    table = {cell: math.nan if x is None else x for cell, x in found.items()}
    values = cells.map(table).astype(float)
    said = [_no_answers(int(cells.isin(odd).sum()), odd)] if odd else []
    said += [_doubtful(values)] if isinstance(reader, Numerals) else []
    swapped = swapped_of(reader)
    if swapped and not unreadable(swapped, present):
        said.append("taken for month/day, might be day/month")
    text = "; ".join(filter(None, said))
    return Column(name, reader, values, int(values.isna().sum()), "", text)


def _perhaps_thousands(cells: Any, values: Any) -> str:
    """Return what is said where each point may stand between thousands: 237 and 65.937."""
    fractions = values[values % 1 != 0].dropna().abs()
    if not len(fractions) or fractions.min() < 1 or fractions.max() >= 1000:
        return ""  # as most columns tell at once
    present = cells[values.notna()].str.strip()
    pointed = present[present.str.contains(".", regex=False)]
    if len(pointed) == len(present) or not pointed.str.fullmatch(THOUSANDS).all():
        return ""
    number = pointed.iloc[0]
    meant = number.replace(".", "")
    return f"{number} is taken for {number.split('.')[0]} and a bit: if it is {meant}, write that"


def _no_answers(count: int, odd: list[str]) -> str:
    """Return what is said of cells that are no numbers among numbers."""
    shown = " and ".join(f"{cell!r:.20}" for cell in odd[:2])
    if len(odd) > 2:
        shown = f"such as {shown}"
    return f"{count:,} cell{'s' * (count > 1)} {shown} count{'s' * (count == 1)} as missing"


def _are_codes(cells: Any) -> bool:
    """Return whether digits are a code: as many in each cell, and in some a 0 is the first."""
    first = next(filter(None, cells), "")
    if len(first) < LEAST_OF_CODE or not first.isdigit():
        return False  # as most columns tell at once
    filled = cells[cells != ""].str
    alike = (filled.len() == len(first)) & filled.isdigit()
    return bool(alike.all() and filled.startswith("0").any())


def _doubtful(values: Any) -> str:
    """Return what is to be said of a number that most probably stands for no answer: -999."""
    for x in (float(values.min()), float(values.max())):
        if not NINES.fullmatch(f"{x:g}"):
            continue
        others = values[values != x].dropna()
        if not len(others):
            continue
        least, largest = float(others.min()), float(others.max())
        count = int((values == x).sum())
        if count > 1 and min(abs(x - least), abs(x - largest)) > largest - least:
            return f"{x:g}, {count:,} times, looks like no answer: if so, empty those cells"
    return ""


def _read(reader: Reader, cell: str) -> float | None:
    try:
        return reader.number(cell)
    except Unreadable:
        return None


def reason_against(column: Column, is_first: bool, kept: Collection[str] = ()) -> str:
    """Return why a column can't help to predict anything, or "".

    Args:
        is_first: whether it is the table's first one.
        kept: names of columns that are used even if they seem to number the rows.
    """
    values, n = column.values, len(column.values)
    if column.missing == n:
        return "empty"
    different = column.different
    if different == 1:
        return "always the same" + (", or missing" if column.missing else "")
    if column.reader is not None and float(values.abs().max()) > LARGEST_CELL:
        return f"numbers beyond {LARGEST_CELL:g}, whose squares are none"
    if column.name in kept:
        return ""
    is_fractional = isinstance(column.reader, Numerals) and bool((values % 1 != 0).any())
    if not column.name and different == n and not is_fractional:
        return "no name and no value twice: numbers the rows"
    if column.reader is None:
        if different == n - column.missing and n > 3:
            return "no word twice"
        if different > MOST_CATEGORIES:
            return f"{different:,} different words, of which most are rare"
        if n >= 20 and int(values[values != ""].value_counts().max()) < 3:
            return f"{different:,} different words, none of them more than twice"
        return ""
    if not isinstance(column.reader, Numerals) or is_fractional:
        return ""
    if column.missing or different < 0.9 * n or n < 4:
        return ""
    steps = values.diff().iloc[1:]
    in_order = bool((steps == steps.iloc[0]).all() and abs(steps.iloc[0]) == 1)
    rises = bool((steps > 0).all()) and COUNTING.fullmatch(column.name.lower())
    if (is_numbering(column.name) or rises) and (different == n or is_first):
        return "numbers the rows"
    if in_order and not TIME.fullmatch(column.name) and (is_first or values.iloc[0] in (0, 1)):
        return "numbers the rows"
    return ""


def is_numbering(name: str) -> bool:
    """Return whether a column of this name most probably tells the rows apart.

    >>> is_numbering("PassengerId"), is_numbering("row_names"), is_numbering("humid")
    (True, True, False)
    """
    return bool(NUMBERING.fullmatch(name) or NUMBERING.fullmatch(name.lower()))
