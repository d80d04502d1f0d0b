"""What code names: globals, attributes, methods behind its operators; and what reflects."""

from __future__ import annotations

import dis
import re
from collections.abc import KeysView, Set
from functools import lru_cache
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any

OPERATORS = {
    symbol: frozenset((f"__{name}__", f"__r{name}__"))
    for symbol, name in zip(
        "+ - * / ** // % @".split(),
        "add sub mul truediv pow floordiv mod matmul".split(),
        strict=True,
    )
}
"""The methods behind an operator of two operands."""

EVALUATES = {"eval", "exec"}
"""Names of functions that are given code as text."""

REFLECTS = EVALUATES | set(
    "__dict__ __getattribute__ __getstate__ __reduce__ __reduce_ex__ vars getattr getattr_static "
    "getmembers attrgetter asdict astuple fields dir globals".split()
)
"""Code that names one of these may use attributes and globals that it doesn't name."""

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodWrapperType, WrapperDescriptorType)


@lru_cache(maxsize=1024)
def instructions_of(code: CodeType) -> tuple[dis.Instruction, ...]:
    """Return the instructions of some code, short of codes inside of it."""
    return tuple(dis.get_instructions(code))


@lru_cache(maxsize=1024)
def names_of(code: CodeType) -> KeysView[str]:
    """Return the globals and attributes that code names, also those of functions inside of it.

    A string may name one as well: ``getattr(model, "rate")``, ``sys.modules["my.settings"]``.
    """
    names: dict[str, None] = {}
    texts: dict[str, None] = {}
    waiting: list[Any] = [code]
    while waiting:
        part = waiting.pop()
        if isinstance(part, CodeType):
            names.update(dict.fromkeys(part.co_names))
            waiting += part.co_consts
        elif isinstance(part, tuple | frozenset):
            waiting += part
        elif isinstance(part, str):
            texts[part] = None
    if names.keys() & EVALUATES:
        texts |= dict.fromkeys(word for text in texts for word in re.findall(r"\w+", text))
    for text in texts:
        if all(map(str.isidentifier, words := text.split("."))):
            names |= dict.fromkeys([text, *words])
    return names.keys()


def reflected_by(thing: Any) -> Set[str]:
    """Return what something that `REFLECTS` is called, which code may have under another name."""
    name = thing.__name__ if isinstance(thing, FUNCTIONS) else type(thing).__name__
    return REFLECTS & {name}


@lru_cache(maxsize=1024)
def attributes_in(code: CodeType) -> Set[str]:
    """Return the attributes that code asks for, and methods behind its operators, nested or not."""
    found: set[str] = set()
    for instruction in instructions_of(code):
        name = instruction.opname
        if name == "BINARY_OP":
            found |= OPERATORS.get(instruction.argrepr.removesuffix("="), frozenset())
        elif name == "UNARY_NEGATIVE":
            found.add("__neg__")
        elif name.endswith(("_ATTR", "_METHOD")) and isinstance(instruction.argval, str):
            found.add(instruction.argval)
    return found.union(*(attributes_in(x) for x in code.co_consts if isinstance(x, CodeType)))
