"""One moment of a run: what is computed, by which rule, with which numbers."""

from __future__ import annotations

import math
import os

from autograd.command.terminal import BAD, NUMBER, QUIET, WARNING, Terminal, crop
from autograd.engine import Value
from autograd.stepper import Stepper
from autograd.stepping import breakpoints as at
from autograd.stepping.events import Edge, Event
from autograd.stepping.notation import counted, padded, show

MAX_PLACE_COLUMN = 100
"""On a wider terminal, the place of an event does not move further to the right."""


class Screen:
    """Prints where a stepper stands."""

    def __init__(self, stepper: Stepper, terminal: Terminal) -> None:
        self.stepper = stepper
        self.recording = stepper.recording
        self.terminal = terminal
        self.length = len(stepper.events)
        self.root = self.recording.name(self.recording.root)

    def print(self) -> None:
        """Print the moment: what is computed, by which rule, with which numbers."""
        event = self.stepper.current
        if event is None:
            self.terminal.line(
                f"the start: no event of {self.length} has happened; next applies the first"
            )
            return
        self._headline(event)
        if event.kind == "forward":
            self._show_forward(event)
        elif isinstance(event, Edge):
            self._show_edge(event)
        else:
            count = len(self.recording.incoming[event.node])
            source = f"the sum of {counted(count, 'contribution')}" if count else "the seed"
            name = self.recording.name(event.node)
            start = f"  complete  d {self.root}/d {name} = "
            self.terminal.spans(
                (start[:12], QUIET), start[12:], (show(event.total), style_of(event.total)),
                (f"   {source}", QUIET),
            )  # fmt: skip
        if self.stepper.position == self.length:
            self.terminal.line("the end of the run: every gradient is complete", QUIET)

    def _headline(self, event: Event) -> None:
        name = self.recording.name
        if event.arg is not None:
            what = f"{name(event.node)} passes on to {name(event.arg)}"
        else:
            verb = "is complete" if event.kind == "done" else "is computed"
            verb = "is a leaf" if event.kind == "forward" and event.node.op is None else verb
            what = f"{name(event.node)} {verb}"
        count = f"event {event.index + 1} of {self.length}"
        scope, file, line = event.node.origin or ("", None, None)
        file = os.path.relpath(file) if file and os.path.isabs(file) else file
        place = "   ".join(filter(None, [scope, f"{file}:{line}" if file else ""]))
        room = min(self.terminal.width, MAX_PLACE_COLUMN) - len(count) - len(what) - len(place) - 3
        if place and room < 3:
            self.terminal.spans((count, "bold"), f"   {what}")
            self.terminal.line(f"  at        {place}", QUIET)
        else:
            gap = " " * room if self.terminal.is_interactive else "   "
            place = gap + place if place else ""
            self.terminal.spans((count, "bold"), f"   {what}", (place, QUIET))

    def _show_forward(self, event: Event) -> None:
        node, name = event.node, self.recording.name(event.node)
        if node.op is None:
            self.terminal.spans(
                ("  value     ", QUIET), f"{name} = ", (show(event.total), style_of(event.total))
            )
            return
        numbers = [show(self.recording.value(arg)) for arg in node.args]
        names = [
            self.recording.name(arg) if isinstance(arg, Value) else number
            for arg, number in zip(node.args, numbers, strict=True)
        ]
        if node.op.binds and len(names) > 1:
            names, numbers = padded([names, numbers], "<")
        room = self.terminal.width - len(name) - 16
        self.terminal.spans(
            ("  value     ", QUIET), f"{name} = {crop(node.op.spell(*names).rstrip(), room)}"
        )
        indent = " " * (12 + len(name))
        self.terminal.spans(f"{indent} = {crop(node.op.spell(*numbers).rstrip(), room)}")
        self.terminal.spans(f"{indent} = ", (show(event.total), style_of(event.total)))

    def _show_edge(self, event: Edge) -> None:
        recording, node, arg = self.recording, event.node, event.arg
        name, target = recording.name(node), recording.name(arg)
        room = self.terminal.width - 12
        rule = f"d {name}/d {target} = {recording.named_rule(node, event.slot)}"
        definition = crop(recording.definition(node), room)
        if len(definition) + len(rule) + 6 <= room:
            self.terminal.spans(("  rule      ", QUIET), definition, ("   so ", QUIET), rule)
        else:
            self.terminal.spans(("  rule      ", QUIET), definition)
            self.terminal.spans(("         so ", QUIET), crop(rule, room))
        sought = f"d {self.root}/d {target}"
        factors = [f"d {self.root}/d {name}", f"d {name}/d {target}"]
        if len(sought) + sum(map(len, factors)) + len(" +=  * ") > room:
            factors = ["upstream", "local"]
        factors, numbers = padded([factors, [show(event.upstream), show(event.local)]], "<")
        indent = " " * (len(sought) + 1)
        self.terminal.spans(("  adds      ", QUIET), f"{sought} += {' * '.join(factors).rstrip()}")
        self.terminal.spans(f"{' ' * 12}{indent} = {' * '.join(numbers).rstrip()}")
        self.terminal.spans(
            f"{' ' * 12}{indent} = ", (show(event.product), style_of(event.product))
        )
        nth, count = at.nth(event), len(recording.incoming[arg])
        self.terminal.spans(
            ("  so far    ", QUIET), (show(event.total), style_of(event.total)),
            (f"   after {nth} of {counted(count, 'contribution')}", QUIET),
        )  # fmt: skip


def style_of(x: float | None) -> str:
    """Return how a number is shown; None is one that isn't known yet."""
    if x is None:
        return QUIET
    return BAD if not math.isfinite(x) else WARNING if x == 0 else NUMBER
