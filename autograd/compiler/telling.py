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
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from autograd.compiler.askers import innermost, is_users
from autograd.compiler.reach import is_foreign

MESSAGES = frozenset("autograd.compiler.recording autograd.errors asyncio.base_futures".split())
"""Modules that make text for messages; the first runs the function, and is around all its code."""

HANDS_ON = tuple(
    "BINARY_OP BUILD CACHE CALL CONVERT DICT_MERGE EXTENDED_ARG FORMAT GET_ITER JUMP_BACKWARD "
    "KW_NAMES LIST_APPEND LIST_EXTEND LIST_TO_TUPLE LOAD MAKE NOP PRECALL PUSH_NULL RESUME".split()
)
"""What instructions begin with that put something together, or give it to a call."""

LOOKS_UP = tuple("BINARY BUILD CACHE CONVERT EXTENDED_ARG FORMAT LOAD NOP PUSH_NULL".split())
"""What instructions begin with that have no effect but a result."""

CALLS = ("CALL", "KW_NAMES", "PRECALL")
"""What those of a call begin with."""

PURE = frozenset("abs float format int len math max min repr round str sum type".split())
"""Functions of Python's whose calls have none, either, and a module of such functions."""

DECIDES = ("COMPARE_OP", "NOP", "NOT_TAKEN", "TO_BOOL", "UNARY_NOT")
"""What instructions begin with that stand before a decision."""

TOLD = "POP_TOP"
"""The instruction at the end of a statement that is a call."""

ROOTS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF")
"""What instructions begin with that load what a name stands for."""

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


class _Use(NamedTuple):
    """What becomes of something.

    Attributes:
        end: the name of the instruction that does more than to put it into something else.
        start, stop: where it was loaded, and where that instruction is.
    """

    end: str
    start: int
    stop: int


class _Call(NamedTuple):
    """A statement that is a call, and what it is given.

    Attributes:
        path: the name and attributes that it begins with.
        is_whole: whether that is what is called, and not something that another call returns.
        argument: by its place or its name, the one that something is in; None if unknown.
        variables: the local ones that are in it.
    """

    path: tuple[str, ...]
    is_whole: bool
    argument: int | str | None
    variables: frozenset[str]


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


def is_about_telling() -> bool:
    """Return whether a decision that is made just now is only about what is printed or logged.

    It is that of an ``if`` or a conditional expression, both of whose ways do nothing else.
    """
    frame = innermost(sys._getframe(1))
    if frame is None:
        return False
    code, at = frame.f_code, frame.f_lasti
    later = [i for i in _instructions(code) if i.offset >= at]
    jump = next((i for i in later if not i.opname.startswith(DECIDES)), None)
    if jump is None or not jump.opname.startswith("POP_JUMP") or jump.argval <= jump.offset:
        return False
    way = [i for i in later if jump.offset < i.offset < jump.argval]
    other: list[dis.Instruction] = []
    if way and way[-1].opname == "JUMP_FORWARD":
        end = way.pop().argval
        other = [i for i in later if jump.argval <= i.offset < end]
    scope = _Scope(code, _names_in(frame))
    if scope.only_prints(way, jump.argval) and scope.only_prints(other, jump.argval):
        return True
    is_made = all(i.opname.startswith(LOOKS_UP) for i in (*way, *other))
    return is_made and bool(other) and scope.is_printed(other[-1].offset)


def is_only_printed() -> bool:
    """Return whether what is made of a number just now is printed or logged, and used nowhere."""
    frame = innermost(sys._getframe(1))
    if frame is None:
        return False
    return _Scope(frame.f_code, _names_in(frame)).is_printed(frame.f_lasti)


def is_in_a_text() -> bool:
    """Return whether the method that asks this is called by ``"%f" % number``."""
    frame = sys._getframe(2)
    asked = next(i for i in _instructions(frame.f_code) if i.offset == frame.f_lasti)
    return asked.opname == "BINARY_OP" and asked.argrepr[:1] == "%"


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
        return _first([self._end(use) for use in _uses(self._code, offset)])

    def end_of_variables(self, names: Iterable[str]) -> str:
        """Return the same of variables, wherever they are read."""
        self._followed.update(names)
        if not self._followed.isdisjoint(self._code.co_cellvars):
            return ""  # a function inside has it, too
        loads = [i for i in _instructions(self._code) if self._followed & {*_variables(i)}]
        return _first([self.end_of(i.offset) for i in loads])

    def _end(self, use: _Use) -> str:
        call = _call(self._code, use) if use.end == TOLD else None
        return use.end if call is None or self._tells(call) else ""

    def _tells(self, call: _Call) -> bool:
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
        uses = [_Use(TOLD, way[0].offset, i.offset) for i in ends]
        return is_within and self._calls(way) == len(ends) and all(map(self._prints, uses))

    def is_printed(self, offset: int) -> bool:
        """Return whether a result is printed or logged, and used nowhere else."""
        uses = _uses(self._code, offset)
        return all(use.end == TOLD and self._is_direct(use) and self._prints(use) for use in uses)

    def _is_direct(self, use: _Use) -> bool:
        """Return whether nothing but one call is given it, to which other results may be given."""
        own = [i for i in _instructions(self._code) if use.start < i.offset < use.stop]
        return self._calls(own) == 1

    def _calls(self, own: list[dis.Instruction]) -> int:
        """Return how many calls there are among instructions, but for those of no effect."""
        calls = sum(i.opname.startswith("CALL") for i in own)
        names = [i.argval for i in own if i.opname == "LOAD_GLOBAL"]
        pure = [x for x in names if x in PURE and self._named((x,)) is vars(builtins).get(x, math)]
        return calls - len(pure)

    def _prints(self, use: _Use) -> bool:
        call = _call(self._code, use)
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


