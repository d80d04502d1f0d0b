"""What code names and does, read instruction by instruction, if all of that is on a list."""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

from autograd.compiler.names import instructions_of

PLAIN = frozenset(
    (int, float, complex, bool, str, bytes, range, slice, *map(type, (None, ..., NotImplemented)))
)
"""Types whose instances are what Python prints of them, where they hold no others."""

ASYNCHRONOUS = 0x380
"""CO_COROUTINE, CO_ITERABLE_COROUTINE and CO_ASYNC_GENERATOR."""

REFUSED = frozenset(
    "_a _b _form _mark ag_frame cr_frame format format_map gi_code gi_frame tb_frame".split()
)
"""Attributes that lead to the age of a node, to any other variable, or to any attribute."""

SPECIAL = frozenset(
    "__call__ __class__ __getitem__ __init__ __iter__ __len__ __name__ __next__ __setattr__".split()
)
"""Attributes with two underscores that lead nowhere else."""

LOOKS_UP = tuple(
    "BUILD_CONST_KEY_MAP BUILD_MAP BUILD_SET CONTAINS_OP MAP_ADD MATCH_ SET_ADD".split()
)
"""What instructions begin with that go by what something equals, or by its class."""

KINDS = frozenset(
    "Counter Exception KeyError LookupError OrderedDict __class__ cache callable defaultdict dict "
    "fromkeys frozenset get getattr groupby hasattr isinstance issubclass lru_cache pop set "
    "setdefault singledispatch type unique".split()
)
"""Names of what does, too."""


class UnknownError(Exception):
    """Something is not on the lists."""


class Named(NamedTuple):
    """What some code names, and codes inside of it.

    Attributes:
        text: all that they do.
        prints: whether they make text of anything.
    """

    globals: tuple[str, ...]
    attributes: tuple[str, ...]
    text: str
    prints: bool
    operators: frozenset[str]


@lru_cache(maxsize=4096)
def named_in(code: CodeType) -> Named:
    """Return what some code names.

    Raises:
        UnknownError: it does what is not allowed.
    """
    globals: dict[str, None] = {}
    attributes: dict[str, None] = {}
    operators: set[str] = set()
    texts, codes, prints = [], [code], False
    classes = compared = 0
    for code in codes:  # which grows
        if code.co_flags & ASYNCHRONOUS:
            raise UnknownError
        before: list[Any] = []
        for instruction in instructions_of(code):
            name = instruction.opname
            if instruction.opcode in dis.hasname:
                if name == "LOAD_GLOBAL":
                    globals[instruction.argval] = None
                elif name.endswith(("_ATTR", "_METHOD")):
                    attributes[instruction.argval] = None
                    classes += instruction.argval == "__class__"
                    if not name.startswith("LOAD"):
                        operators.add("=")
                else:
                    raise UnknownError  # an import, a global that is set
            elif name in ("MATCH_CLASS", "BUILD_SET", "SET_ADD", "SET_UPDATE", "LOAD_BUILD_CLASS"):
                raise UnknownError
            elif name.startswith("FORMAT"):
                prints = True
            elif name == "BINARY_OP":
                operators.add(instruction.argrepr.removesuffix("="))
            elif name == "IS_OP" and before[-1:] == before[-3:-2] == ["__class__"]:
                compared += 2
            before.append(instruction.argval)
        texts.append(text_of(code))
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    special = {name for name in attributes if name.startswith("__")}
    makes_sets = attributes.keys() & {"keys", "items"} and operators & {"-", "&", "|", "^"}
    if special - SPECIAL or makes_sets or not REFUSED.isdisjoint(attributes):
        raise UnknownError
    if classes == compared:  # as in what dataclasses write: nobody calls them
        attributes.pop("__class__", None)
    prints = prints or "str" in globals or "%" in operators
    text = "\n".join(texts)
    return Named(tuple(globals), tuple(attributes), text, prints, frozenset(operators))


@lru_cache(maxsize=4096)
def asks_kinds(code: CodeType) -> bool:
    """Return whether code may take a Value for another thing than the number that it holds.

    That is not so of ``==``, which refuses a number while a function is recorded.
    """
    return (
        not KINDS.isdisjoint(code.co_names)
        or any(i.opname.startswith(LOOKS_UP) for i in instructions_of(code))
        or any(asks_kinds(x) for x in code.co_consts if isinstance(x, CodeType))
    )


def text_of(code: CodeType) -> str:
    """Return what some code does, short of what codes inside of it do."""
    parts = (
        (code.co_code, code.co_exceptiontable, code.co_flags, [*map(_constant, code.co_consts)]),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
    )
    return repr(parts)


def _constant(constant: Any) -> str:
    """Return a constant of some code as text.

    Raises:
        UnknownError: it is a set, which has the order of its elements' hashes.
    """
    if type(constant) is tuple:
        return f"({', '.join(map(_constant, constant))})"
    return "code" if isinstance(constant, CodeType) else plain(constant)


def plain(thing: Any) -> str:
    """Return a thing that holds no others as text, with its type.

    Raises:
        UnknownError: it holds others.
    """
    kind = type(thing)
    if kind not in PLAIN:
        raise UnknownError
    if kind is range or kind is slice:
        return f"{kind.__name__} {[*map(plain, (thing.start, thing.stop, thing.step))]}"
    return f"{kind.__name__} {thing!r}"
