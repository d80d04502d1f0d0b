"""`Checkpoint`: what a training is at after an epoch, in files that are whole at any moment.

The state is one file, replaced in one go. The history is another, beside it, to which each epoch
adds a line; the state says how much of it counts. So a kill at any moment leaves the last state
with its history, and all that is written of a training grows with its length and no faster.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from nn.documents import (
    NOT_FINITE,
    StateError,
    as_float,
    as_text,
    contents_of,
    parsed,
    read_json,
    write_json,
)
from nn.history import History, StepRecord

WRITING_SHARE = 0.05
"""Which share of a training's time may go into writing.

The first epoch's end is always written, and how far the training has come when it ends, in whatever
way but a kill.
"""

FORMAT, VERSION = "chainrule checkpoint", 2
SUFFIXES = (".history", ".history-2")
"""Two histories: a training must not begin with the one that the state before it needs."""


class Saved(NamedTuple):
    """What was read from a checkpoint.

    Attributes:
        path: of the checkpoint.
        state: as it was written, whatever else has become of the file.
        history: up to then.
        lines: the history as its file has it.
    """

    path: Path
    state: dict[str, Any]
    history: History
    lines: bytes


class Checkpoint:
    """Writes a training's checkpoint, as often as the time allows.

    Args:
        path: of the state.
        saved: what the training goes on from.
    """

    def __init__(self, path: Path, saved: Saved | None) -> None:
        self.path = path
        self.written = 0
        self._lines: list[bytes] = []
        self._digest = hashlib.sha256()
        self._bytes = 0
        self._begun = time.monotonic()
        self._spent = self._last = 0.0
        used = _used(path)
        self._journal = _beside(path, SUFFIXES[0] if used != SUFFIXES[0] else SUFFIXES[1])
        self._is_new = True
        if saved is not None:
            self.written = len(saved.history.loss)
            if saved.path.resolve() == path.resolve():
                self._journal, self._is_new = _beside(path, used), False
                self._bytes = len(saved.lines)
                self._digest.update(saved.lines)
            else:
                self._lines.append(saved.lines)

    def note(self, history: History, warnings: int) -> None:
        """Note the last epoch of the history, and its warnings from the given place on."""
        self._lines.append(_line(history, warnings))

    @property
    def is_due(self) -> bool:
        """Whether there is time to write, in a training that goes on."""
        gone = time.monotonic() - self._begun
        return not self._last or self._spent + self._last <= WRITING_SHARE * gone

    def write(self, state: dict[str, Any], epochs: int) -> None:
        """Write what was noted of so many epochs, and the state after them."""
        started = time.monotonic()
        # The lines of what was gone on from come as one; an epoch that was not finished has no say.
        count = epochs - self.written + (not self._bytes and self.written > 0)
        more = b"".join(self._lines[:count])
        digest = self._digest.copy()
        digest.update(more)
        self._append(more)
        history = {
            "suffix": self._journal.name.removeprefix(self.path.name),
            "bytes": self._bytes + len(more),
            "digest": digest.hexdigest(),
            "epochs": epochs,
        }
        content = {**state, "history": history}
        head = {"format": FORMAT, "version": VERSION, "digest": _digest(content)}
        write_json(self.path, {**head, "state": content})
        self._digest, self._bytes, self.written = digest, self._bytes + len(more), epochs
        del self._lines[:count]
        for suffix in SUFFIXES:
            if (old := _beside(self.path, suffix)) != self._journal:
                old.unlink(missing_ok=True)
        self._last = time.monotonic() - started
        self._spent += self._last

    def _append(self, content: bytes) -> None:
        """Bring content to the disk, past what the state so far needs and nothing else."""
        try:
            if self._is_new:
                self._journal.unlink(missing_ok=True)
            with open(self._journal, "xb" if self._is_new else "r+b") as file:
                self._is_new = False
                file.truncate(self._bytes)
                file.seek(self._bytes)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._journal)) from None


def read(path: Path) -> Saved:
    """Return what is in a checkpoint, all of it looked through.

    Raises:
        StateError: it is damaged, or no checkpoint.
        FileNotFoundError: there is none.
    """
    state = _state(path)
    try:
        kept = state["history"]
        suffix, size, epochs = kept["suffix"], kept["bytes"], kept["epochs"]
        if suffix not in SUFFIXES or type(size) is not int or type(epochs) is not int:
            raise TypeError("the history")
        journal = _beside(path, suffix)
        lines = contents_of(journal)[:size]
        if len(lines) != size or hashlib.sha256(lines).hexdigest() != kept["digest"]:
            raise StateError(f"{path} is damaged: its history, {journal.name}, is another one")
        history = _history(journal, lines)
        if len(history.loss) != epochs:
            raise StateError(f"{path} is damaged: {epochs!r:.20} epochs, its history is not")
        history.layers = tuple(state["training"]["layers"])
        history.backend, history.stopped = state["backend"], state["stopped"] is True
    except FileNotFoundError as error:
        raise StateError(f"{path} has lost its history, {error.filename}") from None
    except (LookupError, TypeError, ValueError, ZeroDivisionError, struct.error) as error:
        if isinstance(error, StateError):
            raise
        raise StateError(f"{path} is damaged: {type(error).__name__}: {error!s:.200}") from None
    return Saved(path, _floats(state), history, lines)


def callbacks_in(path: Path) -> list[Any]:
    """Return the states of the callbacks in a checkpoint, None for one that has none.

    Raises:
        StateError, FileNotFoundError: as for `read`.
    """
    callbacks = _state(path).get("callbacks")
    if not isinstance(callbacks, list):
        raise StateError(f"{path} is damaged: it holds no callbacks")
    return callbacks


def _state(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StateError(f"{path} is no checkpoint of chainrule's")
    if content.get("version") != VERSION:
        raise StateError(
            f"{path} is of version {content.get('version')!r:.20}, this reads {VERSION}: train anew"
        )
    state = content.get("state")
    if not isinstance(state, dict) or _digest(state) != content.get("digest"):
        raise StateError(f"{path} is damaged: it is not as it was written")
    return state


def _digest(content: Any) -> str:
    return hashlib.sha256(as_text(content).encode()).hexdigest()


def _used(path: Path) -> str:
    """Return which history the state needs that is there now; "" if none."""
    with suppress(StateError, OSError, KeyError, TypeError):
        return str(_state(path)["history"]["suffix"])
    return ""


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


SERIES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


def _line(history: History, warnings: int) -> bytes:
    """Return what the last epoch has added to a history, on one line."""
    epoch = len(history.loss)
    steps: list[StepRecord] = []
    for step in reversed(history.steps):
        if step.epoch != epoch:
            break
        steps.append(step)
    numbers = [
        number
        for step in reversed(steps)
        for number in (step.loss, step.learning_rate, step.scale, *step.gradients, *step.updates)
    ]
    content = {
        **{name: getattr(history, name)[-1] for name in SERIES if getattr(history, name)},
        "metrics": {name: kept[-1] for name, kept in history.metrics.items()},
        "warnings": history.warnings[warnings:],
        "dead_units": history.dead_units if len(history.warnings) > warnings else None,
        "batches": len(steps),
        # As text, the steps of a short training take longer to write than to make.
        "steps": b64encode(struct.pack(f"<{len(numbers)}d", *numbers)).decode(),
    }
    return (as_text(content) + "\n").encode()


def _history(journal: Path, lines: bytes) -> History:
    """Return the history that the lines tell."""
    history = History()
    for epoch, line in enumerate(lines.splitlines(), 1):
        content = parsed(str(journal), line)
        for name in SERIES:
            if name in content:
                getattr(history, name).append(as_float(name, content[name]))
        for name, figure in content["metrics"].items():
            history.metrics.setdefault(name, []).append(_floats(figure))
        history.warnings += map(str, content["warnings"])
        if content["dead_units"] is not None:
            history.dead_units = list(map(str, content["dead_units"]))
        packed = b64decode(content["steps"], validate=True)
        numbers = struct.unpack(f"<{len(packed) // 8}d", packed)
        batches = content["batches"]
        width, rest = divmod(len(numbers), batches)
        half, odd = divmod(width - 3, 2)
        if rest or odd or half < 0:
            raise StateError(f"{journal} is damaged: epoch {epoch} has steps of another kind")
        for batch in range(batches):
            row = numbers[batch * width : (batch + 1) * width]
            loss, rate, scale = row[:3]
            gradients, updates = row[3 : 3 + half], row[3 + half :]
            record = StepRecord(epoch, batch, loss, rate, scale, gradients, updates)
            history.steps.append(record)
    if not all(len(getattr(history, name)) in (0, len(history.loss)) for name in SERIES):
        raise StateError(f"{journal} is damaged: epochs are missing")
    return history


def _floats(content: Any) -> Any:
    """Return plain data with the strings for floats that are not finite as floats."""
    if isinstance(content, dict):
        return {key: _floats(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_floats(value) for value in content]
    return float(content) if content in NOT_FINITE else content
