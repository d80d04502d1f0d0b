"""Text for people: plain in a pipe, folded and coloured on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, TextIO

GAP = "   "
"""Three blanks separate the parts of a line that may stand on lines of their own."""


class Terminal:
    """Prints lines to standard output, or to another stream.

    Colour needs rich and a terminal that wants it (NO_COLOR is respected); everything that is
    printed reads the same without. Only on a terminal are lines folded: in a pipe, a line stays
    one line.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_interactive = self.stream.isatty()
        self.width = shutil.get_terminal_size().columns if self.is_interactive else sys.maxsize
        self._console = _console(self.stream) if self.is_interactive else None

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line, folded at its gaps where it is too long."""
        first, *rest = fold(text, self.width)
        self._write(first, style)
        for part in rest:
            self._write(part, "dim")

    def heading(self, text: str) -> None:
        """Print a heading, with a blank line above."""
        self._write("", "")
        self._write(text, "bold")

    def _write(self, text: str, style: str) -> None:
        if self._console is None or not style:
            print(text, file=self.stream)
        else:
            self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def fold(text: str, width: int) -> list[str]:
    """Return the lines of ``text`` after breaking it at gaps, so that they fit if they can.

    >>> fold("  a = 1   first   second", width=18)
    ['  a = 1   first', '      second']
    """
    if len(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip())]
    first, *parts = text.strip().split(GAP)
    lines = [indent + first]
    for part in parts:
        if len(lines[-1]) + len(GAP) + len(part) <= width:
            lines[-1] += GAP + part
        else:
            lines.append(f"{indent}    {part}")
    return lines


def _console(stream: TextIO) -> Any:
    """Return rich's console, or None where there is no rich or no colour is wanted."""
    if os.environ.get("NO_COLOR"):
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=stream)
