"""Whether a text that is made of a number is only told: printed, logged, noted, gone by nowhere.

Read from the byte code around it, as whoever goes by a text in C is seen by nobody: a statement
that is a call tells what it is given, if it is a library's, or does no more with it itself.
"""

from __future__ import annotations

import builtins
import dis
import io
import math
import sys
from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from autograd.compiler.askers import innermost, is_users
from autograd.compiler.handlers import catching_frame
from autograd.compiler.names import instructions_of
from autograd.compiler.reach import is_foreign
from autograd.compiler.statements import (
    TOLD,
    Call,
    Use,
    call_of,
    uses_of,
    variables_in,
)

RUNS = "autograd.compiler.recording"
"""The module that runs the function, and is around all its code."""

MESSAGES = frozenset((RUNS, "autograd.errors", "asyncio.base_futures"))
"""Modules that make text for messages."""

LOOKS_UP = tuple("BINARY BUILD CACHE CONVERT EXTENDED_ARG FORMAT LOAD NOP PUSH_NULL".split())
"""What instructions begin with that have no effect but a result."""

CALLS = ("CALL", "KW_NAMES", "PRECALL")
"""What those of a call begin with."""

PURE = frozenset("abs float format int len math max min repr round str sum type".split())
"""Functions of Python's whose calls have none, either, and a module of such functions."""

DECIDES = ("COMPARE_OP", "NOP", "NOT_TAKEN", "TO_BOOL", "UNARY_NOT")
"""What instructions begin with that stand before a decision."""

ASSERTION_ERROR = "LOAD_COMMON_CONSTANT", "AssertionError"
"""How assertions load it from Python 3.14 on."""

STATEMENTS = ("DELETE", "IMPORT", "JUMP_BACKWARD", "POP_TOP", "RETURN", "STORE", "YIELD")
"""What those begin with of which there is one in each statement but an assertion."""

RETURNS = ("RETURN", "YIELD")
"""What those begin with that hand a result to the caller."""

STREAMS = (io.StringIO, io.BytesIO)
KEEPS = (list, dict, set, deque, bytearray, *STREAMS)
"""What may keep a text for whoever asks it later: by a method, and what print may write to."""

SETS = (setattr, object.__setattr__, exec, eval)
"""Functions of Python's that do more than tell."""

DEEPEST = 4
"""So many functions are followed into one another."""

Names = Callable[[str], Any]


def is_only_told() -> bool:
    """Return whether a text that is made just now is for no more than a call, such as print's.

    Nobody takes what the call returns, or it is a label, so that nothing goes by the text.
    """
    frame: FrameType | None = sys._getframe(1)
    end = TOLD
    while frame and frame.f_globals.get("__name__", "") not in MESSAGES:
        if is_users(frame):
            end = _Scope(frame.f_code, _names_in(frame)).end_of(frame.f_lasti)
            if not end.startswith(RETURNS):
                break
        frame = frame.f_back
    return end == TOLD


class _Decision(NamedTuple):
    """A decision between two ways, of which one may be to do nothing.

    Attributes:
        is_not: whether what decides has been negated.
        jump: the instruction that decides.
        way, other: the instructions that it jumps over, and those that these jump over.
        end: where both ways meet.
    """

    is_not: bool
    jump: dis.Instruction
    way: list[dis.Instruction]
    other: list[dis.Instruction]
    end: int


def is_about_telling() -> bool:
    """Return whether a decision that is made just now is only about what is printed or logged.

    It is that of an ``if`` or a conditional expression, both of whose ways do nothing else.
    """
    frame = innermost(sys._getframe(1))
    decision = frame and _decision(frame)
    if not (frame and decision):
        return False
    _, jump, way, other, end = decision
    scope = _Scope(frame.f_code, _names_in(frame))
    if scope.only_prints(way, jump.argval) and scope.only_prints(other, jump.argval):
        return True
    is_made = all(
        i.opname.startswith((*LOOKS_UP, *DECIDES))
        or (i.opname.startswith(("POP_JUMP", "JUMP_FORWARD")) and i.offset < i.argval <= end)
        for i in (*way, *other)
    )
    return is_made and bool(other) and scope.is_printed(other[-1].offset)


def asserted() -> bool | None:
    """Return what makes an assertion hold whose decision is made just now; None if it is none's.

    With ``python -O`` there are none, either: where they hold, a program does the same without.
    """
    frame = innermost(sys._getframe(1))
    decision = frame and _decision(frame)
    if not (frame and decision):
        return None
    jump = decision.jump
    later = [i for i in instructions_of(frame.f_code) if i.offset > jump.offset]
    fails_there = _fails(later, jump.argval)
    fails_beside = _fails(later, jump.offset) or _only_asserts(decision.way)
    if fails_there == fails_beside or catching_frame(AssertionError, RUNS):
        return None
    return ("IF_TRUE" in jump.opname) != (decision.is_not != fails_there)


