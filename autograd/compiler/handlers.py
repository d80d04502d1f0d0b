"""Whether running code stands in a ``try`` that would catch an error: read from its byte code."""

from __future__ import annotations

import builtins
import dis
import sys
from functools import lru_cache
from types import CodeType, FrameType

from autograd.modes import OWN_CODE


def catching_frame(error: type[Exception], until: str) -> FrameType | None:
    """Return the innermost frame of code not our own that would catch an error raised just now.

    Args:
        until: the module of the frame at which the search ends.

    A ``with`` counts as one that doesn't, whatever it does; a name that isn't global as one that
    does.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__") != until:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in OWN_CODE:
            for name in _caught(frame.f_code, frame.f_lasti):
                known = frame.f_globals.get(name, getattr(builtins, name, error))
                if not isinstance(known, type) or issubclass(error, known):
                    return frame
        frame = frame.f_back
    return None


@lru_cache(maxsize=1024)
def _caught(code: CodeType, offset: int) -> tuple[str, ...]:
    """Return what the handlers catch that an instruction stands in, by name; "" for anything."""
    found: list[str] = []
    code_of = dis.Bytecode(code)
    instructions = list(code_of)
    place = {instruction.offset: i for i, instruction in enumerate(instructions)}
    entries = getattr(code_of, "exception_entries", ())
    seen: set[int] = set()
    while True:
        targets = [e.target for e in entries if e.start <= offset < e.end and e.target not in seen]
        if not targets:
            return tuple(found)
        offset = targets[0]
        seen.add(offset)
        at = place[offset]
        names = [instruction.opname for instruction in instructions[at : at + 2]]
        if names == ["PUSH_EXC_INFO", "POP_TOP"]:
            found.append("")
        elif names[0] == "PUSH_EXC_INFO" and names[1:] != ["WITH_EXCEPT_START"]:
            loaded: list[str] = []
            for instruction in instructions[at + 1 :]:
                if instruction.opname == "RERAISE":
                    break
                if instruction.opname == "CHECK_EXC_MATCH":
                    found += loaded
                    loaded = []
                elif instruction.opname.startswith(("LOAD_", "BUILD_TUPLE")):
                    if isinstance(instruction.argval, str):
                        loaded.append(instruction.argval)
                else:
                    loaded = []
