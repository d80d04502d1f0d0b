"""`Texts`: a file as a table of texts, read by pandas."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from autograd import counted, missing_extra, read_regular
from nn.tables.dialect import (
    GAP,
    SEPARATORS,
    cells_of,
    decoded,
    dialect_of,
    quote_of,
    tabbed,
)
from nn.tables.header import has_names, is_number, under_titles
from nn.tables.margins import UNITS, bared, refuse_formats, trimmed
from nn.tables.records import records_of

PACKED: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

ROOM, TIMES = 2**26, 30
"""Bytes that a packed file may have unpacked: so many, or so many times its own."""

CURE = "quote a cell that holds the separator, delete lines that are no rows, or say --sep"
"""What to do with a line of more cells than the others have."""

TITLES = "titles above them"
"""What is said of a line above that of the names."""

ROWS_FOR_NAMES = 1000
"""Rows that are looked at to tell whether the first one has the names of columns."""


class Texts(NamedTuple):
    """The texts in a file.

    Attributes:
        frame: pandas' frame of texts without blanks around them, "" where there is none; the
            columns are numbered.
        names: of the columns; "" where there is none.
        how: what was found about the file, in words.
    """

    frame: Any
    names: list[str]
    how: list[str]


def read_texts(
    path: str | PathLike[str], separator: str | None = None, named: Sequence[str] = ()
) -> Texts:
    """Return the table in a file: text with separators, .parquet, .xlsx or .xls.

    Args:
        separator: of the cells, or "blanks"; by default, it is found out.
        named: names that columns are known by: a first row with one of them has names.

    Raises:
        ValueError: it is no table.
        OSError: the file can't be read.
        MissingExtraError: pandas, or what it needs for such a file, is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        missing_extra("pandas", "data", error)
    file = Path(path)
    content = read_regular(file)
    kind = file.suffix.lower()
    try:
        if kind in (".parquet", ".xlsx", ".xls"):
            return _typed(pandas, content, kind, named)
        if kind in PACKED:
            most = max(ROOM, TIMES * len(content))
            with PACKED[kind](io.BytesIO(content)) as packed:
                content = packed.read(most + 1)
            if len(content) > most:
                raise ValueError(f"has more than {most:,} bytes unpacked: unpack it yourself")
        return _written(pandas, content, separator, named, file.name)
    except ImportError as error:
        needed = "pyarrow" if kind == ".parquet" else "openpyxl"
        raise ValueError(
            f"{path}: pandas needs {needed} to read it: pip install {needed}"
        ) from error
    except (ValueError, EOFError, lzma.LZMAError, OSError) as error:
        raise ValueError(f"{path} {_one_line(error)}") from None


def _typed(pandas: Any, content: bytes, kind: str, named: Sequence[str]) -> Texts:
    """Return what is in a file whose cells have types, as texts."""
    stream = io.BytesIO(content)
    try:
        if kind == ".parquet":
            given = pandas.read_parquet(stream)
            index = given.index
            # An index that says something is a column like any other.
            given = given.reset_index() if index.name or index.nlevels > 1 else given
        else:
            given = pandas.read_excel(stream, header=None, dtype=object)
    except ImportError:
        raise
    except Exception as error:  # of several libraries, each with its own exceptions
        raise ValueError(f"can't be read: {error}") from None
    how = [kind[1:].replace("xlsx", "Excel").replace("xls", "Excel")]
    if kind == ".parquet":
        return _named(given, how)
    texts = _as_texts(given.dropna(how="all"))
    return _checked(_headed(texts, texts.shape[1], how, named))


def _named(given: Any, how: list[str]) -> Texts:
    """Return a frame whose columns have names as texts."""
    return _checked(Texts(_as_texts(given), [str(name) for name in given.columns], how))


def _as_texts(given: Any) -> Any:
    texts = given.astype(object).map(_as_text)
    texts.columns = range(texts.shape[1])
    return texts.reset_index(drop=True)


def _as_text(given: Any) -> str:
    """Return a cell as text; "" for what is missing."""
    if given is None or given != given:
        return ""
    if isinstance(given, float) and given.is_integer() and abs(given) < 2**53:
        return str(int(given))
    return str(given).strip().removesuffix(" 00:00:00")


