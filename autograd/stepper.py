"""Step through a backward pass, forwards and back, and ask it questions."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.engine import Value
from autograd.errors import quoted
from autograd.files import write_whole
from autograd.stepping.derivation import Derivation
from autograd.stepping.events import Event, Gradient, Recording
from autograd.stepping.exercises import Exercises
from autograd.stepping.experiment import WhatIf, what_if
from autograd.stepping.ledger import Ledger
from autograd.stepping.mistakes import Mistake, make_mistake
from autograd.stepping.quiz import Quiz
from autograd.stepping.schema import as_json

if TYPE_CHECKING:
    from autograd.page.widget import StepperWidget


class Stepper:
    """A cursor in the recorded run of ``out.backward()``, without its side effects.

    Args:
        out: the node to differentiate.
        seed: the adjoint it starts with.
        max_events: refuse to record more than this.

    Attributes:
        events: the whole run, an immutable sequence; see `Event`.
        position: how many events have been applied, from 0 to ``len(events)``.
        recording: the run with its indices and names; see `Recording`.

    Raises:
        ValueError: the run is longer than ``max_events``.
        StaleValueError: a ``.data`` was changed after the forward pass: compute ``out`` again.
        DomainError, CycleError: as ``out.backward()``.

    >>> x = Value(3.0, label="x")
    >>> stepper = Stepper(x * x)
    >>> for event in stepper.events:
    ...     print(event)
    x = 3.0
    n1 = x * x = 3.0 * 3.0 = 9.0
    d n1/d n1 = 1.0   complete
    d n1/d x += upstream * local = 1.0 * 3.0 = 3.0   (total 3.0)   n1 = x * x, d n1/d x = x
    d n1/d x += upstream * local = 1.0 * 3.0 = 3.0   (total 6.0)   n1 = x * x, d n1/d x = x
    d n1/d x = 6.0   complete
    """

    def __init__(self, out: Value, seed: float = 1.0, max_events: int = 1_000_000) -> None:
        self.recording = Recording(out, seed, max_events)
        self.events = self.recording.events
        self._position = 0
        self._followers: list[Callable[[int], object]] = []

    @property
    def position(self) -> int:
        """How many events have been applied."""
        return self._position

    @position.setter
    def position(self, position: int) -> None:
        self._position = position
        for follow in self._followers:
            follow(position)

    def next(self) -> Event | None:
        """Apply and return the next event; None at the end."""
        if self.position == len(self.events):
            return None
        self.position += 1
        return self.current

    def back(self) -> Event | None:
        """Take back and return the last event applied; None at the start."""
        taken = self.current
        if taken is not None:
            self.position -= 1
        return taken

    def goto(self, target: int | Value) -> Event | None:
        """Move to a position, or to just after a node's adjoint is complete.

        Returns the last event applied, None at the start.

        Raises:
            IndexError: the position lies outside 0 to ``len(events)``.
            ValueError: the node is not part of this run.
        """
        if isinstance(target, Value):
            target = self.recording.done[self.recording.known(target)] + 1
        if not hasattr(target, "__index__"):
            raise TypeError(
                f"a position is a whole number or a node of the run: got {quoted(target)}"
            )
        if not 0 <= target <= len(self.events):
            raise IndexError(f"position {quoted(target)} is outside 0 to {len(self.events)}")
        self.position = target
        return self.current

    def run(self, until: Callable[[Event], bool] | None = None) -> Event | None:
        """Apply events until one satisfies ``until``, and return it.

        Without a condition, or if it never holds, goes to the end and returns None.
        `autograd.stepping.breakpoints` has conditions to combine.
        """
        try:
            while self._position < len(self.events):
                self._position += 1
                if until is not None and until(self.events[self._position - 1]):
                    return self.current
            return None
        finally:
            self.position = self._position  # those who follow are told once

    def reverse_run(self, until: Callable[[Event], bool] | None = None) -> Event | None:
        """Take back events until the last one applied satisfies ``until``, and return that.

        Without a condition, or if it never holds, goes to the start and returns None.
        """
        try:
            while self._position > 0:
                self._position -= 1
                event = self.current
                if event is not None and until is not None and until(event):
                    return event
            return None
        finally:
            self.position = self._position

    def reset(self) -> None:
        """Go back to the start."""
        self.position = 0

    @property
    def current(self) -> Event | None:
        """The last event applied; None at the start."""
        return self.events[self.position - 1] if self.position else None

    def gradient(self, node: Value) -> Gradient:
        """Return what is known of d out / d node at this position: never a number too early."""
        return self.recording.gradient_at(self.position, node)

    def value(self, node: Value) -> float | None:
        """Return the number of a node; None while it hasn't been computed at this position."""
        return self.recording.value_at(self.position, node)

    def why(self, node: Value, heaviest: int = 3) -> Ledger:
        """Return the account of d out / d node: every contribution, and the heaviest paths."""
        return Ledger(self.recording, node, heaviest)

    def derivation(self, node: Value, most: int = 60) -> Derivation:
        """Return the chain rule worked out for ``node``, as text, Markdown and LaTeX."""
        return Derivation(self.recording, node, most)

    def what_if(self, node: Value, value: float) -> WhatIf:
        """Return what would become of ``out`` with another number at ``node``.

        Raises:
            DomainError: the number leaves the domain of an op.
        """
        return what_if(self.recording, node, value)

    def wrong_way(self, way: str) -> Mistake:
        """Return a wrong backward pass beside the right one.

        Args:
            way: ``"no sort"``, ``"overwrite"`` or ``"no zero_grad"``.
        """
        return make_mistake(self.recording, way)

    def quiz(self, tolerance: float = 1e-3) -> Quiz:
        """Return the run as questions: the next number is hidden."""
        return Quiz(self.recording, tolerance)

    def exercises(self, most: int = 10) -> Exercises:
        """Return an exercise sheet with its solutions, as text, Markdown and LaTeX.

        Args:
            most: how many edges it asks about.
        """
        return Exercises(self.recording, most)

    def name(self, node: Value) -> str:
        """Return the name under which the events print a node."""
        return self.recording.name(node)

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain data; see `autograd.stepping.schema.as_json`."""
        return as_json(self.recording)

    def save(self, path: str | os.PathLike[str], title: str = "") -> Path:
        """Write the run as one HTML file, a debugger for the browser, and return its path.

        The file appears whole or not at all. It needs no network, and shows the source of the
        functions whose nodes were recorded under `debug`.

        Raises:
            ValueError: the path has another extension than .html.
            OSError: the file can't be written.
        """
        from autograd import page

        path = Path(path)
        if path.suffix.lower() not in ("", ".html", ".htm"):
            raise ValueError(
                f"the debugger is a page, not a {path.suffix}: save it as "
                f"{path.with_suffix('.html').name!r}; `write` and `animate` make pictures"
            )
        write_whole(path, page.build(self.recording, self.position, title=title).encode())
        return path

    def animate(self, path: str | os.PathLike[str], seconds: float = 1.2) -> Path:
        """Write the backward pass as a film on one fixed layout, for a slide; return its path.

        Args:
            path: its extension decides: .svg, which plays by CSS without a script, or .gif.
            seconds: how long each event is shown.

        Raises:
            ValueError: another extension, or more nodes than are legible.
            MissingExtraError: Graphviz, or Pillow for a GIF, is not installed.
            OSError: the file can't be written.
        """
        from autograd.drawing import film

        path = Path(path)
        format = path.suffix[1:].lower()
        if format not in ("svg", "gif"):
            raise ValueError(f"can't animate to {str(path)!r}: its extension is .svg or .gif")
        found = film.film_of(self.recording)
        if format == "svg":
            content = film.svg_of(found, seconds).encode()
        else:
            from autograd.drawing.gif import gif_of

            content = gif_of(found, seconds)
        write_whole(path, content)
        return path

    def widget(self, height: int = 720) -> StepperWidget:
        """Return the page as a widget that moves with this stepper, both ways.

        Its traits ``position``, ``node`` and ``level`` are where the page stands: what is clicked
        there is read here, and what is set here is shown there.

        Args:
            height: in pixels.

        Raises:
            MissingExtraError: anywidget is not installed.
        """
        from autograd.page.widget import StepperWidget

        widget = StepperWidget(self, height)
        self._followers.append(widget.follow)
        return widget

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return where the stepper stands: as the page, a picture and text.

        The page is a script, which a notebook that is trusted runs. What doesn't run it, or does
        not know this type of it, as nbconvert, shows the picture.
        """
        from autograd.page import build, notebook

        bundle = {
            "text/plain": repr(self),
            "text/javascript": notebook.framing(build(self.recording, self.position)),
        }
        return bundle | notebook.picture(self)

    def _mime_(self) -> tuple[str, str]:
        """Return what marimo shows."""
        from autograd.page import build, notebook

        return "text/html", notebook.frame(build(self.recording, self.position))

    def __repr__(self) -> str:
        here = f": {self.current}" if self.current else ""
        return f"<Stepper at {self.position} of {len(self.events)}{here}>"
