"""What is typed: the history of sessions, and what may follow a word."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from autograd.command.condition import FLAGS, NUMBERS, TEXTS
from autograd.command.debugger.commands import ALIASES, COMMANDS
from autograd.command.expression import FUNCTIONS
from autograd.engine import Value
from autograd.stepping.mistakes import WAYS

MAX_HISTORY = 1000
"""How many lines of history are kept between sessions."""


def history_path() -> Path:
    """Return where the history of sessions is kept, by the habits of the platform."""
    if sys.platform == "win32":
        state = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "chainrule" / "history"


@contextmanager
def line_editing() -> Iterator[None]:
    """Set up history and completion, where there is readline; keep the history afterwards."""
    try:
        import readline
    except ImportError:
        yield
        return
    # A name is one word, dots, dashes and brackets included.
    delimiters = readline.get_completer_delims()
    readline.set_completer_delims(" \t\n\"'()<>=!,*/+")
    readline.set_history_length(MAX_HISTORY)
    with suppress(OSError, RuntimeError):  # none yet, unreadable, or no home
        readline.read_history_file(history_path())
    try:
        yield
    finally:
        readline.set_completer_delims(delimiters)
        with suppress(OSError, RuntimeError):  # a session does not fail for want of a history
            history_path().parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history_path())


def completions(text: str, before: str, names: Mapping[str, Value]) -> list[str]:
    """Return what ``text`` may become: a node's name, or a word of a condition.

    Args:
        before: the line up to ``text``.
        names: the nodes of the run, by name.
    """
    word = before.split()[0]
    word = ALIASES.get(word, word)
    compared = re.search(r"(\w+)\s*[=!]=\s*[\"']$", before)
    if compared:
        words = _texts(compared[1], names)
    elif word in ("break", "run", "reverse"):
        words = [*NUMBERS, *TEXTS, *FLAGS, *FUNCTIONS, "finite", "and", "or", "not", *names]
    elif word == "wrong":
        words = list(WAYS)
    elif word == "help":
        words = list(COMMANDS)
    else:
        words = list(names)
    return sorted({w for w in words if w.startswith(text)})


def _texts(variable: str, names: Mapping[str, Value]) -> list[str]:
    """Return the texts that a variable of conditions can have in this run."""
    nodes = names.values()
    if variable == "op":
        return [node.op.name for node in nodes if node.op]
    if variable == "kind":
        return ["forward", "edge", "done"]
    if variable == "label":
        return [node.label for node in nodes if node.label]
    if variable == "name":
        return list(names)
    paths = {node.origin[0] for node in nodes if node.origin and node.origin[0]}
    parts = [path.split(".") for path in paths]
    return [".".join(p[: i + 1]) for p in parts for i in range(len(p))]
