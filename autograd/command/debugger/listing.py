"""Parts of a run as lists: its source, its events, its nodes."""

from __future__ import annotations

import linecache
from collections.abc import Sequence

from autograd.command.debugger.screen import style_of
from autograd.command.terminal import FACT, QUIET, WARNING, Terminal, crop
from autograd.engine import Value
from autograd.stepper import Stepper
from autograd.stepping.notation import show

AROUND = 5
"""How many lines or events `list` and `events` show to either side."""

MAX_ROWS = 20
"""How many rows a table shows before it counts the rest."""


class Listing:
    """Prints lists of what is around the place where a stepper stands."""

    def __init__(self, stepper: Stepper, terminal: Terminal) -> None:
        self.stepper = stepper
        self.recording = stepper.recording
        self.terminal = terminal

    def source(self) -> None:
        """Print the lines around that of the current node, or the events if it isn't known."""
        event = self.stepper.current or self.stepper.events[0]
        file, line = (event.node.origin or ("", None, None))[1:]
        lines = linecache.getlines(file) if file else []
        if not lines or line is None:
            self.terminal.line("the source of this node is not known; these are the events", QUIET)
            self.events()
            return
        first = max(1, line - AROUND)
        self.terminal.line(f"{file}:{line}", QUIET)
        for number in range(first, min(len(lines), line + AROUND) + 1):
            mark = "->" if number == line else "  "
            text = f"{number:>4} {mark}  {lines[number - 1].rstrip()}".expandtabs(4).rstrip()
            # Not folded: a long line of source is the terminal's to wrap.
            self.terminal.spans((text, "bold" if number == line else ""))

    def events(self) -> None:
        """Print the events before and after the current one."""
        position, length = self.stepper.position, len(self.stepper.events)
        first = max(0, min(position - 1 - AROUND, length - 2 * AROUND - 1))
        for event in self.stepper.events[first : first + 2 * AROUND + 1]:
            here = event.index + 1 == position
            number = f"{event.index + 1:>{len(str(length))}} {'->' if here else '  '}  "
            text, *_ = str(event).split("   ")
            text += " complete" if event.kind == "done" else ""
            line = f"{number}{crop(text, self.terminal.width - len(number))}"
            self.terminal.line(line, "bold" if here else QUIET if event.index >= position else "")

    def nodes(self, nodes: Sequence[Value]) -> None:
        """Print the values and gradients of nodes."""
        names = [crop(self.recording.name(node), 36) for node in nodes]
        width = max(map(len, names))
        for node, name in zip(nodes, names, strict=True):
            value, gradient = self.stepper.value(node), self.stepper.gradient(node)
            known = show(value) if value is not None else "not yet"
            style = {"unknown": QUIET, "partial": WARNING, "complete": FACT}[gradient.status]
            self.terminal.spans(
                "  ",
                f"{name:<{width}} = ",
                (f"{known:<12}", style_of(value)),
                ("gradient ", QUIET),
                (str(gradient), style),
            )

    def leaves(self) -> None:
        """Print the values and gradients of the leaves, as many as fit, and of the root."""
        leaves = [node for node in self.recording.nodes if node.op is None]
        self.nodes([*dict.fromkeys([*leaves[: MAX_ROWS - 1], self.recording.root])])
        if len(leaves) >= MAX_ROWS:
            self.terminal.line(f"  and {len(leaves) - MAX_ROWS + 1} more leaves", QUIET)