@lru_cache(maxsize=1024)
def _instructions(code: CodeType) -> list[dis.Instruction]:
    return list(dis.get_instructions(code))


@lru_cache(maxsize=1024)
def _uses(code: CodeType, offset: int) -> list[_Use]:
    """Return what becomes of a result; of a variable it is put in, wherever that is read."""
    instructions = _instructions(code)
    uses: list[_Use] = []
    followed: set[str] = set()
    asks_labels = any(i.argval == "label" and i.opname.startswith("LOAD") for i in instructions)
    offsets = [offset]
    for start in offsets:  # which grows
        later = (i for i in instructions if i.offset > start)
        end = next((i for i in later if not i.opname.startswith(HANDS_ON)), None)
        if end is None:
            return [_Use("", start, start)]
        if end.opname == "STORE_FAST":
            if end.argval not in followed:
                followed.add(end.argval)
                offsets += [i.offset for i in instructions if end.argval in _variables(i)]
        elif asks_labels or not (end.opname == "STORE_ATTR" and end.argval == "label"):
            uses.append(_Use(end.opname, start, end.offset))
    return uses


@lru_cache(maxsize=1024)
def _call(code: CodeType, use: _Use) -> _Call | None:
    """Return the call that is the statement at the end of a use; None if it is none."""
    before = [i for i in _instructions(code) if i.offset < use.stop]
    call = before[-1]
    begin = _begin(call)
    if not call.opname.startswith("CALL") or None in begin:
        return None
    # What is called begins where the call does, and what it is given, later.
    own = [k for k, i in enumerate(before) if _begin(i) == begin]
    roots = [k for k in own if before[k].opname.startswith(ROOTS)]
    if not roots:
        return _Call((), False, None, frozenset())
    root = roots[-1]
    path, last = [before[root].argval], root + 1
    while before[last].opname in ("LOAD_ATTR", "LOAD_METHOD") and _begin(before[last]) == begin:
        path.append(before[last].argval)
        last += 1
    closing = ("PRECALL", "CALL", "KW_NAMES", "LOAD_CONST")
    is_whole = all(before[k].opname.startswith(closing) for k in own if k >= last)
    given = [i for i in before[last:] if _begin(i) != begin]
    variables = frozenset(chain.from_iterable(map(_variables, before[root:])))
    argument = _argument(code, use, given, before[last:]) if is_whole else None
    return _Call(tuple(path), is_whole, argument, variables)


def _argument(
    code: CodeType, use: _Use, given: list[dis.Instruction], rest: list[dis.Instruction]
) -> int | str | None:
    """Return which argument of a call something is in.

    Args:
        given: the instructions that make the arguments.
        rest: these, and those of the call.
    """
    if rest[-1].opname == "CALL_FUNCTION_EX" or any("JUMP" in i.opname for i in given):
        return None
    place = depth = 0
    is_in = False
    for instruction in given:
        depth += dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
        if instruction.offset == use.start:
            is_in, place = True, depth - 1
        place = min(place, depth - 1)
    if not is_in:
        return None
    names = [i for i in rest if i.opname == "KW_NAMES"]
    keywords: Sequence[str] = code.co_consts[names[0].arg or 0] if names else ()
    if rest[-1].opname == "CALL_KW":
        keywords = rest[-2].argval
    first = (rest[-1].arg or 0) - len(keywords)
    return place if place < first else keywords[place - first]


def _begin(instruction: dis.Instruction) -> tuple[int | None, int | None]:
    """Return the line and the column at which an instruction's source begins."""
    at = instruction.positions
    return (at.lineno, at.col_offset) if at else (None, None)


def _variables(instruction: dis.Instruction) -> tuple[str, ...]:
    """Return the local variables that an instruction loads."""
    if not instruction.opname.startswith("LOAD_FAST"):
        return ()
    names = instruction.argval
    return names if isinstance(names, tuple) else (names,)
