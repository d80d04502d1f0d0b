"""`Table`: a data set from a CSV file."""

from __future__ import annotations

import csv
import math
from os import PathLike
from typing import Any, NamedTuple

Inputs = list[list[float]]


class Table(NamedTuple):
    """A data set from a file.

    Attributes:
        inputs, targets: the data; targets are places in ``classes``, or numbers without any.
        columns: the inputs' names.
        classes: what the targets were called; empty if they are numbers to predict.
    """

    inputs: Inputs
    targets: list[Any]
    columns: list[str]
    classes: list[str]


def read_csv(
    path: str | PathLike[str], target: str | int = -1, classes: bool | None = None
) -> Table:
    """Return the data set in a CSV file: numbers, and a column of targets.

    The first row is taken for the columns' names if one of its inputs is no number, or if
    ``target`` is a name.

    Args:
        path: of the file, in UTF-8.
        target: the target column, by name or place.
        classes: whether the targets are classes; by default, if they are words or whole
            numbers of at most 20 different values.

    Raises:
        ValueError: something is missing or no number; the message names line and column.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        try:
            rows = [(lines.line_num, [cell.strip() for cell in row]) for row in lines if any(row)]
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is no UTF-8 text: {error}") from None
        except csv.Error as error:
            raise ValueError(f"{path}, line {lines.line_num}: {error}") from None
    if not rows:
        raise ValueError(f"{path} is empty")
    width = len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise ValueError(f"{path}, line {line}: {len(row)} columns, the first row has {width}")
    names = [f"x{i + 1}" for i in range(width)]
    place = _place(path, target, rows[0][1])
    first = [_parsed(cell) for i, cell in enumerate(rows[0][1]) if i != place]
    if None in first or isinstance(target, str):
        names, rows = rows[0][1], rows[1:]
    if not rows:
        raise ValueError(f"{path} has names of columns but no data")
    label, cells = names.pop(place), [row.pop(place) for _, row in rows]

    def as_number(line: int, name: str, cell: str) -> float:
        x = _parsed(cell)
        if x is None or not math.isfinite(x):
            raise ValueError(
                f"{path}, line {line}, column {name}: expected a number, got {cell!r:.40}"
            )
        return x

    inputs = [
        [as_number(line, name, cell) for name, cell in zip(names, row, strict=True)]
        for line, row in rows
    ]
    for (line, _), cell in zip(rows, cells, strict=True):
        if not cell:
            raise ValueError(f"{path}, line {line}, column {label}: the target is missing")
    numeric = [_parsed(cell) for cell in cells]
    if classes is None:
        classes = any(x is None for x in numeric) or (
            all(x is not None and x.is_integer() for x in numeric) and len(set(cells)) <= 20
        )
    if not classes:
        targets = [
            as_number(line, label, cell) for (line, _), cell in zip(rows, cells, strict=True)
        ]
        return Table(inputs, targets, names, [])
    words = sorted(set(cells), key=lambda cell: (_parsed(cell) is None, _parsed(cell) or 0, cell))
    return Table(inputs, [words.index(cell) for cell in cells], names, words)


def _place(path: str | PathLike[str], target: str | int, names: list[str]) -> int:
    """Return the place of the target column."""
    if isinstance(target, str):
        if target not in names:
            raise ValueError(f"{path} has no column {target!r}; it has {', '.join(names)}")
        return names.index(target)
    if not -len(names) <= target < len(names):
        raise ValueError(f"{path} has {len(names)} columns, there is no column {target}")
    return target % len(names)


def _parsed(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
