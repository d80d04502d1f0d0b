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

SAMPLE = 200
"""Lines that are looked at to find the separator."""

CONSISTENT = 0.9
"""Which share of lines must have the same number of cells for a separator to be one."""

APOSTROPHES = re.compile(r"(?:^|[,;\t|])\s*'[^']*'\s*(?:$|[,;\t|])")
"""A cell between apostrophes, in a line."""

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
        if re.search(r"[\0-\x08\x0e-\x1a]", text[:4096]):
            break
        return text, called or name.upper().removesuffix("-SIG")
    if content.startswith(b"PK\x03\x04"):
        raise ValueError("is an archive: unpack it first")
    raise ValueError("is no text file")


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
    records = cells_of(sample, separator, quote)
    width = Counter(map(len, records)).most_common(1)[0][0] if records else 0
    # A title has a line of its own; a spreadsheet fills it up with empty cells.
    titles = 0
    while titles < len(records) - 1 and _is_title(records[titles], width):
        titles += 1
    return Dialect(separator, width, kept[titles] if titles else 0)


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
    if separator == " ":
        lines = [re.sub(r"[ \t]+", " ", line).strip() for line in lines]
    if separator == GAP:
        lines, separator = tabbed(lines), "\t"
    try:
        return list(csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=True))
    except csv.Error:
        return []


def tabbed(lines: list[str]) -> list[str]:
    """Return lines with a tab in place of each gap of blanks."""
    return [re.sub(r"[ \t]{2,}", "\t", line.strip()) for line in lines]


def separator_of(sample: list[str], quote: str = '"') -> str:
    """Return what most probably stands between the cells of lines; a comma if nothing seems to."""
    found: dict[str, tuple[float, int]] = {}
    for separator in SEPARATORS:
        sizes = [len(record) for record in cells_of(sample, separator, quote)]
        counts = Counter(sizes)
        if counts:
            width, times = counts.most_common(1)[0]
            times += sizes[0] == width - 1  # names of all columns but that of the rows' names
            if width > 1:
                found[separator] = times / counts.total(), width
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


def _is_title(record: list[str], width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in record)
    return width > 1 and (len(record) == 1 or (width > 2 and filled <= 1))
