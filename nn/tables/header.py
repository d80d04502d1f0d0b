"""`has_names`: whether the first row of a table has the names of its columns."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from nn.tables.numerals import Dates, Numerals, is_missing, parts_of, unreadable


def has_names(first: list[str], rest: Any) -> bool:
    """Return whether the first row is unlike those below it.

    It is if a word stands above numbers. If all its numbers could be years, or count, and no
    word in it is found again below, it is as well.
    """
    texts = [cell for cell in first if not is_missing(cell)]
    if not texts:
        return False
    columns = [[cell for cell in rest[i] if not is_missing(cell)] for i in rest.columns]
    if not any(columns):
        return not any(map(is_number, texts))
    for cell, below in zip(first, columns, strict=True):
        if not is_missing(cell) and not is_number(cell) and not _is_date(cell) and below:
            alike = sum(is_number(x) or _is_date(x) for x in below)
            if alike >= 0.8 * len(below):
                return True
    numbers = [(cell, below) for cell, below in zip(first, columns, strict=True) if is_number(cell)]
    if numbers and not _counts([cell for cell, _ in numbers], [below[:1] for _, below in numbers]):
        return False
    words = [
        (cell, below)
        for cell, below in zip(first, columns, strict=True)
        if not is_number(cell) and not is_missing(cell)
    ]
    alone = Counter(texts).most_common(1)[0][1] == 1
    return alone and not any(cell in below for cell, below in words)


def under_titles(titles: list[str], names: list[str]) -> list[str]:
    """Return what columns are called whose titles are of several each; [] where they are not.

    A title stands above the first of its columns, as where cells were merged, or above each.

    >>> under_titles(["body", "", "mind"], ["height", "weight", "iq"])
    ['height', 'weight', 'iq']
    >>> under_titles(["q1", "q1", "q2", "q2"], ["min", "max", "min", "max"])
    ['q1 min', 'q1 max', 'q2 min', 'q2 max']
    """
    is_merged = not all(titles)
    if not all(names) or not (is_merged or len({*titles}) < len(titles)):
        return []
    if is_merged and len({*names}) == len(names):
        return names
    over, both = "", []
    for title, name in zip(titles, names, strict=True):
        over = title or over
        both.append(name if over in ("", name) else f"{over} {name}")
    return both if len({*both}) == len(both) else names * is_merged


def _counts(cells: list[str], below: list[list[str]]) -> bool:
    """Return whether numbers are years in order, or 0, 1, 2, ...; and not those below, too."""

    def runs(row: list[str]) -> bool:
        if len(row) < 2 or not all(cell.isdigit() for cell in row):
            return False
        numbers = list(map(int, row))
        steps = {b - a for a, b in pairwise(numbers)}
        are_years = all(1500 <= n <= 2200 for n in numbers) and (min(steps) > 0 or max(steps) < 0)
        return are_years or (steps == {1} and numbers[0] in (0, 1) and len(numbers) > 2)

    return runs(cells) and not runs([cell for row in below for cell in row])


def is_number(cell: str) -> bool:
    match = parts_of(cell)
    if not match or len(match["before"] or "") > 3:
        return False
    own = match["before"] or "", (match["after"] or "").strip()
    if own[0] and own[0].isalpha():
        return False
    return any(not unreadable(Numerals(mark, *own), [cell]) for mark in ".,")


def _is_date(cell: str) -> bool:
    return (
        not unreadable(Dates(), [cell])
        or not unreadable(Dates("%d.%m.%Y"), [cell])
        or not unreadable(Dates("%m/%d/%Y"), [cell])
    )
