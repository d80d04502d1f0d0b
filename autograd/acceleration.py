"""Where `_accelerator` was built from these sources, the engine runs in C, to the same bits.

It stands in for the slots of a node, for the recorders and for the loops of a backward pass;
whatever is rare, it leaves to the Python code, which is whole without it. ``AUTOGRAD_PURE=1`` in
the environment chooses pure Python. An extension that was built from other sources, as when a rule
has been edited since, is left alone: it would compute by the old rule, without a word.
"""

from __future__ import annotations

import os
import sys
from _imp import source_hash  # what Python's own cache of code goes by
from importlib import import_module

TYPE_CHECKING = False  # as in `autograd.annotations`, which stands below
if TYPE_CHECKING:
    from typing import Any, TypeVar

    C = TypeVar("C", bound=type)

SOURCES = "ieee operation ops lowering forms modes schedule engine recorders".split()
"""What the extension computes from, or in the place of."""


def fingerprint(folder: str, *names: str) -> str:
    """Return what tells the sources in ``folder``, or some files there, from others.

    Raises:
        OSError: there are none, as in an archive.
    """
    texts = []
    for name in names or [f"{source}.py" for source in SOURCES]:
        with open(f"{folder}/{name}", "rb") as file:
            texts.append(file.read().replace(b"\r\n", b"\n"))
    return source_hash(1, b"".join(texts)).hex()


def _found() -> Any:
    """Return the extension; None where there is none, or not of these sources."""
    if os.environ.get("AUTOGRAD_PURE", "") not in ("", "0"):
        return None
    try:
        found: Any = import_module("autograd._accelerator")
        folder = sys.modules["autograd"].__path__[0]
        is_current: bool = found.made_from == fingerprint(folder)
    except (ImportError, OSError):
        return None
    try:  # its own text is only where it is built
        is_current = is_current and found.written_as == fingerprint(folder, "_accelerator.c")
    except OSError:
        pass
    except AttributeError:
        return None
    return found if is_current else None


accelerator = _found()


class OpBase:
    """What rows derive from; the one in C notes in them which it has, and records these."""


class ModeBase:
    """What modes derive from: two of their attributes, which C reads."""

    __slots__ = ("origin", "way")

    origin: Any
    way: int


if accelerator and not TYPE_CHECKING:
    OpBase, ModeBase = accelerator.OpBase, accelerator.ModeBase


def accelerated(cls: C) -> C:
    """Return the class of nodes, with its slots in C where that is there."""
    if not accelerator:
        return cls
    made = accelerator.value_of(cls.__base__)
    made._init = vars(cls)["__init__"]  # for all but a leaf of a float
    for name, what in vars(cls).items():
        if name not in vars(made) or name == "__doc__":
            setattr(made, name, what)
    made.__name__ = cls.__name__  # without its module, as messages have it
    return made  # type: ignore[no-any-return]


def engine_name() -> str:
    """Return which engine runs, as ``chainrule --version`` says it."""
    return "engine in C" if accelerator else "engine in Python"
