"""What a function holds that is recorded as it is, place by place: numbers, who the parameters are.

The numbers of parameters are read at each call; not so which Values the parameters are, nor what a
plain number, a setting in an attribute or an array is by now.
"""

from __future__ import annotations

import builtins
import gc
import sys
import weakref
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import cache, lru_cache, partial
from keyword import iskeyword
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

from autograd.compiler.held import ABSENT, EQUAL, IS, NONE, SAME, Held, attributes_of
from autograd.compiler.names import REFLECTS, attributes_in, names_of, reflected_by
from autograd.compiler.reach import (
    SAID_OF_A_CLASS,
    behind,
    globals_of,
    is_foreign,
    is_installed,
    names_in,
    reached,
    said_in,
)
from autograd.compiler.settings import is_data, named_in_ours
from autograd.compiler.states import STATES
from autograd.engine import Value
from autograd.errors import quoted
from autograd.modes import OWN_CODE
from autograd.operation import Op

LONGEST_WATCHED = 1_000_000
"""Longer lists and arrays, or larger ones in bytes, are data, and not looked at."""

SAID = SAID_OF_A_CLASS | {"__doc__", "__module__", "__weakref__", "_abc_impl"}

WHETHER = REFLECTS | {"hasattr", "AttributeError"}
"""Code that names one of these may go by whether a function has an attribute."""

TELLS_STATE = ("locked", "digest")
"""Methods of objects in C that nothing else tells apart."""


def held_by(f: Any, things: Sequence[Any] = (), *, is_users: bool = False) -> list[Held]:
    """Return what a function holds, place by place.

    Args:
        things: what it can reach, where that is known.
        is_users: whether only in what is of a user's own.
    """
    found: list[Held] = []
    whole = things or list(reached(f))
    things = [thing for thing in whole if thing.__class__ is not Value]
    named = named_by(things)
    asked = {"__call__", "forward"}.union(*map(attributes_in, _codes_in(things)))
    if "label" in named:  # the number of a value is followed
        things = whole
    is_reflecting = not named.isdisjoint(REFLECTS)
    # A setting of ours is of no effect where no code that may run names it.
    settings = None if is_reflecting else named_in_ours(things, named)
    ours: set[int] = set()
    attributes = {id(own) for own in map(attributes_of, things)}
    for thing in things:
        kind = thing.__class__
        if kind is Op or id(thing) in attributes:
            continue  # a row stays as it is
        is_ours = id(thing) in ours or type(thing).__module__.partition(".")[0] in OWN_CODE
        is_others = is_users and (is_ours or is_installed(kind.__module__))
        if (is_ours or is_others) and kind is not Value:  # so is what it keeps for itself
            ours |= {*map(id, [*gc.get_referents(thing), *attributes_of(thing).values()])}
        if is_others:
            continue
        if not is_users and isinstance(thing, ModuleType | type):
            found += _patches_in(thing, named if is_reflecting or thing is builtins else asked)
        if is_ours:
            places = _places_in(thing, named, settings)
            found += [Held(*held[:6], True, held.table) for held in places]
        else:
            found += _places_in(thing, named)
    return found


def named_by(things: Iterable[Any]) -> set[str]:
    """Return what code of a user's among these names, and what reflects among these."""
    things = [*things]
    return set().union(*map(reflected_by, things), *map(names_of, _codes_in(things)))


def _codes_in(things: Iterable[Any]) -> Iterator[CodeType]:
    """Yield a user's code among things."""
    for thing in things:
        if isinstance(thing, FunctionType) and not is_foreign(thing.__module__ or ""):
            yield thing.__code__


