"""What stands in a file around its table: comments, rules, units, totals, another format's head."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from autograd import counted
from nn.tables.dialect import cells_of, dialect_of
from nn.tables.header import is_number
from nn.tables.numerals import is_missing

TOTALS = frozenset(
    "total|totals|grand total|sum|sums|average|mean|overall|summe|gesamt|gesamtsumme|insgesamt"
    "|durchschnitt|mittelwert".split("|")
)
"""What the last row is called where it sums up the others, in small letters."""

RULE = re.compile(r"(?=(?:[^-=─]*[-=─]){3})[\s|+:\-=─]+")
"""A line that is drawn below the names of columns, or around a table."""

COMMENT = re.compile(r"#(?!(N/?A|NV|[A-Z]+(/0)?[!?])(\W|$))")
"""The beginning of a line of comments; #N/A, #DIV/0! and #NAME? are cells of a spreadsheet."""

UNITS = "a line of units skipped"
"""What is said of that."""

MOST_BELOW = 5
"""Lines of one cell, such as notes and sources, that may stand below a table."""

ROWS_FOR_UNITS = 200
"""Rows that are looked at to tell whether the first one holds units."""


def refuse_formats(text: str, path: str) -> None:
    """Refuse what is text but written for programs, as no separator could be right.

    Raises:
        ValueError: it is JSON, HTML or XML; the message says how it becomes a table.
    """
    start = text[:200].lstrip("\ufeff \t\r\n")
    if re.match(r"<(!doctype|\?xml|html|table|[a-z][\w:-]*[ >])", start, re.IGNORECASE):
        found, reader = "HTML or XML", "read_html({0!r})[0]"
    elif re.match(r'\{\s*"|\[\s*[\[{]', start):
        found, reader = "JSON that is no list of objects", "read_json({0!r})"
    elif re.match(r"([-+\d.]+( \d+:[-+\d.e]+)+\s*\n){2}", text[:10_000]):
        raise ValueError(
            f"holds rows of svmlight: X, y = sklearn.datasets.load_svmlight_file({path!r}), then "
            "pandas.DataFrame(X.toarray()).assign(y=y).to_csv('table.csv') makes a table"
        )
    else:
        return
    made = reader.format(path)
    raise ValueError(f"holds {found}: pandas.{made}.to_csv('table.csv', index=False) makes a table")


def bared(lines: list[str], separator: str | None) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of a file, blank where they are none of its table's.

    So the number of a line stays what it is. Names of columns in a comment, or in the head of an
    ARFF file, stand where the last line of that was.

    Returns:
        The lines, what was found in words, and the names of columns if they are sure.
    """
    start = next((i for i, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    if start is not None:
        names = _attributes(lines[:start])
        if names:
            kept = ["" if line.startswith("%") else line for line in lines[start + 1 :]]
            return [*[""] * start, _joined(names), *kept], ["ARFF"], names
    inside = _inside_quotes(lines)
    lines = [
        "" if RULE.fullmatch(line) and i not in inside else line for i, line in enumerate(lines)
    ]
    comments = [i for i, line in enumerate(lines) if COMMENT.match(line) and i not in inside]
    rows = _rows_among(lines, comments, separator)
    comments = [i for i in comments if i not in rows]
    names_line = _commented_names(lines, comments, separator)
    comments += [i for i, line in enumerate(lines[:50]) if line.startswith("%") and i not in inside]
    for i in comments:
        lines[i] = ""
    if names_line:
        lines[comments[-1]] = names_line
        return lines, [], []
    said = [f"{counted(len(comments), 'line')} of comments skipped"] if comments else []
    return lines, said, []


def _inside_quotes(lines: list[str]) -> set[int]:
    """Return which lines go on with a quoted cell; none where a quotation mark is left open."""
    inside, is_open = set(), False
    for i, line in enumerate(lines):
        if is_open:
            inside.add(i)
        is_open ^= line.count('"') % 2 == 1
    return set() if is_open else inside


def _rows_among(lines: list[str], comments: list[int], separator: str | None) -> set[int]:
    """Return which lines with a # first are rows all the same: "#1", "#ff0000", "#5 Main St"."""
    marked = set(comments)
    start = next((i for i, line in enumerate(lines) if line.strip() and i not in marked), 0)
    body = [i for i in comments if i > start]
    if not body:
        return set()
    rest = [line for line in lines[start:] if line.strip()]
    dialect = dialect_of(rest, separator)
    if 2 * len(body) <= len(rest):
        # Few of them: rows that were struck out, unless what stands there is no number elsewhere.
        plain = [line for line in rest[1:ROWS_FOR_UNITS] if not line.startswith("#")]
        firsts = [cells[0] for cells in cells_of(plain, dialect.separator) if cells]
        if 2 * sum(not cell.strip("0123456789.,-+ ") for cell in firsts) > len(firsts):
            return set()
        body = [i for i in body if lines[i][1:2].strip()]
    records = cells_of([lines[i] for i in body], dialect.separator)
    return {i for i, record in zip(body, records, strict=False) if len(record) == dialect.width > 1}


