"""Text for people: plain in a pipe, folded and coloured on a terminal; and for programs, JSON."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO

from autograd.formula import json_data
from autograd.stepping.notation import padded

GAP = "   "
"""Blanks that separate the parts of a line which may stand on lines of their own."""

NARROWEST = 12
"""Characters that a column of words is given at least, however narrow the terminal is."""

NUMBER, FACT, WARNING, BAD, QUIET = "bold cyan", "green", "yellow", "bold red", "dim"
"""Styles, by what they are for."""

Span = str | tuple[str, str]
"""A piece of a line: plain, or with a style."""


class Terminal:
    """Prints lines to standard output, or to another stream.

    Colour needs rich and a terminal that wants it (NO_COLOR is respected); everything that is
    printed reads the same without. Only on a terminal are lines folded: in a pipe, a line stays
    one line.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_interactive = self.stream.isatty()
        self._console = _console(self.stream) if self.is_interactive else None

    @property
    def width(self) -> int:
        """The columns of the terminal as it is now; no limit in a pipe."""
        return shutil.get_terminal_size().columns if self.is_interactive else sys.maxsize

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line, folded at its gaps where it is too long."""
        first, *rest = fold(text, self.width)
        self._write(first, style)
        for part in rest:
            self._write(part, "dim")

    def heading(self, text: str) -> None:
        """Print a heading, with a blank line above."""
        self._write("", "")
        for part in fold(text, self.width):
            self._write(part, "bold")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
        """Print columns under their heads; those that have no room stand below, in a table more.

        Args:
            left: how many columns are words, which begin below each other.
        """
        for i, block in enumerate(blocks([head, *rows], left, self.width - 2)):
            if i:
                self.line()
            for j, line in enumerate(block):
                self.line(f"  {line}", "" if j else "dim")

    def spans(self, *spans: Span) -> None:
        """Print one line of differently styled pieces, as they are."""
        if self._console is None:
            print(
                "".join(span if isinstance(span, str) else span[0] for span in spans).rstrip(),
                file=self.stream,
            )
        else:
            from rich.text import Text

            self._console.print(Text.assemble(*spans), highlight=False, soft_wrap=True)

    def _write(self, text: str, style: str) -> None:
        if self._console is None or not style:
            print(text, file=self.stream)
        else:
            self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def fold(text: str, width: int) -> list[str]:
    """Return the lines of ``text`` after breaking it at gaps, so that they fit if they can.

    A gap is two blanks or more. What is still too long is broken between words.

    >>> fold("  a = 1   first   second", width=18)
    ['  a = 1   first', '      second']
    """
    if len(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip())]
    first, *parts = re.split(" {2,}", text.strip())
    lines = [indent + first]
    for part in parts:
        if len(lines[-1]) + len(GAP) + len(part) <= width:
            lines[-1] += GAP + part
        else:
            lines.append(f"{indent}    {part}")
    return [piece for line in lines for piece in _wrapped(line, width)]


def blocks(rows: Sequence[Sequence[str]], left: int, width: int) -> list[list[str]]:
    """Return a table as lines; where they were too long, as several tables of some columns each.

    The first column is in all of them, cropped if need be.

    Args:
        left: how many columns begin below each other; the others end there.

    >>> for block in blocks([["", "loss", "accuracy"], ["train", "0.25", "98 %"]], 1, width=16):
    ...     block
    ['       loss', 'train  0.25']
    ['       accuracy', 'train      98 %']
    """
    cells = [[str(cell) for cell in row] for row in rows]
    _, *others = zip(*padded(cells, "<" * left + ">"), strict=True)
    widths = [len(column[0]) for column in others]
    room = max(NARROWEST, width - 2 - max(widths, default=0))
    first = [cell for (cell,) in padded([[crop(name, room)] for name, *_ in cells])]
    own = len(first[0])
    found: list[list[str]] = []
    used = width
    for column, widest in zip(others, widths, strict=True):
        if used + 2 + widest > width:
            used = own
            found.append(first)
        used += 2 + widest
        found[-1] = [f"{line}  {cell}" for line, cell in zip(found[-1], column, strict=True)]
    return [[line.rstrip() for line in block] for block in found or [first]]


def _wrapped(line: str, width: int) -> list[str]:
    """Return ``line`` broken between words, for want of gaps."""
    if len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())] + "    "
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _console(stream: TextIO) -> Any:
    """Return rich's console, or None where there is no rich or no colour is wanted."""
    if os.environ.get("NO_COLOR"):
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream)


def printable(text: str) -> str:
    """Return ``text`` from a file, with what could steer a terminal replaced.

    >>> printable("\x1b[2Jname")
    '?[2Jname'
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def cut(text: str, width: int) -> str:
    """Return the beginning of ``text``, as much of it as has room.

    >>> cut("virginica", 5), cut("setosa", 9)
    ('virg…', 'setosa')
    """
    return text if len(text) <= width else f"{text[: max(width - 1, 1)]}…"


def crop(text: str, width: int) -> str:
    """Return ``text`` with its middle left out if it is too long.

    >>> crop("sum(x1, x2, x3, x4, x5, x6)", width=17)
    'sum(x1 ... 5, x6)'
    """
    if len(text) <= width:
        return text
    kept = max(width - len(" ... "), 2)
    return f"{text[: kept - kept // 2].rstrip()} ... {text[len(text) - kept // 2 :].lstrip()}"


def percent(share: float) -> str:
    """Return a share as people read it.

    >>> percent(0.984)
    '98.4 %'
    """
    return f"{share:.1%}".replace("%", " %")


def as_json(content: Any) -> str:
    """Return plain data as JSON, floats that are not finite as text.

    >>> as_json({"r2": [float("nan"), 1.0]})
    '{"r2": ["nan", 1.0]}'
    """
    return json.dumps(json_data(content))