def _patches_in(home: ModuleType | type, named: set[str]) -> Iterator[Held]:
    """Yield where anybody may put another function or number: in a module or class not a user's.

    Args:
        named: the names that a user's code uses there.
    """
    is_module = isinstance(home, ModuleType)
    module = home.__name__ if is_module else home.__module__
    if not is_foreign(module) or not (is_module or module.partition(".")[0] in OWN_CODE):
        return
    table = vars(home) if is_module else _behind_a_proxy(vars(home))
    for name in sorted(named & vars(home).keys()):
        if home is Value and (give_way := getattr(vars(home)[name], "give_way", None)):
            give_way()  # to what the engine would put there itself, later
        value = vars(home)[name]
        is_slot = isinstance(value, MemberDescriptorType | GetSetDescriptorType)
        if not is_slot and (callable(value) or isinstance(value, property | int | float)):
            for held in _item(f"{home.__name__}.{name}", table or vars(home), name):
                yield held._replace(is_rare=True, table=table)


def _places_in(thing: Any, named: set[str], settings: set[str] | None = None) -> Iterator[Held]:
    """Yield the places in one object.

    Args:
        named: what code of a user's names.
        settings: as of `_places_in_instance`.
    """
    if thing.__class__ is Value:
        yield from _place("the label of a value", thing, ".label", lambda: thing.label, "label")
    elif isinstance(thing, FunctionType):
        if not is_foreign(thing.__module__ or ""):
            yield from _places_in_function(thing)
            if named & WHETHER:
                yield _keys(f"the attributes of {thing.__name__}", vars(thing), vars(thing))
    elif isinstance(thing, list | set | deque):
        if len(thing) <= LONGEST_WATCHED:
            yield _items(thing)
    elif isinstance(thing, dict):
        if len(thing) <= LONGEST_WATCHED:
            yield _keys(f"the keys of a {type(thing).__name__}", thing, _in_order(thing))
            for key in thing:
                yield from _item(f"the item {quoted(key)}", thing, key)
    elif isinstance(thing, bytearray | memoryview | array) or _is_memory(thing):
        yield from _places_in_memory(thing)
    elif isinstance(thing, weakref.ref | ContextVar):
        name = f"variable {thing.name}" if isinstance(thing, ContextVar) else "a weak reference"
        yield from _place(name, thing, "", partial(behind, thing))
    elif isinstance(thing, type):
        if not is_foreign(thing.__module__):
            for key in ("__class__", "__bases__", *(named & {"__name__"})):
                yield from _place(f"{thing.__name__}.{key}", thing, *_attribute(thing, key))
            own = _behind_a_proxy(vars(thing))
            yield _keys(f"the attributes of {thing.__name__}", vars(thing), own)
            if "__subclasses__" in named:
                below: Callable[[], Any] = thing.__subclasses__
                name = f"the subclasses of {thing.__name__}"
                yield Held(name, below, below(), "{2}()" + EQUAL, thing)
            for key in vars(thing).keys() - (SAID - named - said_in(named)):
                way = f".__dict__[{key!r}]"
                read = partial(_get, vars(thing), key)
                yield from _place(f"{thing.__name__}.{key}", thing, way, read, key, own)
    elif isinstance(thing, ModuleType):
        if not is_foreign(thing.__name__):
            for key in {*named, *names_in(thing, named)}:
                yield from _item(f"{thing.__name__}.{key}", vars(thing), key)
            if named & REFLECTS:
                yield _keys(f"the names in {thing.__name__}", vars(thing), None)
    elif not isinstance(thing, CodeType):
        yield from _places_in_instance(thing, settings)
        return
    is_container = isinstance(thing, list | set | deque | dict) or _is_memory(thing)
    if is_container and not is_foreign(type(thing).__module__):
        yield from _places_in_instance(thing, settings)


