"""One line on a terminal that says what is being measured."""

from __future__ import annotations

import shutil
import sys
from time import monotonic

from autograd.command.terminal import cut


class Progress:
    """Written over and over to standard error; nothing where that is no terminal.

    What else is printed comes after `clear`.
    """

    def __init__(self) -> None:
        self.stream = sys.stderr
        self._start = monotonic()
        self._written = 0

    def say(self, what: str, part: str) -> None:
        """Show what is measured, which part of it, and the time since the beginning."""
        if not self.stream.isatty():
            return
        minutes, seconds = divmod(int(monotonic() - self._start), 60)
        line = cut(
            f"{minutes}:{seconds:02}  {what}: {part}", shutil.get_terminal_size().columns - 1
        )
        print(f"\r{line.ljust(self._written)}", end="", file=self.stream, flush=True)
        self._written = len(line)

    def clear(self) -> None:
        """Take the line away."""
        if self._written:
            print(f"\r{' ' * self._written}\r", end="", file=self.stream, flush=True)
            self._written = 0
