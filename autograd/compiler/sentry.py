"""Machine code that looks at places in lists, dicts, functions and cells: whether all is as it was.

It compares addresses of objects, which are kept alive. A list's are read where it has them; all
else goes through Python's own C functions, under its lock. Where any of this doesn't hold, there
is no such code, and Python looks.
"""

from __future__ import annotations

import ctypes
import sys
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from types import CellType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.machine import address_of, load, object_code
from autograd.compiler.places import ABSENT, EQUAL, IS, SAME, Held

LIST, DICT, LENT, NEW = range(4)
"""Kinds of records, in words. LIST: the list, how many items, the items. DICT: the dict, how many
items, its version when it was last looked at, of each key and value, 0 where that may be any. LENT:
a function, two arguments, its result; NEW: likewise, where the result is a reference of the
caller's."""

BEFORE_ITEMS = {LIST: 3, DICT: 4}
"""Words of a list's or a dict's record before its items."""

FUNCTIONS_OWN = ("__code__", "__defaults__", "__kwdefaults__")

LOOK = """\
define i64 @look(ptr %words, i64 %n) {{
entry:
  %place = alloca i64
  %key.p = alloca ptr
  %x.p = alloca ptr
  br label %next
next:
  %at = phi i64 [ 0, %entry ], [ %list.after, %list.end ], [ %dict.after, %dict.end ],
    [ %ask.after, %ask.end ]
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
  switch i64 %kind, label %ask [ i64 {LIST}, label %list  i64 {DICT}, label %dict ]
list:
  %list.n = call i64 inttoptr (i64 {list_size} to ptr)(ptr %first)
  %is.long = icmp eq i64 %list.n, %count
  br i1 %is.long, label %list.known, label %other.size
list.known:
  %items.p = getelementptr i8, ptr %first, i64 {ITEMS_AT}
  %items = load ptr, ptr %items.p
  br label %list.next
list.next:
  %i = phi i64 [ 0, %list.known ], [ %i.next, %list.item ]
  %i.more = icmp slt i64 %i, %count
  br i1 %i.more, label %list.item, label %list.end
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
list.end:
  %list.after = add i64 %at.3, %count
  br label %next
dict:
  %version.p = getelementptr i8, ptr %first, i64 {VERSION_AT}
  %version = load i64, ptr %version.p
  %version.was = load i64, ptr %third
  %is.known = icmp eq i64 %version, %version.was
  %is.untouched = and i1 %is.known, {has_versions}
  br i1 %is.untouched, label %dict.end, label %dict.look
dict.look:
  %pairs = getelementptr i64, ptr %third, i64 1
  %at.pairs = add i64 %at.3, 1
  %dict.n = call i64 inttoptr (i64 {dict_size} to ptr)(ptr %first)
  %is.full = icmp eq i64 %dict.n, %count
  br i1 %is.full, label %dict.known, label %other.size
dict.known:
  store i64 0, ptr %place
  br label %dict.next
dict.next:
  %j = phi i64 [ 0, %dict.known ], [ %j.next, %dict.done ]
  %j.more = icmp slt i64 %j, %count
  br i1 %j.more, label %dict.item, label %dict.same
dict.item:
  %j.next = add i64 %j, 1
  %pair = mul i64 %j, 2
  %pair.at = add i64 %at.pairs, %pair
  %key.was.p = getelementptr ptr, ptr %pairs, i64 %pair
  %key.was = load ptr, ptr %key.was.p
  %value.was.p = getelementptr ptr, ptr %key.was.p, i64 1
  %value.was = load ptr, ptr %value.was.p
  %found = call i32 inttoptr (i64 {dict_next} to ptr)(ptr %first, ptr %place, ptr %key.p, ptr %x.p)
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
  br i1 %will.do, label %dict.done, label %other.value
dict.done:
  br label %dict.next
other.value:
  %value.at = add i64 %pair.at, 1
  ret i64 %value.at
dict.same:
  store i64 %version, ptr %third
  br label %dict.end
dict.end:
  %size = mul i64 %count, 2
  %behind.pairs = add i64 %size, 1
  %dict.after = add i64 %at.3, %behind.pairs
  br label %next
other.size:
  ret i64 %at.2
ask:
  %given = load ptr, ptr %second
  %key.asked = load ptr, ptr %third
  %at.4 = add i64 %at, 4
  %result.p = getelementptr i64, ptr %kind.p, i64 4
  %result.was = load ptr, ptr %result.p
  %result = call ptr %first(ptr %given, ptr %key.asked)
  %is.new = icmp eq i64 %kind, {NEW}
  %is.any.result = icmp ne ptr %result, null
  %is.owned = and i1 %is.new, %is.any.result
  br i1 %is.owned, label %release, label %asked
release:
  call void inttoptr (i64 {release} to ptr)(ptr %result)
  br label %asked
asked:
  %is.result = icmp eq ptr %result, %result.was
  br i1 %is.result, label %ask.end, label %other.result
other.result:
  ret i64 %at.4
ask.end:
  %ask.after = add i64 %at, 5
  br label %next
end:
  ret i64 -1
}}
"""
"""Returns the first word that is another by now, -1 if all are what they were."""