def _places_in_instance(thing: Any, settings: set[str] | None) -> Iterator[Held]:
    """Yield the attributes of an object, and what it is.

    Args:
        settings: of attributes that are data, those to yield; by default all.
    """
    kinds = type(thing).__mro__
    made = [part for each in kinds if "__slots__" in vars(each) for part in vars(each).values()]
    slots = [part.__name__ for part in made if type(part) is MemberDescriptorType]
    own, kind = attributes_of(thing), type(thing).__name__
    if not is_foreign(type(thing).__module__):
        yield from _place(f"the class of a {kind}", thing, *_attribute(thing, "__class__"))
    if own is not NONE:
        yield from _place(f"{kind}.__dict__", thing, *_attribute(thing, "__dict__"))
        yield _keys(f"attributes of {kind}", own, own)
    if not slots and _is_in_c(type(thing)):  # type: ignore[arg-type]
        yield from _state(thing)
    for key, value in own.items():
        if settings is not None and key not in settings and is_data(value):
            continue
        # Where a property stands in its place, it is the property's.
        is_plain = getattr(thing, key, ABSENT) is value
        way = f".{key}" if is_plain and _is_name(key) else ""
        table = own if is_plain else None
        yield from _place(f"{kind}.{key}", thing, way, partial(_get, own, key), key, table)
    for key in slots:
        value = getattr(thing, key, ABSENT)
        # One of ours that is empty is filled by what asks first.
        is_empty = settings is not None and value is ABSENT
        if is_empty or (settings is not None and key not in settings and is_data(value)):
            continue
        way, reading = _attribute(thing, key)
        if hasattr(thing, key):
            yield from _place(f"{kind}.{key}", thing, way, reading, key)
        else:
            reading = partial(getattr, thing, key, ABSENT)
            yield from _place(f"{kind}.{key}", thing, "", reading, key)


def _places_in_function(f: FunctionType) -> Iterator[Held]:
    """Yield what a function closes over, the globals that it names, and what it is."""
    names = names_of(f.__code__)
    for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
        yield from _place(name, cell, ".cell_contents", partial(getattr, cell, "cell_contents"))
    for name in names:
        yield from _item(name, f.__globals__, name)
    for name in globals_of(f) - names:
        for held in _item(name, f.__globals__, name):
            yield held._replace(is_rare=True)
    for name in ("__code__", "__defaults__", "__kwdefaults__", *(names & {"__doc__", "__name__"})):
        read = partial(getattr, f, name)
        for held in _place(f"{f.__name__}.{name}", f, f".{name}", read):
            yield held._replace(is_rare=True)
    for name in vars(f):
        yield from _item(f"{f.__name__}.{name}", vars(f), name)
    for name in names:
        if name in sys.modules and not is_foreign(name):  # which it may import
            for held in _item(f"the module {name}", sys.modules, name):
                yield held._replace(is_rare=True)
    if "sys" in names:
        for name in names & {"argv", "path"}:
            yield from _place(f"sys.{name}", sys, *_attribute(sys, name))
            yield _items(getattr(sys, name))
    for asking, module, name, now in STATES:
        if names & asking and module in sys.modules:
            yield Held(name, now, now(), "{2}()" + EQUAL, STATES)


@cache
def _is_in_c(kind: Any) -> bool:
    """Return whether instances have a state that no attribute needs to tell, as a StringIO has.

    Where they are compared by it, as a `Decimal`, it stays as it is.
    """
    by_address: Any = object.__hash__
    return (
        kind.__module__.partition(".")[0] in sys.stdlib_module_names - {"builtins", "functools"}
        and kind.__hash__ is by_address
        and not any(isinstance(part, FunctionType) for part in vars(kind).values())
        and not (hasattr(kind, "__next__") and not hasattr(kind, "getvalue"))
    )


def _state(thing: Any) -> Iterator[Held]:
    """Yield the state of an object in C, as it is copied, or by one of its methods."""
    kind = type(thing).__name__
    reads = [
        partial(_copied, thing),
        *(getattr(thing, x) for x in TELLS_STATE if hasattr(thing, x)),
    ]
    for read in reads:
        try:
            yield Held(f"the {kind}", read, read(), "{2}()" + EQUAL, thing)
        except Exception:  # there is no copy
            continue


def is_state(held: Held) -> bool:
    """Return whether it is all of an object in C."""
    return isinstance(held.read, partial) and held.read.func is _copied


def _copied(thing: Any) -> Any:
    return thing.__reduce_ex__(2)[1:3]


