"""Statements, read from byte code: what becomes of a result, and which call is given it."""

from __future__ import annotations

import dis
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from types import CodeType
from typing import NamedTuple

from autograd.compiler.names import instructions_of

HANDS_ON = tuple(
    "BINARY_OP BUILD CACHE CALL CONVERT DICT_MERGE EXTENDED_ARG FORMAT GET_ITER JUMP_BACKWARD "
    "KW_NAMES LIST_APPEND LIST_EXTEND LIST_TO_TUPLE LOAD MAKE NOP PRECALL PUSH_NULL RESUME".split()
)
"""What instructions begin with that put something together, or give it to a call."""

TOLD = "POP_TOP"
"""The instruction at the end of a statement that is a call."""

ROOTS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_DEREF")
"""What instructions begin with that load what a name stands for."""


class Use(NamedTuple):
    """What becomes of something.

    Attributes:
        end: the name of the instruction that does more than to put it into something else.
        start, stop: where it was loaded, and where that instruction is.
    """

    end: str
    start: int
    stop: int


class Call(NamedTuple):
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


@lru_cache(maxsize=1024)
def uses_of(code: CodeType, offset: int) -> list[Use]:
    """Return what becomes of a result; of a variable it is put in, wherever that is read."""
    instructions = instructions_of(code)
    uses: list[Use] = []
    followed: set[str] = set()
    asks_labels = any(i.argval == "label" and i.opname.startswith("LOAD") for i in instructions)
    offsets = [offset]
    for start in offsets:  # which grows
        end = _end_of(instructions, start)
        if end is None:
            return [Use("", start, start)]
        if end.opname == "STORE_FAST":
            if end.argval not in followed:
                followed.add(end.argval)
                offsets += [i.offset for i in instructions if end.argval in variables_in(i)]
        elif asks_labels or not (end.opname == "STORE_ATTR" and end.argval == "label"):
            uses.append(Use(end.opname, start, end.offset))
    return uses


def _end_of(instructions: Sequence[dis.Instruction], start: int) -> dis.Instruction | None:
    """Return the instruction that does more with a result than to put it into something else."""
    begin = start + 1
    for i in instructions:
        if i.offset >= begin and not i.opname.startswith(HANDS_ON):
            if i.opname != "JUMP_FORWARD":  # over the other way of a conditional expression
                return i
            begin = i.argval
    return None


@lru_cache(maxsize=1024)
def call_of(code: CodeType, use: Use) -> Call | None:
    """Return the call that is the statement at the end of a use; None if it is none."""
    before = [i for i in instructions_of(code) if i.offset < use.stop]
    call = before[-1]
    begin = _begin(call)
    if not call.opname.startswith("CALL") or None in begin:
        return None
    # What is called begins where the call does, and what it is given, later.
    own = [k for k, i in enumerate(before) if _begin(i) == begin]
    roots = [k for k in own if before[k].opname.startswith(ROOTS)]
    if not roots:
        return Call((), False, None, frozenset())
    root = roots[-1]
    path, last = [before[root].argval], root + 1
    while before[last].opname in ("LOAD_ATTR", "LOAD_METHOD") and _begin(before[last]) == begin:
        path.append(before[last].argval)
        last += 1
    closing = ("PRECALL", "CALL", "KW_NAMES", "LOAD_CONST")
    is_whole = all(before[k].opname.startswith(closing) for k in own if k >= last)
    given = [i for i in before[last:] if _begin(i) != begin]
    variables = frozenset(chain.from_iterable(map(variables_in, before[root:])))
    argument = _argument(code, use, given, before[last:]) if is_whole else None
    return Call(tuple(path), is_whole, argument, variables)


def _argument(
    code: CodeType, use: Use, given: list[dis.Instruction], rest: list[dis.Instruction]
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


def variables_in(instruction: dis.Instruction) -> tuple[str, ...]:
    """Return the local variables that an instruction loads."""
    if not instruction.opname.startswith("LOAD_FAST"):
        return ()
    names = instruction.argval
    return names if isinstance(names, tuple) else (names,)