ITEMS_AT = list.__basicsize__ - 16
"""Where a list has the address of its items: before the last word, how many there is room for."""

VERSION_AT = dict.__basicsize__ - 24
"""Where a dict of Python 3.11 and 3.12 has a number that is another after each change (PEP 509)."""


class Sentry:
    """Looks at places, until one of them has something else.

    Args:
        places: of all kinds.
        known: what `look` returns.

    Attributes:
        others: places that it doesn't look at.

    >>> from autograd.compiler.places import held_by
    >>> rates = [1.0, 2.0]
    >>> found = Sentry(held_by(rates.index), look())
    >>> found.replaced()
    >>> rates[1] = 3.0
    >>> found.replaced().was()
    'the list was [1.0, 2.0]'
    """

    def __init__(self, places: Iterable[Held], known: Look) -> None:
        self.others: list[Held] = []
        self._kept: dict[int, Any] = {}  # so that no address is used again
        self._starts: list[int] = []
        self._records: list[Sequence[Held]] = []
        self._words: list[int] = []
        tables: dict[int, list[Held]] = {}
        for held in places:
            asked = _asked(held)
            if held.table is not None:
                tables.setdefault(id(held.table), []).append(held)
            elif held.spelled == SAME and type(held.holder) is list:
                self._add([held], LIST, id(held.holder), len(held.value), *map(id, held.value))
            elif asked:
                kind, function = known.functions[asked]
                result = 0 if held.value is None and kind == LENT else id(held.value)
                self._add([held], kind, function, id(held.holder), 0, result)
            else:
                self.others.append(held)
        for items in tables.values():
            self._add_table(items, *known.functions["item"])
        self._numbers = np.array(self._words, dtype=np.int64)
        self._look, self._address, self._n = known.call, self._numbers.ctypes.data, len(self._words)

    def _add(self, places: Sequence[Held], *words: int) -> None:
        self._starts.append(len(self._words))
        self._records.append(places)
        self._words += words

    def _add_table(self, places: list[Held], kind: int, function: int) -> None:
        """Add what is looked at in one dict: all of it in order, or some items."""
        table = id(places[0].table)
        keys = next((held for held in places if held.spelled.endswith(EQUAL)), None)
        items = {held.key: held for held in places if held.spelled.endswith(IS)}
        if keys:
            named = [key for key in keys.value if key in items and items[key].value is not ABSENT]
            found = {key: items.pop(key) for key in named}
            pairs = [(id(key), id(found[key].value) if key in found else 0) for key in keys.value]
            of_keys = [found.get(key, keys) for key in keys.value]
            self._add([keys, *of_keys], DICT, table, len(pairs), 0, *chain.from_iterable(pairs))
        for key, held in items.items():
            if type(key) is str:
                result = 0 if held.value is ABSENT else id(held.value)
                self._add([held], kind, function, table, id(key), result)
            else:
                self.others.append(held)

    def replaced(self) -> Held | None:
        """Return a place where something else is now; None if there is none."""
        while (word := self._look(self._address, self._n)) >= 0:
            record = bisect(self._starts, word) - 1
            places, start = self._records[record], self._starts[record]
            kind = self._words[start]
            at = word - start - BEFORE_ITEMS.get(kind, 0)
            is_of_dict = kind == DICT
            held = places[at // 2 + 1] if is_of_dict and at > 0 and at % 2 else places[0]
            if at < 0 or kind == LIST or not held.is_there():
                return held
            # An equal number will do, too; so will an equal key.
            now = [*held.holder][at // 2] if is_of_dict and at % 2 == 0 else held.read()
            if id(now) == self._numbers[word]:
                return held
            self._kept[word] = now
            self._numbers[word] = id(now)
        return None


class Look(NamedTuple):
    """The machine code, and by what is asked, the kind of record and the function."""

    call: Callable[[int, int], int]
    functions: dict[str, tuple[int, int]]
    engine: Any


@cache
def look() -> Look | None:
    """Return the code; None where what it takes for granted isn't certain."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    probe = [1234.5, 5432.25]
    items = ctypes.c_void_p.from_address(id(probe) + ITEMS_AT).value
    python = ctypes.pythonapi
    asked = {
        "item": (LENT, "PyDict_GetItem"),
        "__code__": (LENT, "PyFunction_GetCode"),
        "__defaults__": (LENT, "PyFunction_GetDefaults"),
        "__kwdefaults__": (LENT, "PyFunction_GetKwDefaults"),
        "cell_contents": (NEW, "PyCell_Get"),
        "__class__": (NEW, "PyObject_Type"),
        "__dict__": (NEW, "PyObject_GenericGetDict"),
    }
    used = {
        "list_size": "PyList_Size",
        "dict_size": "PyDict_Size",
        "dict_next": "PyDict_Next",
        "release": "Py_DecRef",
    }
    names = {*used.values(), *(name for _, name in asked.values())}
    if not all(hasattr(python, name) for name in names):
        return None
    if not items or [*(ctypes.c_void_p * 2).from_address(items)] != [*map(id, probe)]:
        return None
    kinds = {"LIST": LIST, "DICT": DICT, "NEW": NEW}
    layout = {"ITEMS_AT": ITEMS_AT, "VERSION_AT": VERSION_AT, "has_versions": int(_has_versions())}
    places = {name: address_of(getattr(python, function)) for name, function in used.items()}
    engine = load(object_code(LOOK.format(**kinds, **layout, **places)))
    # It holds Python's lock.
    prototype = ctypes.PYFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)
    call = prototype(engine.get_function_address("look"))
    functions = {
        name: (kind, address_of(getattr(python, of))) for name, (kind, of) in asked.items()
    }
    return Look(call, functions, engine)


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
        found += [ctypes.c_int64.from_address(id(probe) + VERSION_AT).value for _ in range(2)]
        change()
    return found[::2] == found[1::2] and len(set(found)) == len(changes)


def _asked(held: Held) -> str:
    """Return what a place is called among the functions of the code, "" if it has none."""
    name, holder = held.spelled.removeprefix("{0}.").removesuffix(IS), held.holder
    if name == "__class__":
        return name if held.value is type(holder) else ""
    if name == "__dict__":
        try:
            return name if object.__getattribute__(holder, name) is held.value else ""
        except AttributeError:
            return ""
    is_of_function = isinstance(holder, FunctionType) and name in FUNCTIONS_OWN
    is_of_cell = isinstance(holder, CellType) and name == "cell_contents"
    return name if is_of_function or is_of_cell else ""
