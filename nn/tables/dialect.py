"""How a table is written in a file: its encoding, its separator, the lines that are none of it."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from typing import NamedTuple

from nn.tables.encoding import encoding_of

GAP = "  "
"""Two blanks or more: columns that are set out, with single blanks in their cells."""

SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
SEPARATORS[GAP] = "gaps of blanks"
"""What may stand between cells, the rarest in plain text first; and what that is called."""

NARROW = 3
"""Cells of a row beyond which two alone, above the table, are no row; twice, if filled up."""

SAMPLE = 200
"""Lines that are looked at to find the separator."""

CONSISTENT = 0.9
"""Which share of lines must have the same number of cells for a separator to be one."""

APOSTROPHES = re.compile(r"(?:^|[,;\t|])\s*'[^']*'\s*(?:$|[,;\t|])")
"""A cell between apostrophes, in a line."""

CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1a]")
"""What belongs to no text, but is met in some: apostrophes lost on the way, the end in DOS."""

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""By what a file begins with, its encoding; a longer mark before one that it begins with."""


class Dialect(NamedTuple):
    """How a table is written.

    Attributes:
        separator: of the cells; a blank stands for any number of blanks and tabs.
        width: how many cells most lines have.
        above: how many lines stand above the table.
    """

    separator: str
    width: int
    above: int


def decoded(content: bytes) -> tuple[str, str]:
    """Return the text of a file, and its encoding by name.

    What is no UTF-8 and has no mark of another encoding is told by its letters.

    Raises:
        ValueError: it is no text.

    >>> decoded("naïve".encode("latin-1"))
    ('naïve', 'Latin-1')
    """
    names = [name for mark, name in MARKS.items() if content.startswith(mark)]
    if not names and b"\0" in content[:4096]:
        even, odd = content[:4096:2].count(0), content[1:4096:2].count(0)
        names = ["utf-16-le" if odd > even else "utf-16-be"]
    called = ""
    for name in names or ["utf-8", "", "latin-1"]:
        try:
            if not name:
                name, called = encoding_of(content)
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        start = text[:4096]
        if "\0" in start or len(CONTROLS.findall(start)) > len(start) / 100:
            break
        return CONTROLS.sub(" ", text), called or name.upper().removesuffix("-SIG")
    if content.startswith(b"PK\x03\x04"):
        raise ValueError("is an archive: unpack it first")
    raise ValueError(
        "is no text file: what pandas has a read_... for, its .to_csv('table.csv') makes a table"
    )


def dialect_of(lines: list[str], separator: str | None = None, quote: str = '"') -> Dialect:
    """Return how the table in these lines is written.

    Args:
        separator: if it is known.
        quote: what stands around a cell that may hold the separator.
    """
    kept = [i for i, line in enumerate(lines) if line.strip()][:SAMPLE]
    sample = [lines[i] for i in kept]
    if separator is None:
        separator = separator_of(sample, quote)
    records, starts = _read(sample, separator, quote)
    width = Counter(map(len, records)).most_common(1)[0][0] if records else 0
    titles = _titles(records, width)
    return Dialect(separator, width, kept[starts[titles]] if titles else 0)


def quote_of(lines: list[str]) -> str:
    """Return what stands around cells: apostrophes if nearly each line has one in them.

    >>> quote_of(["'name', 'y'", "'O, Hara', 1"]), quote_of(["name, y", "O'Hara, 1"])
    ("'", '"')
    """
    sample = [line for line in lines if line.strip()][:SAMPLE]
    quoted = sum(bool(APOSTROPHES.search(line)) for line in sample)
    return "'" if quoted >= CONSISTENT * len(sample) and '"' not in "".join(sample) else '"'


def cells_of(lines: list[str], separator: str, quote: str = '"') -> list[list[str]]:
    """Return the cells of each line, or of several where a quoted cell goes on over them."""
    return _read(lines, separator, quote)[0]


def _read(lines: list[str], separator: str, quote: str) -> tuple[list[list[str]], list[int]]:
    """Return the cells of each record, and the place of the line that it starts in."""
    if separator == " ":
        lines = [re.sub(r"[ \t]+", " ", line).strip() for line in lines]
    if separator == GAP:
        lines, separator = tabbed(lines), "\t"
    reader = csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=True)
    records, starts = [], [0]
    try:
        for record in reader:
            records.append(record)
            starts.append(reader.line_num)
    except csv.Error:
        return [], []
    return records, starts


def tabbed(lines: list[str]) -> list[str]:
    """Return lines with a tab in place of each gap of blanks."""
    return [re.sub(r"[ \t]{2,}", "\t", line.strip()) for line in lines]


def separator_of(sample: list[str], quote: str = '"') -> str:
    """Return what most probably stands between the cells of lines; a comma if nothing seems to."""
    found: dict[str, tuple[float, int]] = {}
    for separator in SEPARATORS:
        records = cells_of(sample, separator, quote)
        sizes = [len(record) for record in records]
        if sizes:
            width, times = Counter(sizes).most_common(1)[0]
            # Names above cells with a comma, or a blank, in all of them look like titles, too.
            has_titles = width > NARROW and separator not in (" ", GAP)
            rows = sizes[_titles(records, width) :] if has_titles else sizes
            times += rows[0] == width - 1  # names of all columns but that of the rows' names
            if width > 1:
                found[separator] = times / len(rows), width
    for separator, (share, width) in found.items():
        blanks = found.get(" ", (0.0, 0))
        # Columns set out by blanks, with a tab before the last one.
        is_outdone = separator == "\t" and width == 2 < blanks[1] - 1 and blanks[0] >= CONSISTENT
        # Names of two words each, say, below a first line that names a column less.
        gaps = found.get(GAP, (0.0, 0))
        is_outdone |= separator == " " and gaps[1] == width - 1 and gaps[0] >= share
        if share >= CONSISTENT and not is_outdone:
            return separator
    found.pop(" ", None)
    found.pop(GAP, None)
    return max(found, key=lambda each: found[each], default=",")


def _titles(records: list[list[str]], width: int) -> int:
    """Return how many records stand above the table."""
    # A title has a line of its own; a spreadsheet fills it up with empty cells.
    titles = 0
    while titles < len(records) - 1 and _is_title(records[titles], width):
        titles += 1
    return titles


def _is_title(record: list[str], width: int) -> bool:
    filled = [i for i, cell in enumerate(record) if cell.strip()]
    if width > 1 and (len(record) == 1 or (width > 2 and len(filled) <= 1)):
        return True
    # What a line says of all the table: "Source:", and which.
    is_wide = width > NARROW if len(record) < width else width > 2 * NARROW
    return is_wide and filled == [0, 1] and not record[0].strip()[0].isdigit()