def _fails(later: list[dis.Instruction], begin: int) -> bool:
    """Return whether what follows from ``begin`` on is no more than an assertion's error."""
    for i in later:
        if i.offset >= begin and i.opname not in ("CACHE", "NOP", "NOT_TAKEN", "POP_TOP"):
            if i.opname != "JUMP_FORWARD":
                return _is_of_assertions(i.opname, i.argrepr)
            begin = i.argval
    return False


def _only_asserts(way: list[dis.Instruction]) -> bool:
    """Return whether a way is the rest of an assertion, which has no effect where it holds."""
    return (
        bool(way)
        and way[-1].opname == "RAISE_VARARGS"
        and any(_is_of_assertions(i.opname, i.argrepr) for i in way)
        and not any(i.opname.startswith(STATEMENTS) for i in way)
    )


def _is_of_assertions(name: str, told: str) -> bool:
    return name == "LOAD_ASSERTION_ERROR" or (name, told) == ASSERTION_ERROR


def _decision(frame: FrameType) -> _Decision | None:
    """Return the decision that a frame is at, or that only what it calls just now is for."""
    code, last = frame.f_code, _last_of(frame)
    later = [i for i in instructions_of(code) if i.offset >= last.offset]
    if last.opname.startswith("CALL"):
        call = call_of(code, Use(TOLD, last.offset, last.offset + 1))
        called = _Scope(code, _names_in(frame))._named(call.path) if call else None
        if getattr(called, "__module__", None) != math.__name__:
            return None
        del later[0]
    before = [*takewhile(lambda i: i.opname.startswith(("CACHE", *DECIDES)), later)]
    jump = later[len(before)] if len(before) < len(later) else None
    if jump is None or not jump.opname.startswith("POP_JUMP") or jump.argval <= jump.offset:
        return None
    way = [i for i in later if jump.offset < i.offset < jump.argval]
    other: list[dis.Instruction] = []
    end = jump.argval
    if way and way[-1].opname == "JUMP_FORWARD":
        end = way.pop().argval
        other = [i for i in later if jump.argval <= i.offset < end]
    is_not = sum(i.opname == "UNARY_NOT" for i in before) % 2 == 1
    return _Decision(is_not, jump, way, other, end)


def is_only_printed() -> bool:
    """Return whether what is made of a number just now is printed or logged, and used nowhere."""
    frame = innermost(sys._getframe(1))
    if frame is None:
        return False
    return _Scope(frame.f_code, _names_in(frame)).is_printed(_last_of(frame).offset)


def is_in_a_text() -> bool:
    """Return whether the method that asks this is called by ``"%f" % number``."""
    frame = sys._getframe(2)
    asked = next(i for i in instructions_of(frame.f_code) if i.offset == frame.f_lasti)
    return asked.opname == "BINARY_OP" and asked.argrepr[:1] == "%"


def _last_of(frame: FrameType) -> dis.Instruction:
    """Return the instruction that a frame is at; of two that make a call, the second.

    Python 3.11 does some calls at the first one, once they have been done a few times.
    """
    later = (i for i in instructions_of(frame.f_code) if i.offset >= frame.f_lasti)
    return next(i for i in later if i.opname not in ("CACHE", "PRECALL"))


def _names_in(frame: FrameType) -> Names:
    known = {**vars(builtins), **frame.f_globals, **frame.f_locals}
    return known.__getitem__