def _attributes(lines: list[str]) -> list[str]:
    """Return the names of the attributes that the head of an ARFF file declares."""
    pattern = re.compile(r"\s*@attribute\s+('(?:[^'\\]|\\.)*'|\"[^\"]*\"|\S+)\s", re.IGNORECASE)
    found = filter(None, map(pattern.match, lines))
    return [match[1].strip("'\"") for match in found]


def _joined(names: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def _commented_names(lines: list[str], comments: list[int], separator: str | None) -> str:
    """Return the names of columns if the last comment above the table has them."""
    above = [
        i
        for i in comments
        if not any(line.strip() for j, line in enumerate(lines[:i]) if j not in comments)
    ]
    rest = [line for line in lines[above[-1] + 1 :] if not COMMENT.match(line)] if above else []
    if not rest or not any(map(str.strip, rest)):
        return ""
    dialect = dialect_of(rest, separator)
    bare = lines[above[-1]].lstrip("# ")
    (record,) = cells_of([bare], dialect.separator) or [[]]
    first = cells_of([next(line for line in rest if line.strip())], dialect.separator)[0]
    has_numbers = any(is_number(cell) for cell in first)
    fits = len(record) == dialect.width > 1 and not any(map(is_number, record))
    return bare if fits and has_numbers else ""


def trimmed(frame: Any) -> tuple[Any, list[str]]:
    """Return the rows of a table without units above and notes and totals below, and what is said.

    Args:
        frame: pandas' frame of texts, without the names of columns.
    """
    said = []
    if len(frame) > 2 and _are_units(frame.iloc[:ROWS_FOR_UNITS]):
        frame = frame.iloc[1:]
        said.append(UNITS)
    notes = 0
    if frame.shape[1] > 2:
        filled = (frame.tail(MOST_BELOW + 1) != "").sum(axis=1).tolist()[::-1]
        notes = next((i for i, count in enumerate(filled) if count != 1), 0)
    if 0 < notes <= MOST_BELOW:
        frame = frame.iloc[:-notes]
        said.append(f"{counted(notes, 'line')} below the table skipped")
    if len(frame) > 3:
        place, word = next(((i, cell) for i, cell in enumerate(frame.iloc[-1]) if cell), (0, ""))
        is_total = word.lower().rstrip(": ") in TOTALS
        if is_total and not (frame.iloc[:-1, place] == word).any():
            frame = frame.iloc[:-1]
            said.append(f"the last row, {word!r}, left out")
    return frame.reset_index(drop=True), said


def _are_units(frame: Any) -> bool:
    """Return whether words stand in the first row of all columns of numbers, of two at least."""
    found = 0
    for i in frame.columns:
        first, *rest = frame[i]
        below = [cell for cell in rest if not is_missing(cell)]
        if not below or sum(map(is_number, below)) < 0.8 * len(below):
            continue
        if is_number(first):
            return False
        found += not is_missing(first)
    return found > 1
