"""The machine code by which a `Sentry` looks at places: whether each has what it had.

It compares addresses of objects, which are kept alive, where CPython has them: in a list, in a
slot, in a function. A dict is asked by Python's own C functions, under its lock, unless it says
that it is as it was. Where any of this doesn't hold, there is no such code, and Python looks.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from types import CellType, FunctionType
from typing import Any, NamedTuple

from autograd.compiler.machine import address_of, kept_code, llvm, load
from autograd.compiler.objects import TYPE_AT

PAIRS, LIST, DICT, ITEMS, ARRAY = range(5)
"""Kinds of records, in words. PAIRS: 0, how many, of each where an address stands and which. LIST:
the list, how many items, the items. DICT: the dict, how many items, its version when it was last
looked at, of each key and value, 0 where that may be any. ITEMS: likewise some items, 0 where there
is none. ARRAY: the array, its dimensions, where its contents are and how many bytes, a copy, and
those of its own words that say what it is; then its shape and strides."""

FIRST = 1
"""Where the records begin: the first of all words says how many there are."""

BEFORE_ITEMS = {PAIRS: 3, LIST: 3, DICT: 4, ITEMS: 4}
"""Words of a record before its items."""

ARRAY_WORDS = (2, 3, 4, 5, 7)
"""Of an array's object, as NumPy's C API has it: where its contents are, how many dimensions, where
its shape and its strides are, its dtype."""

SHAPE_AT = 2 + len(ARRAY_WORDS)
"""Words of an array's record from its third on, before its shape."""

PYTHONS = ("PyDict_Size", "PyDict_Next", "PyDict_GetItem")
"""Python's own functions that the code calls, by name, so that it is the same in all processes."""