class _Scope:
    """Some code that runs or may run.

    Args:
        names: what a name stands for there; raises where that isn't known.
        depth: how many functions are around it.
    """

    def __init__(self, code: CodeType, names: Names, depth: int = 0) -> None:
        self._code, self._names, self._depth = code, names, depth
        self._followed: set[str] = set()

    def end_of(self, offset: int) -> str:
        """Return the instruction that does more with a result than to tell it; `TOLD` if none."""
        return _first([self._end(use) for use in uses_of(self._code, offset)])

    def end_of_variables(self, names: Iterable[str]) -> str:
        """Return the same of variables, wherever they are read."""
        self._followed.update(names)
        if not self._followed.isdisjoint(self._code.co_cellvars):
            return ""  # a function inside has it, too
        loads = [i for i in instructions_of(self._code) if self._followed & {*variables_in(i)}]
        return _first([self.end_of(i.offset) for i in loads])

    def _end(self, use: Use) -> str:
        call = call_of(self._code, use) if use.end == TOLD else None
        return use.end if call is None or self._tells(call) else ""

    def _tells(self, call: Call) -> bool:
        called = self._named(call.path)
        if called is None or called in SETS:
            return False
        if not call.is_whole:  # something that such a function returns, or an item
            return callable(called) and _is_foreign(called)
        if _is_foreign(called):
            own = call.variables & {call.path[0]}
            kept = {name for name in own if self._is(name, KEEPS)}
            kept |= {name for name in call.variables if self._is(name, STREAMS)}
            kept -= self._followed
            return not kept or self.end_of_variables(kept) == TOLD
        return self._depth < DEEPEST and self._is_teller(called, call.argument)

    def only_prints(self, way: list[dis.Instruction], end: int) -> bool:
        """Return whether instructions are statements that print or log, and no more than that.

        Args:
            end: where decisions among them may lead at most, such as that of an ``and``.
        """
        if not way:
            return True
        allowed = (*LOOKS_UP, *CALLS, *DECIDES, "POP_JUMP", TOLD)
        if way[-1].opname != TOLD or not all(i.opname.startswith(allowed) for i in way):
            return False
        ends = [i for i in way if i.opname == TOLD]
        is_within = all(i.offset < i.argval <= end for i in way if "JUMP" in i.opname)
        uses = [Use(TOLD, way[0].offset, i.offset) for i in ends]
        return is_within and self._calls(way) == len(ends) and all(map(self._prints, uses))

    def is_printed(self, offset: int) -> bool:
        """Return whether a result is printed or logged, and used nowhere else."""
        uses = uses_of(self._code, offset)
        return all(use.end == TOLD and self._is_direct(use) and self._prints(use) for use in uses)

    def _is_direct(self, use: Use) -> bool:
        """Return whether nothing but one call is given it, to which other results may be given."""
        own = [i for i in instructions_of(self._code) if use.start < i.offset < use.stop]
        return self._calls(own) == 1

    def _calls(self, own: list[dis.Instruction]) -> int:
        """Return how many calls there are among instructions, but for those of no effect."""
        calls = sum(i.opname.startswith("CALL") for i in own)
        names = [i.argval for i in own if i.opname == "LOAD_GLOBAL"]
        pure = [x for x in names if x in PURE and self._named((x,)) is vars(builtins).get(x, math)]
        return calls - len(pure)

    def _prints(self, use: Use) -> bool:
        call = call_of(self._code, use)
        called = self._named(call.path) if call and call.is_whole and self._tells(call) else None
        return called is print or getattr(called, "__module__", "") == "logging"

    def _named(self, path: tuple[str, ...]) -> Any:
        """Return what some code calls so; None where nobody knows."""
        try:
            called = self._names(path[0])
            for name in path[1:]:
                called = getattr(called, name)
        except Exception:
            return None
        return called

    def _is(self, name: str, kinds: tuple[type, ...]) -> bool:
        try:
            return isinstance(self._names(name), kinds)
        except LookupError:  # of a function that doesn't run yet
            return False

    def _is_teller(self, called: Any, argument: int | str | None) -> bool:
        """Return whether a function of a user's only tells one of its arguments."""
        if not isinstance(called, FunctionType | MethodType):
            called = getattr(called, "__call__", called)  # noqa: B004
        own = [called.__self__] if isinstance(called, MethodType) else []
        f = getattr(called, "__func__", called)
        if not isinstance(f, FunctionType):
            return False
        code = f.__code__
        known = {**vars(builtins), **f.__globals__}
        known |= dict(zip(code.co_varnames, own, strict=False))
        for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
            known[name] = cell.cell_contents
        for name in code.co_varnames[len(own) :]:
            known.pop(name, None)
        scope = _Scope(code, known.__getitem__, self._depth + 1)
        end = scope.end_of_variables(_parameter(code, len(own), argument))
        return end == TOLD or end.startswith(RETURNS)


def _first(ends: list[str]) -> str:
    """Return the end that matters: what goes by it, or what is returned, as the caller may tell."""
    return min(ends, key=lambda end: (end == TOLD, end.startswith(RETURNS)), default=TOLD)


def _is_foreign(called: Any) -> bool:
    """Return whether something that is called is not a user's."""
    module = getattr(called, "__module__", None)
    if not isinstance(module, str):  # a method in C, say
        module = type(getattr(called, "__self__", called)).__module__
    return is_foreign(module)


def _parameter(code: CodeType, own: int, argument: int | str | None) -> list[str]:
    """Return the parameters that an argument may be."""
    plain = code.co_argcount
    named = [*code.co_varnames[own : plain + code.co_kwonlyargcount]]
    rest = [*code.co_varnames[plain + code.co_kwonlyargcount :]][
        : bool(code.co_flags & 4) + bool(code.co_flags & 8)
    ]
    if isinstance(argument, int) and argument + own < plain:
        return [code.co_varnames[argument + own]]
    if isinstance(argument, str) and argument in named:
        return [argument]
    return rest if argument is not None and rest else [*named, *rest]
