"""What is done with each column of a table, as one table for people and as data."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from autograd.command.notes import quantity
from autograd.command.terminal import NARROWEST, Terminal, crop, cut, printable
from autograd.stepping.notation import aligned, counted

if TYPE_CHECKING:
    from nn.tables import Table
    from nn.tables.columns import Column
    from nn.tables.preparation import Preparation

MOST_COLUMNS = 40
"""Columns of which each has a row of its own; of more, those of like fate share one."""

LINES_A_FATE = 4
"""Lines that what becomes of a column has on a terminal."""


class Fate(NamedTuple):
    """What a column is, and what becomes of it.

    Attributes:
        missing: how many cells are.
    """

    name: str
    holds: str
    missing: int
    becomes: str


def fates(table: Table, preparation: Preparation | None) -> list[Fate]:
    """Return what becomes of each column, the target first."""
    made = {column.name: column for column in preparation.columns} if preparation else {}
    missing = table.rows - len(table.targets)
    gone = f"; {counted(missing, 'row')} without it left out" if missing else ""
    first = Fate(table.target.name, table.target.what, missing, f"predicted: {_goal(table)}{gone}")
    return [
        first,
        *(
            Fate(each.name, each.what, each.missing, _becomes(each, made.get(each.name)))
            for each in table.columns
        ),
    ]


def print_inventory(terminal: Terminal, table: Table, preparation: Preparation | None) -> None:
    """Print the table of all columns."""
    rows = [
        [
            printable(cut(fate.name, 36)) or "(no name)",
            fate.holds,
            f"{fate.missing:,}" if fate.missing else "",
            printable(fate.becomes),
        ]
        for fate in _gathered(fates(table, preparation))
    ]
    head = ["column", "holds", "missing", ""]
    if terminal.is_interactive:
        rows = list(_fitted(rows, head, terminal.width - 2))
    for i, line in enumerate(aligned([head, *rows], sides="<<><")):
        terminal.spans((f"  {line}".rstrip(), "" if i else "dim"))


def _fitted(rows: list[list[str]], head: list[str], width: int) -> Iterator[list[str]]:
    """Yield the rows with names cropped, and last cells on up to four lines."""
    own = max(NARROWEST, width // 4)
    rows = [[crop(row[0], own), *row[1:]] for row in rows]
    used = sum(max(map(len, column)) for column in list(zip(head, *rows, strict=True))[:3])
    room = max(NARROWEST, width - used - 6)
    for *cells, last in rows:
        first, *more = textwrap.wrap(last, room - 2, max_lines=LINES_A_FATE, placeholder="…") or [
            ""
        ]
        yield [*cells, first]
        yield from (["", "", "", f"  {line}"] for line in more)


def _goal(table: Table) -> str:
    classes = table.classes
    if not classes:
        return f"a number, {_range(table.target)}"
    goal = f"{counted(len(classes), 'class').replace('classs', 'classes')}, {', '.join(classes)}"
    are_numbers = len(classes) > 2 and table.target.reader is not None
    return f"{goal}; --task regression takes them for numbers" if are_numbers else goal


def _becomes(column: Column, made: Any) -> str:
    """Return what a column becomes, in words."""
    if column.reason:
        return f"left out: {column.reason}"
    said = f"; {column.said}" if column.said else ""
    if column.reader is None:
        words = list(getattr(made, "words", ()))
        rare = list(getattr(made, "rare", ()))
        others = f" and {len(rare)} rare ones together" if rare else ""
        others = " and a rare one" if len(rare) == 1 else others
        kinds = "1 category" if len(words) == 1 else f"{len(words)} categories"
        return f"{kinds}{others}: {', '.join(words)}{said}"
    filled = f"; missing: {_written(column, made.fill)}" if column.missing and made else ""
    return f"{_range(column)}{filled}{said}"


def _range(column: Column) -> str:
    least, largest = float(column.values.min()), float(column.values.max())
    return f"{_written(column, least)} to {_written(column, largest)}"


def _written(column: Column, x: float) -> str:
    """Return a value of a column as people read it."""
    from nn.tables.numerals import Numerals

    if column.reader and not isinstance(column.reader, Numerals):
        return column.reader.text(x)
    if x.is_integer() and abs(x) < 10_000:
        return f"{x:.0f}"  # which may be a year
    return quantity(x)


def _gathered(found: list[Fate]) -> Iterator[Fate]:
    """Yield rows, of very many columns one for all to which the same is done."""
    if len(found) <= MOST_COLUMNS:
        yield from found
        return
    alike: dict[object, list[Fate]] = {}
    for fate in found:
        done = fate.becomes if fate.becomes.startswith(("left out", "predicted")) else ""
        # How many words are too many, or a range, is each column's own.
        alike.setdefault((fate.holds, re.sub(r"\d[\d,.]*", "", done)), []).append(fate)
    for first, *others in alike.values():
        if not others:
            yield first
            continue
        done = "categories" if first.holds == "words" else "each as it is"
        if first.becomes.startswith("left out"):
            done = re.sub(r"\d[\d,.]* ", "too many ", first.becomes)
        count = len(others) + 1
        name = f"{cut(first.name, 12)}, {cut(others[0].name, 12)}" + (", …" if count > 2 else "")
        missing = sum(fate.missing for fate in (first, *others))
        yield Fate(f"{name} ({count:,})", first.holds, missing, done)