LOOK = """\
declare i32 @memcmp(ptr, ptr, i64)
declare i64 @PyDict_Size(ptr)
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)
declare ptr @PyDict_GetItem(ptr, ptr)
define i64 @look(ptr %words) {{
entry:
  %place = alloca i64
  %key.p = alloca ptr
  %x.p = alloca ptr
  %n = load i64, ptr %words
  br label %next
next:
  %at = phi i64 [ {FIRST}, %entry ], [ %after, %record.end ], [ %array.after, %array.end ]
  %more = icmp slt i64 %at, %n
  br i1 %more, label %record, label %end
record:
  %kind.p = getelementptr i64, ptr %words, i64 %at
  %kind = load i64, ptr %kind.p
  %first.p = getelementptr i64, ptr %kind.p, i64 1
  %first = load ptr, ptr %first.p
  %second = getelementptr i64, ptr %kind.p, i64 2
  %count = load i64, ptr %second
  %third = getelementptr i64, ptr %kind.p, i64 3
  %at.2 = add i64 %at, 2
  %at.3 = add i64 %at, 3
  %size = mul i64 %count, 2
  %pairs.after = add i64 %at.3, %size
  %list.after = add i64 %at.3, %count
  %dict.after = add i64 %pairs.after, 1
  %pairs = getelementptr i64, ptr %third, i64 1
  %at.pairs = add i64 %at.3, 1
  switch i64 %kind, label %array [ i64 {PAIRS}, label %pair.next  i64 {LIST}, label %list
    i64 {DICT}, label %dict  i64 {ITEMS}, label %dict ]
pair.next:
  %p = phi i64 [ 0, %record ], [ %p.next, %pair ]
  %p.more = icmp slt i64 %p, %size
  br i1 %p.more, label %pair, label %record.end
pair:
  %p.next = add i64 %p, 2
  %p.p = getelementptr ptr, ptr %third, i64 %p
  %p.place = load ptr, ptr %p.p
  %p.was.p = getelementptr ptr, ptr %p.p, i64 1
  %p.was = load ptr, ptr %p.was.p
  %p.now = load ptr, ptr %p.place
  %is.pair = icmp eq ptr %p.now, %p.was
  br i1 %is.pair, label %pair.next, label %other.pair
other.pair:
  %p.at = add i64 %at.pairs, %p
  ret i64 %p.at
list:
  %list.n.p = getelementptr i8, ptr %first, i64 {SIZE_AT}
  %list.n = load i64, ptr %list.n.p
  %is.long = icmp eq i64 %list.n, %count
  br i1 %is.long, label %list.known, label %other.size
list.known:
  %items.p = getelementptr i8, ptr %first, i64 {ITEMS_AT}
  %items = load ptr, ptr %items.p
  %list.bytes = mul i64 %count, 8
  %list.order = call i32 @memcmp(ptr %items, ptr %third, i64 %list.bytes)
  %is.list = icmp eq i32 %list.order, 0
  br i1 %is.list, label %record.end, label %list.next
list.next:
  %i = phi i64 [ 0, %list.known ], [ %i.next, %list.item ]
  %i.more = icmp slt i64 %i, %count
  br i1 %i.more, label %list.item, label %record.end
list.item:
  %item.p = getelementptr ptr, ptr %items, i64 %i
  %item = load ptr, ptr %item.p
  %was.p = getelementptr ptr, ptr %third, i64 %i
  %was = load ptr, ptr %was.p
  %i.next = add i64 %i, 1
  %is.item = icmp eq ptr %item, %was
  br i1 %is.item, label %list.next, label %other.item
other.item:
  %item.at = add i64 %at.3, %i
  ret i64 %item.at
dict:
  %version.p = getelementptr i8, ptr %first, i64 {VERSION_AT}
  %version = load i64, ptr %version.p
  %version.was = load i64, ptr %third
  %is.known = icmp eq i64 %version, %version.was
  %is.untouched = and i1 %is.known, {has_versions}
  br i1 %is.untouched, label %record.end, label %dict.look
dict.look:
  store i64 0, ptr %place
  %is.some = icmp eq i64 %kind, {ITEMS}
  br i1 %is.some, label %some.next, label %dict.size
dict.size:
  %dict.n = call i64 @PyDict_Size(ptr %first)
  %is.full = icmp eq i64 %dict.n, %count
  br i1 %is.full, label %dict.next, label %other.size
dict.next:
  %j = phi i64 [ 0, %dict.size ], [ %j.next, %dict.value ]
  %j.more = icmp slt i64 %j, %size
  br i1 %j.more, label %dict.item, label %dict.same
dict.item:
  %j.next = add i64 %j, 2
  %pair.at = add i64 %at.pairs, %j
  %key.was.p = getelementptr ptr, ptr %pairs, i64 %j
  %key.was = load ptr, ptr %key.was.p
  %value.was.p = getelementptr ptr, ptr %key.was.p, i64 1
  %value.was = load ptr, ptr %value.was.p
  %found = call i32 @PyDict_Next(ptr %first, ptr %place, ptr %key.p, ptr %x.p)
  %is.there = icmp ne i32 %found, 0
  br i1 %is.there, label %dict.key, label %other.size
dict.key:
  %key = load ptr, ptr %key.p
  %is.key = icmp eq ptr %key, %key.was
  br i1 %is.key, label %dict.value, label %other.key
other.key:
  ret i64 %pair.at
dict.value:
  %value = load ptr, ptr %x.p
  %is.value = icmp eq ptr %value, %value.was
  %is.any = icmp eq ptr %value.was, null
  %will.do = or i1 %is.value, %is.any
  br i1 %will.do, label %dict.next, label %other.value
other.value:
  %value.at = add i64 %pair.at, 1
  ret i64 %value.at
some.next:
  %s = phi i64 [ 0, %dict.look ], [ %s.next, %some.item ]
  %s.more = icmp slt i64 %s, %size
  br i1 %s.more, label %some.item, label %dict.same
some.item:
  %s.next = add i64 %s, 2
  %s.key.p = getelementptr ptr, ptr %pairs, i64 %s
  %s.key = load ptr, ptr %s.key.p
  %s.was.p = getelementptr ptr, ptr %s.key.p, i64 1
  %s.was = load ptr, ptr %s.was.p
  %s.now = call ptr @PyDict_GetItem(ptr %first, ptr %s.key)
  %is.some.item = icmp eq ptr %s.now, %s.was
  br i1 %is.some.item, label %some.next, label %other.some
other.some:
  %s.at = add i64 %at.pairs, %s
  %s.value.at = add i64 %s.at, 1
  ret i64 %s.value.at
dict.same:
  store i64 %version, ptr %third
  br label %record.end
record.end:
  %after = phi i64 [ %pairs.after, %pair.next ], [ %list.after, %list.known ],
    [ %list.after, %list.next ], [ %dict.after, %dict ], [ %dict.after, %dict.same ]
  br label %next
other.size:
  ret i64 %at.2
array:
  %bytes = load i64, ptr %third
  %copy.p = getelementptr i64, ptr %third, i64 1
  %copy = load ptr, ptr %copy.p
{own}
  %shape.was = getelementptr i64, ptr %third, i64 {SHAPE_AT}
  %shape = inttoptr i64 %own4 to ptr
  %shape.bytes = mul i64 %count, 8
  %shape.order = call i32 @memcmp(ptr %shape, ptr %shape.was, i64 %shape.bytes)
  %is.shape = icmp eq i32 %shape.order, 0
  br i1 %is.shape, label %strides.look, label %other.array
strides.look:
  %strides.was = getelementptr i64, ptr %shape.was, i64 %count
  %strides = inttoptr i64 %own5 to ptr
  %strides.order = call i32 @memcmp(ptr %strides, ptr %strides.was, i64 %shape.bytes)
  %is.strides = icmp eq i32 %strides.order, 0
  br i1 %is.strides, label %contents, label %other.array
contents:
  %data = inttoptr i64 %own2 to ptr
  %order = call i32 @memcmp(ptr %data, ptr %copy, i64 %bytes)
  %is.same = icmp eq i32 %order, 0
  br i1 %is.same, label %array.end, label %other.array
array.end:
  %array.before = add i64 %at.3, {SHAPE_AT}
  %array.after = add i64 %array.before, %size
  br label %next
other.array:
  ret i64 %at
end:
  ret i64 -1
}}
"""
"""Returns the first word that is another by now, -1 if all are what they were."""