def _written(
    pandas: Any, content: bytes, separator: str | None, named: Sequence[str], name: str
) -> Texts:
    text, encoding = decoded(content)
    if records := records_of(text):
        return _named(pandas.DataFrame(records, dtype=object), ["JSON"])
    refuse_formats(text, name)
    # Other marks that Python takes for the end of a line, such as U+2028, are within cells.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    how = [encoding]
    # For a spreadsheet; what it says isn't part of the table.
    told = (
        re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\ufeff\r"), re.IGNORECASE) if lines else None
    )
    if told or (lines and lines[0].strip().lower() == "sep="):
        separator = separator or (told[1] if told else "\t")
        lines[0] = ""
    if separator is not None:
        by_name = {name: mark for mark, name in SEPARATORS.items()}
        separator = by_name.get(
            separator, {"\\t": "\t", "tab": "\t", "": " "}.get(separator, separator)
        )
        if len(separator) != 1:
            raise ValueError(f"can't be separated by {separator!r:.20}: it must be one character")
    lines, said, sure = bared(lines, separator)
    if not any(map(str.strip, lines)):
        raise ValueError("is empty")
    quote = quote_of(lines)
    dialect = dialect_of(lines, "," if sure else separator, quote)
    for i in range(dialect.above):
        lines[i] = ""
    how_separated = SEPARATORS.get(dialect.separator, f"{dialect.separator!r} between cells")
    mark, width = dialect.separator, dialect.width
    if mark == GAP:
        lines, mark = tabbed(lines), "\t"
    first = next(i for i, line in enumerate(lines) if line.strip())
    head = len((cells_of(lines[first : first + 20], mark, quote) or [[]])[0])
    room = max(width, head) + 1
    try:
        frame = pandas.read_csv(
            io.StringIO("\n".join(lines)),
            sep=r"\s+" if mark == " " else mark,
            header=None,
            names=range(room),
            index_col=False,
            dtype=object,
            na_filter=False,
            skipinitialspace=True,
            quotechar=quote,
            low_memory=False,
        )
    except pandas.errors.ParserError as error:
        raise ValueError(_ragged(error, room - 1)) from None
    short = int(frame[min(width, head) - 1].map(lambda cell: cell != cell).sum()) if width else 0
    frame = frame.fillna("").map(str.strip)
    over = frame[room - 1] != ""
    if over.any():
        raise ValueError(
            f"has a row of {room} cells, the others have {width}: {_quoted(frame, over)}; {CURE}"
        )
    frame = frame.drop(columns=room - 1)
    how.append(how_separated if width > 1 else "one column")
    if dialect.above:
        how.append(f"{counted(dialect.above, 'line')} above the table skipped")
    how += said
    if short:
        how.append(f"{counted(short, 'row')} end{'s' * (short == 1)} early")
    return _checked(_headed(frame, head, how, [*named, *sure]))


def _headed(frame: Any, head: int, how: list[str], named: Sequence[str]) -> Texts:
    """Return the texts, its first row taken for the names of columns if it is that."""
    width = frame.shape[1]
    first = list(frame.iloc[0]) if len(frame) else []
    is_short = head < width  # as R writes it: a line has its own name, of which the first is silent
    if is_short and len(frame) > 1 and not (frame.iloc[1:, head:] != "").any(axis=None):
        frame, width, first = frame.iloc[:, :head], head, first[:head]
        is_short = False
    if is_short and not any(map(is_number, first[:head])):
        names = [*[""] * (width - head), *first[:head]]
        return Texts(
            frame.iloc[1:].reset_index(drop=True), names, [*how, "names in the first line"]
        )
    if set(named) & set(first) or has_names(first, frame.iloc[1:ROWS_FOR_NAMES]):
        rest = frame.iloc[1:].reset_index(drop=True)
        return Texts(rest, first, [*how, "names in the first line"])
    names = [f"x{i + 1}" for i in range(width)]
    return Texts(frame, names, [*how, "no names of columns"])


def _checked(texts: Texts) -> Texts:
    """Return the texts with each name once; columns without name and cell are gone."""
    whole, said = trimmed(texts.frame)
    heads = texts.names
    second = texts.frame.iloc[0].tolist() if len(texts.frame) else []
    below = under_titles(heads, second)
    if below and UNITS in said:
        heads, said = below, [TITLES, *said[1:]]
    elif (
        below
        and heads[0]
        and not all(heads)
        and has_names(second, texts.frame.iloc[1:ROWS_FOR_NAMES])
    ):
        whole, said = trimmed(texts.frame.iloc[1:])
        heads, said = below, [TITLES, *said]
    texts = Texts(whole, heads, [*texts.how, *said])
    if not len(texts.frame):
        raise ValueError("has names of columns but no data" if texts.names else "is empty")
    filled = (texts.frame != "").any()
    kept = [i for i, name in enumerate(texts.names) if name.strip() or filled.iloc[i]]
    frame = texts.frame.iloc[:, kept]
    frame.columns = range(len(kept))
    names: list[str] = []
    # Some programs put apostrophes around all names, and around no cell.
    are_quoted = all(re.fullmatch(r"'.*'", texts.names[i]) for i in kept if texts.names[i])
    for i in kept:
        name = " ".join(texts.names[i].split())
        name = name[1:-1] if are_quoted else name
        if name in names and name:
            name = next(
                f"{name}.{n}" for n in range(1, len(kept) + 1) if f"{name}.{n}" not in names
            )
        names.append(name)
    return Texts(frame, names, texts.how)


def _quoted(frame: Any, chosen: Any) -> str:
    return repr(" ".join(frame[chosen].iloc[0]))[:60]


def _ragged(error: Exception, width: int) -> str:
    opened = re.search(r"EOF inside string starting at row (\d+)", str(error))
    if opened:
        return f"has a quotation mark in row {int(opened[1]) + 1} that is never closed"
    found = re.search(r"in line (\d+), saw (\d+)", str(error))
    if not found:
        return f"can't be read: {_one_line(error)}"
    cells, line = found[2], found[1]
    return f"has {cells} cells in line {line}, not {width}: {CURE}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
