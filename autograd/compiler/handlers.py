"""Whether running code stands in a ``try`` that would catch an error: read from its byte code."""

from __future__ import annotations

import builtins
import dis
import operator
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import product
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

from autograd.errors import DivisionByZeroError
from autograd.modes import OWN_CODE
from autograd.operation import Op

OF_VALUES: tuple[type[Exception], ...] = (DivisionByZeroError,)
"""What an op of values may raise: an error that is all of those which have to do with a domain."""

OF_FLOATS = (*OF_VALUES, OverflowError, TypeError)
"""What one of floats may: ``x ** 200``, and what takes no complex number that ``x ** 0.5`` is."""

TRIED = (-1.5, 0.0, 1.5, 1e200)
"""Numbers of which some are outside of any domain."""


class Handlers(NamedTuple):
    """What an instruction stands in.

    Attributes:
        caught: what the ``except`` clauses around it catch, by name; "" for anything.
        managers: of each ``with`` around it, the names in the expression after it.
    """

    caught: list[str]
    managers: list[list[str]]


def frame_that_catches(
    op: Op, args: Sequence[object], errors: Sequence[type[Exception]], until: str
) -> FrameType | None:
    """Return the innermost frame of code not our own that would catch what an op may raise.

    Args:
        args: floats, and anything for what may be any number.
        errors: of `OF_FLOATS`, those that matter.
        until: as of `catching_frame`.
    """
    tried = [(arg,) if type(arg) is float else TRIED for arg in args]
    for error in errors:
        frame = catching_frame(error, until)
        if frame and any(_raises(op, numbers, error) for numbers in product(*tried)):
            return frame
    return None


def _raises(op: Op, numbers: Sequence[float], error: type[Exception]) -> bool:
    """Return whether an op of floats raises an error of `OF_FLOATS`, sooner or later."""
    if error is DivisionByZeroError:
        return bool(op.violation([*numbers]))
    try:
        found = getattr(operator, op.operator)(*numbers) if op.operator else 0.0
    except ArithmeticError as raised:
        return isinstance(raised, error)
    return error is TypeError and isinstance(found, complex)


def catching_frame(error: type[Exception], until: str) -> FrameType | None:
    """Return the innermost frame of code not our own that would catch an error raised just now.

    Args:
        until: the module of the frame at which the search ends.

    A ``with`` counts as one that doesn't, but for `contextlib.suppress`; a name that isn't global
    as one that does.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__") != until:
        if frame.f_globals.get("__name__", "").partition(".")[0] not in OWN_CODE:
            caught, managers = _handlers(frame.f_code, frame.f_lasti)
            for name in caught:
                known = frame.f_globals.get(name, getattr(builtins, name, error))
                if not isinstance(known, type) or issubclass(error, known):
                    return frame
            if any(_suppresses(frame, names, error) for names in managers):
                return frame
        frame = frame.f_back
    return None


def _suppresses(frame: FrameType, names: list[str], error: type[Exception]) -> bool:
    """Return whether the manager that these names make suppresses an error."""
    unknown = object()

    def found(name: str) -> Any:
        known = frame.f_locals.get(name, frame.f_globals.get(name, unknown))
        return getattr(builtins, name, unknown) if known is unknown else known

    things = [suppress if name == "suppress" else found(name) for name in names]
    for thing in things:
        if isinstance(thing, suppress):
            return any(issubclass(error, kind) for kind in thing._exceptions)  # type: ignore[attr-defined]
    kinds = [x for x in things if x is not suppress and not isinstance(x, ModuleType)]
    return suppress in things and any(
        not isinstance(kind, type) or issubclass(error, kind) for kind in kinds
    )


@lru_cache(maxsize=1024)
def _handlers(code: CodeType, offset: int) -> Handlers:
    """Return what an instruction stands in."""
    found: list[str] = []
    managers: list[list[str]] = []
    code_of = dis.Bytecode(code)
    instructions = list(code_of)
    place = {instruction.offset: i for i, instruction in enumerate(instructions)}
    entries = getattr(code_of, "exception_entries", ())
    seen: set[int] = set()
    while True:
        targets = [e.target for e in entries if e.start <= offset < e.end and e.target not in seen]
        if not targets:
            return Handlers(found, managers)
        offset = targets[0]
        seen.add(offset)
        at = place[offset]
        names = [instruction.opname for instruction in instructions[at : at + 2]]
        if names == ["PUSH_EXC_INFO", "POP_TOP"]:
            found.append("")
        elif names == ["PUSH_EXC_INFO", "WITH_EXCEPT_START"]:
            begin = min(entry.start for entry in entries if entry.target == offset)
            managers.append(_loaded_before(instructions[: place[begin]]))
        elif names[0] == "PUSH_EXC_INFO":
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


def _loaded_before(instructions: list[dis.Instruction]) -> list[str]:
    """Return the names in the expression that is evaluated last, before a ``with`` is entered."""
    names: list[str] = []
    parts = ("LOAD_", "PUSH_NULL", "PRECALL", "CALL", "KW_NAMES", "COPY", "SWAP")
    enters = ("BEFORE_WITH", "LOAD_SPECIAL")
    last = max(i for i, each in enumerate(instructions) if each.opname.startswith(enters))
    for instruction in reversed(instructions[:last]):
        if not instruction.opname.startswith(parts):
            break
        if isinstance(instruction.argval, str) and instruction.opname != "LOAD_SPECIAL":
            names.append(instruction.argval)
    return names