def _places_in_memory(thing: Any) -> Iterator[Held]:
    """Yield the contents of an array, or of something like one."""
    size = getattr(thing, "nbytes", 0)  # of NumPy's, what has none is no array
    if not size and not _is_numpys(thing):
        size = len(bytes(thing))
    if 0 < size <= LONGEST_WATCHED * 8:
        if _is_numpys(thing):
            for name in ("shape", "dtype"):
                yield from _array_attribute(thing, name)
        read = partial(_contents, thing)
        yield Held(f"the {type(thing).__name__}", read, read(), "{2}()" + EQUAL, thing)


def _array_attribute(array: Any, name: str) -> Iterator[Held]:
    """Yield the shape or the dtype of an array, which are made anew whenever they are read."""
    if hasattr(array, name):
        way, read = _attribute(array, name)
        kind = type(array).__name__
        yield Held(f"{kind}.{name}", read, read(), f"{{0}}{way}" + EQUAL, array)


def _is_numpys(thing: Any) -> bool:
    return any(kind.__module__ == "numpy" for kind in type(thing).__mro__)


def _is_memory(thing: Any) -> bool:
    """Return whether it is NumPy's, one of ctypes' or a mapped file."""
    kind = type(thing)
    is_mapped = kind.__module__ == "mmap"
    is_of_c = hasattr(kind, "from_buffer_copy") and not isinstance(thing, type)
    return is_mapped or is_of_c or _is_numpys(thing)


def _contents(thing: Any) -> bytes:
    return thing.tobytes() if hasattr(thing, "tobytes") else bytes(thing)


def _items(things: Any) -> Held:
    """Return the place of all items."""
    return Held(f"the {type(things).__name__}", lambda: things, list(things), SAME, things)


def _keys(name: str, holder: Any, table: dict[Any, Any] | None) -> Held:
    read: Callable[[], list[Any]] = partial(list, holder)
    return Held(name, read, read(), "{2}()" + EQUAL, holder, is_rare=True, table=table)


def _in_order(table: Any) -> dict[Any, Any] | None:
    """Return a table if it has nothing but what a dict has: its items, in their order."""
    return table if type(table) in (dict, defaultdict, Counter) else None


def _behind_a_proxy(attributes: Any) -> dict[Any, Any] | None:
    """Return the dict that a class has its attributes in, where it can be told."""
    found = gc.get_referents(attributes)
    return found[0] if len(found) == 1 and type(found[0]) is dict else None


def _attribute(thing: Any, name: str) -> tuple[str, Callable[[], Any]]:
    """Return how an attribute is written, and what reads it."""
    return f".{name}" if _is_name(name) else "", partial(getattr, thing, name)


def _item(name: str, table: Any, key: Any, attribute: str = "") -> Iterator[Held]:
    """Yield the place of an item; of a name that there isn't, which another may be given later."""
    if key in table:
        way = f"[{key!r}]" if _is_name(key) else ""
        yield from _place(name, table, way, partial(_get, table, key), attribute, _in_order(table))
    else:
        read = partial(_get, table, key)
        way = f"({{1}} if {key!r} not in {{0}} else {{0}})" if _is_name(key) else "{2}()"
        yield Held(
            name, read, ABSENT, way + IS, table, attribute, is_rare=True, table=_in_order(table)
        )


def _get(table: Any, key: Any) -> Any:
    try:
        return table[key]
    except KeyError:
        return ABSENT


def _place(
    name: str,
    holder: Any,
    way: str,
    read: Callable[[], Any],
    attribute: str = "",
    table: dict[Any, Any] | None = None,
) -> Iterator[Held]:
    """Yield a place; ``way`` is how it is written after its holder, "" if it can't be."""
    try:
        value = read()
    except Exception:  # an empty cell, a property that fails
        return
    spelled = (f"{{0}}{way}" if way else "{2}()") + IS
    yield Held(name, read, value, spelled, holder, attribute, table=table)


@lru_cache(maxsize=4096)
def _is_name(key: Any) -> bool:
    return type(key) is str and key.isascii() and key.isidentifier() and not iskeyword(key)
