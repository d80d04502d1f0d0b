"""Step through a backward pass, forwards and back."""

from __future__ import annotations

from typing import Any

from autograd.engine import Value
from autograd.events import Event, Recording


class Stepper:
    """A cursor in the recorded run of ``out.backward()``, without its side effects.

    Args:
        out: the node to differentiate.
        seed: the adjoint it starts with.
        max_events: refuse to record more than this.

    Attributes:
        events: the whole run; see `Event`.
        position: how many events have been applied, from 0 to ``len(events)``.

    Raises:
        ValueError: the run is longer than ``max_events``.
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
        self.position = 0

    def next(self) -> Event | None:
        """Apply and return the next event; None at the end."""
        if self.position == len(self.events):
            return None
        self.position += 1
        return self.events[self.position - 1]

    def back(self) -> Event | None:
        """Take back and return the last event applied; None at the start."""
        if self.position == 0:
            return None
        self.position -= 1
        return self.events[self.position]

    def goto(self, target: int | Value) -> Event | None:
        """Move to a position, or to just after a node's adjoint is complete.

        Returns the last event applied, None at the start.

        Raises:
            IndexError: the position lies outside 0 to ``len(events)``.
            ValueError: the node is not part of this run.
        """
        if isinstance(target, Value):
            if target not in self.recording.done:
                raise ValueError(f"{target!r} is not below the node this run started from")
            position = self.recording.done[target] + 1
        elif 0 <= target <= len(self.events):
            position = target
        else:
            raise IndexError(f"position {target} is outside 0 to {len(self.events)}")
        self.position = position
        return self.events[position - 1] if position else None

    def reset(self) -> None:
        """Go back to the start."""
        self.position = 0

    def name(self, node: Value) -> str:
        """Return the name under which the events print a node."""
        return self.recording.name(node)

    def to_json(self) -> dict[str, Any]:
        """Return the run as plain data; see `Recording.to_json` for the schema."""
        return self.recording.to_json()

    def __repr__(self) -> str:
        here = f": {self.events[self.position - 1]}" if self.position else ""
        return f"<Stepper at {self.position} of {len(self.events)}{here}>"