OWN = """\
  %own{word}.p = getelementptr i64, ptr %first, i64 {word}
  %own{word} = load i64, ptr %own{word}.p
  %own{word}.was.p = getelementptr i64, ptr %third, i64 {place}
  %own{word}.was = load i64, ptr %own{word}.was.p
  %is.own{word} = icmp eq i64 %own{word}, %own{word}.was
  br i1 %is.own{word}, label %after.own{word}, label %other.array
after.own{word}:"""

SIZE_AT = object.__basicsize__
"""Where an object of variable size has its size, and what is its own begins."""

ITEMS_AT = list.__basicsize__ - 16
"""Where a list has the address of its items: before the last word, how many there is room for."""

VERSION_AT = dict.__basicsize__ - 24
"""Where a dict of Python 3.11 and 3.12 has a number that is another after each change (PEP 509)."""

DICT_AT = -24
"""Where an object has its dict, if its type says that Python manages it."""
MANAGED, ON_HEAP = 1 << 4, 1 << 9
"""Flags of such types, and of those that are made while a program runs."""


class Look(NamedTuple):
    """The machine code, and where functions and cells have what they hold.

    Attributes:
        call: takes the address of all words.
        own: by type and attribute, the byte of an object.
    """

    call: Callable[[int], int]
    own: dict[tuple[type, str], int]
    engine: Any


@cache
def look() -> Look | None:
    """Return the code; None where what it takes for granted isn't certain."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    python = ctypes.pythonapi
    own = _own_places()
    if not (own and _has_lists() and all(hasattr(python, name) for name in PYTHONS)):
        return None
    kinds = {"PAIRS": PAIRS, "LIST": LIST, "DICT": DICT, "ITEMS": ITEMS, "FIRST": FIRST}
    layout = {
        "SIZE_AT": SIZE_AT, "ITEMS_AT": ITEMS_AT, "VERSION_AT": VERSION_AT, "SHAPE_AT": SHAPE_AT,
        "has_versions": int(_has_versions()),
    }  # fmt: skip
    words = [OWN.format(word=word, place=place) for place, word in enumerate(ARRAY_WORDS, 2)]
    for name in PYTHONS:
        llvm().add_symbol(name, address_of(getattr(python, name)))
    engine = load(kept_code(LOOK.format(own="\n".join(words), **kinds, **layout)))
    # It holds Python's lock.
    prototype = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
    return Look(prototype(engine.get_function_address("look")), own, engine)


def word_at(address: int) -> int:
    """Return the word there."""
    return ctypes.c_int64.from_address(address).value


def only_place(holder: Any, value: Any) -> int:
    """Return the one byte of an object at which it has the address of a value; 0 if unsure."""
    if isinstance(holder, type) and not holder.__flags__ & ON_HEAP:
        return 0
    words = range(SIZE_AT, type(holder).__basicsize__, 8)
    found = [at for at in words if word_at(id(holder) + at) == id(value)]
    return found[0] if len(found) == 1 else 0


def dict_place(kind: type) -> int:
    """Return at which byte an object of this type has the address of its dict; 0 if unsure."""
    return DICT_AT if kind.__flags__ & MANAGED else max(kind.__dictoffset__, 0)


def _own_places() -> dict[tuple[type, str], int]:
    """Return where functions and cells have what they hold; nothing if that isn't certain."""
    held = object()

    def probe(a: object = 1, *, b: object = 2) -> object:
        return held

    assert probe.__closure__
    cell = probe.__closure__[0]
    names = ("__code__", "__defaults__", "__kwdefaults__")
    found: dict[tuple[type, str], int] = {(CellType, "cell_contents"): only_place(cell, held)}
    for name in names:
        found[FunctionType, name] = only_place(probe, getattr(probe, name))
    return found if all(found.values()) else {}


def _has_lists() -> bool:
    """Return whether lists are what they are taken for."""
    probe = [1234.5, 5432.25]
    items = word_at(id(probe) + ITEMS_AT)
    is_long = word_at(id(probe) + SIZE_AT) == 2 and word_at(id(probe) + TYPE_AT) == id(list)
    return is_long and bool(items) and [word_at(items), word_at(items + 8)] == [*map(id, probe)]


def _has_versions() -> bool:
    """Return whether a dict says that it was changed."""
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        return False
    probe: dict[str, float] = {"a": 1.5}
    found: list[int] = []
    changes: tuple[Callable[[], object], ...] = (
        lambda: probe.update(a=2.5),
        lambda: probe.update(b=1.5),
        lambda: probe.pop("a"),
        lambda: probe.setdefault("a", 1.5),
        probe.clear,
    )
    for change in changes:
        found += [word_at(id(probe) + VERSION_AT) for _ in range(2)]
        change()
    return found[::2] == found[1::2] and len(set(found)) == len(changes)
