"""Who asks for a number while a function is recorded: which line, to what end, in which thread."""

from __future__ import annotations

import dis
import sys
from functools import lru_cache
from threading import get_ident
from types import CodeType, FrameType, FunctionType
from typing import Any

from autograd.compiler.reach import is_foreign, reached
from autograd.modes import source_line
from autograd.place import place_of

MESSAGES = frozenset("autograd.compiler.recording autograd.errors asyncio.base_futures".split())
"""Modules that make text for messages; the first runs the function, and is around all its code."""

WAITING = frozenset("asyncio concurrent multiprocessing queue threading".split())
"""Modules whose code runs in a thread that waits for another one."""

HANDS_ON = tuple(
    "BINARY_OP BUILD CACHE CALL CONVERT EXTENDED_ARG FORMAT GET_ITER JUMP_BACKWARD KW_NAMES "
    "LIST_APPEND LIST_EXTEND LOAD MAKE NOP PRECALL PUSH_NULL RESUME".split()
)
"""What instructions begin with that put something together, or give it to a call."""

GENERATED = "__create_fn__"
"""In the names of methods that a dataclass has, which stand in no file."""

TOLD = "POP_TOP"
"""The instruction at the end of a statement that is a call."""

RETURNS = ("RETURN", "YIELD")
"""What those begin with that hand a result to the caller."""


def users_place() -> str:
    """Return the innermost place in a user's code: neither ours nor in a library."""
    frame = _innermost(sys._getframe(1))
    return place_in(frame, frame.f_lineno) if frame else place_of(("", *source_line()))


def is_users(frame: FrameType) -> bool:
    """Return whether a frame is in code that a library has no part in."""
    return not is_foreign(_module_of(frame))


def _innermost(frame: FrameType | None) -> FrameType | None:
    """Return the first frame in a user's code, from one on outwards."""
    while frame and (GENERATED in frame.f_code.co_qualname or not is_users(frame)):
        frame = frame.f_back
    return frame


def place_in(frame: FrameType, line: int) -> str:
    return place_of(("", frame.f_code.co_filename, line))


def _module_of(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name


def is_only_told() -> bool:
    """Return whether a text that is made just now is for no more than a call, such as print's.

    Nobody takes what the call returns, or it is a label, so that nothing goes by the text.
    """
    frame: FrameType | None = sys._getframe(1)
    end = TOLD
    while frame and _module_of(frame) not in MESSAGES:
        if is_users(frame):
            end = _end_of(frame.f_code, frame.f_lasti)
            if not end.startswith(RETURNS):
                break
        frame = frame.f_back
    return end == TOLD


@lru_cache(maxsize=1024)
def _end_of(code: CodeType, offset: int) -> str:
    """Return the instruction that does more with a result than to put it into something else.

    That is `TOLD` for a label, and for a variable that is only told wherever it is read.
    """
    instructions = list(dis.get_instructions(code))
    ends: list[str] = []
    followed: set[str] = set()
    offsets = [offset]
    for start in offsets:  # which grows
        later = (i for i in instructions if i.offset > start)
        end = next((i for i in later if not i.opname.startswith(HANDS_ON)), None)
        if end is None:
            return ""
        if end.opname == "STORE_FAST":
            if end.argval not in followed:
                followed.add(end.argval)
                reads = (i for i in instructions if i.argval == end.argval)
                offsets += [i.offset for i in reads if i.opname.startswith("LOAD_FAST")]
        elif not (end.opname == "STORE_ATTR" and end.argval == "label"):
            ends.append(end.opname)
    # What goes by it here decides; what is returned, the caller may only tell.
    return min(ends, key=lambda end: (end == TOLD, end.startswith(RETURNS)), default=TOLD)


def place_elsewhere(f: Any, thread: int) -> str:
    """Return the place that asks just now, in another thread, on behalf of a function.

    It is its own code that asks, or no user's, or the function waits for another thread.

    Args:
        f: the function.
        thread: where it runs.

    Returns:
        "" if somebody else asks.
    """
    frame = _innermost(sys._getframe(1))
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
    frame = _innermost(sys._current_frames().get(thread))
    return place_in(frame, frame.f_lineno) if frame else ""


def _codes_within(f: Any) -> set[CodeType]:
    """Return the code that a function can reach, and what is defined in it."""
    codes = [thing.__code__ for thing in reached(f) if isinstance(thing, FunctionType)]
    for code in codes:  # which grows
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*codes}
