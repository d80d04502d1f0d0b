"""Who asks for a number while a function is recorded: which line, to what end, in which thread."""

from __future__ import annotations

import sys
from functools import partial
from threading import get_ident
from types import CodeType, FrameType, FunctionType
from typing import Any

from autograd.compiler.reach import is_foreign, reached
from autograd.modes import OWN_CODE, source_line
from autograd.place import place_of
from autograd.transforms import SparseDerivative

WAITING = frozenset("asyncio concurrent multiprocessing queue threading".split())
"""Modules whose code runs in a thread that waits for another one."""

GENERATED = "__create_fn__"
"""In the names of methods that a dataclass has, which stand in no file."""


def users_place() -> str:
    """Return the innermost place in a user's code: neither ours nor in a library."""
    frame = innermost(sys._getframe(1))
    return place_in(frame, frame.f_lineno) if frame else place_of(("", *source_line()))


def is_users(frame: FrameType) -> bool:
    """Return whether a frame is in code that a library has no part in."""
    return not is_foreign(_module_of(frame))


def innermost(frame: FrameType | None) -> FrameType | None:
    """Return the first frame in a user's code, from one on outwards."""
    while frame and (GENERATED in frame.f_code.co_qualname or not is_users(frame)):
        frame = frame.f_back
    return frame


def place_in(frame: FrameType, line: int) -> str:
    return place_of(("", frame.f_code.co_filename, line))


def _module_of(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name


def place_elsewhere(f: Any, thread: int) -> str:
    """Return the place that asks just now, in another thread, on behalf of a function.

    It is its own code that asks, or no user's, or the function waits for another thread.

    Args:
        f: the function.
        thread: where it runs.

    Returns:
        "" if somebody else asks.
    """
    frame = innermost(sys._getframe(1))
    is_own = frame is None or frame.f_code in _codes_within(f)
    if not (is_own or (thread != get_ident() and _waits(thread))):
        return ""
    return place_in(frame, frame.f_lineno) if frame else _home_of(thread)


def _waits(thread: int) -> bool:
    frame = sys._current_frames().get(thread)
    while frame and not is_users(frame):
        if _module_of(frame).partition(".")[0] in WAITING:
            return True
        frame = frame.f_back
    return False


def _home_of(thread: int) -> str:
    """Return where a user's code is in a thread."""
    frame = innermost(sys._current_frames().get(thread))
    return place_in(frame, frame.f_lineno) if frame else ""


def _codes_within(f: Any) -> set[CodeType]:
    """Return the code that a function can reach, and what is defined in it."""
    codes = [thing.__code__ for thing in reached(f) if isinstance(thing, FunctionType)]
    for code in codes:  # which grows
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*codes}


def users_function(f: Any) -> Any:
    """Return the function behind partials and derivatives of it, and what of ours wraps it."""
    while True:
        inner = None
        if isinstance(f, partial | SparseDerivative):
            inner = f.func if isinstance(f, partial) else f.f
        elif _top(f) in OWN_CODE and hasattr(f, "__wrapped__"):
            inner = f.__wrapped__
        elif getattr(f, "__module__", "") == SparseDerivative.__module__:
            names = getattr(f, "__code__", home_of.__code__).co_freevars
            held = dict(zip(names, getattr(f, "__closure__", None) or (), strict=True))
            cell = held.get("f", held.get("both"))
            inner = cell and cell.cell_contents
        if inner is None:
            return f
        f = inner


def _top(f: Any) -> str:
    return str(getattr(f, "__module__", "")).partition(".")[0]


def home_of(f: Any) -> str:
    """Return where a function stands, as messages begin; "" if it is none of Python's."""
    f = users_function(f)
    for code in (getattr(f, "__code__", None), getattr(type(f).__call__, "__code__", None)):
        if isinstance(code, CodeType):
            return f"{place_of(('', code.co_filename, code.co_firstlineno))}: "
    return ""
