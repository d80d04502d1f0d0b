"""What a function can reach: the Values whose numbers it may read before it computes with them."""

from __future__ import annotations

import builtins
import gc
import sys
import weakref
from collections.abc import Iterable, Iterator, Set
from contextvars import ContextVar
from functools import cache
from pathlib import PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

from autograd.compiler.names import EVALUATES, REFLECTS, names_of, reflected_by
from autograd.engine import Value
from autograd.modes import OWN_CODE

ATOMS = frozenset((int, float, complex, bool, str, bytes, type(None), CodeType))
"""Types whose instances hold nothing."""

OF_FIELDS = frozenset(("__annotations__", "__dataclass_fields__"))
SAID_OF_A_CLASS = OF_FIELDS | {"__dataclass_params__", "__dict__", "__repr__", "__str__"}
"""What a class has of its fields, and what prints an instance: of no effect on what is computed."""


def values_within(f: Any) -> list[Value]:
    """Return the Values that ``f`` can reach, in the order in which they are found."""
    return [thing for thing in reached(f) if thing.__class__ is Value]


def reached(f: Any) -> Iterator[Any]:
    """Yield ``f`` and what it can reach: Values, and what may hold some.

    It is asked of each object what it holds: of a function the variables that it closes over, its
    defaults, and the globals that its code names; of an instance also its class, for what the
    methods name; of a module what any of the functions names. Modules of the standard library and
    of this project hold nothing of a user's, nor do installed ones that import nothing of this
    project, but for functions and classes that a user has put there, or in `Value`.

    Cost: linear in what can be reached, a few ns for each number in a list.
    """
    known = {id(f)}
    kept = [f]  # so that no id is used again
    waiting = [builtins, Value, f]
    modules: list[ModuleType] = []
    classes: list[type] = []
    named: dict[str, None] = {}
    while waiting:
        thing = waiting.pop()
        yield thing
        if isinstance(thing, FunctionType) and not is_foreign(thing.__module__ or ""):
            named.update(dict.fromkeys(names_of(thing.__code__)))
        elif isinstance(thing, ModuleType):
            modules.append(thing)
        elif isinstance(thing, type) and not is_foreign(thing.__module__):
            classes.append(thing)
        named.update(dict.fromkeys(reflected_by(thing)))
        parts: Iterable[Any] = _parts(thing)
        if not waiting:
            others = [x for m in modules for x in _named_in(m, named.keys())]
            said = said_in(named.keys())
            if said or "__subclasses__" in named:
                others += [x for kind in classes for x in _told_of(kind, named.keys(), said)]
            parts = [*parts, *others]
        for part in parts:
            kind = type(part)
            if kind is not Value and kind in weakref.ProxyTypes:
                part = getattr(getattr(part, "__init__", None), "__self__", None)
                kind = part.__class__
            if kind not in ATOMS and id(part) not in known:
                known.add(id(part))
                kept.append(part)
                if kind is Value:
                    yield part
                else:
                    waiting.append(part)


def names_in(module: ModuleType, named: Set[str]) -> list[str]:
    """Return the names in a module that code with these names may use."""
    names = vars(module).keys()
    return [*_public(names)] if named & REFLECTS else [name for name in named if name in names]


def _named_in(module: ModuleType, named: Set[str]) -> Iterator[Any]:
    """Yield what these names stand for in a module; in a foreign one, what is a user's of it."""
    if is_foreign(module.__name__):
        yield from filter(_is_users, (vars(module)[x] for x in named & vars(module).keys()))
    else:
        yield from (vars(module)[name] for name in names_in(module, named))


def _is_users(thing: Any) -> bool:
    """Return whether something is a function or a class of a user's."""
    inner = getattr(thing, "fget", None) or getattr(thing, "__func__", thing)
    is_made = isinstance(inner, FunctionType | type)
    return is_made and not is_foreign(inner.__module__ or "")


def said_in(named: Set[str]) -> Set[str]:
    """Return what classes have of their fields, and so on, that code with these names may go by."""
    asks_of_fields = not named.isdisjoint(("fields", "get_type_hints", "get_annotations"))
    return (named & SAID_OF_A_CLASS) | (OF_FIELDS if asks_of_fields else frozenset())


def _told_of(kind: type, named: Set[str], said: Set[str]) -> list[Any]:
    """Return the subclasses of a class, and what it has of its fields, where code names them."""
    subclasses: list[Any] = kind.__subclasses__() if "__subclasses__" in named else []
    return [*subclasses, *(vars(kind)[name] for name in said if name in vars(kind))]


def _public(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith("__"))


def _parts(thing: Any) -> list[Any]:
    """Return what an object holds."""
    if isinstance(thing, FunctionType):
        cells = [cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell)]
        given = [*(thing.__defaults__ or ()), thing.__kwdefaults__]
        return [*cells, *given, *vars(thing).values(), *_globals(thing)]
    if isinstance(thing, type):
        if is_foreign(thing.__module__):
            return [*filter(_is_users, vars(thing).values())]
        own = [part for name, part in vars(thing).items() if name not in SAID_OF_A_CLASS]
        return [*own, *thing.__bases__, type(thing)]
    if isinstance(thing, ModuleType):
        return []
    if isinstance(thing, BuiltinFunctionType):
        # Of a method, such as ``settings.get``, what it is bound to.
        return [] if isinstance(thing.__self__, ModuleType) else [thing.__self__]
    if isinstance(thing, weakref.ref | ContextVar):
        return [behind(thing)]
    if type(thing).__module__.startswith(f"{__package__}."):
        # A compiled function. What it keeps leads to all globals that its places are among.
        return [getattr(thing, "_f", None), *getattr(thing, "parameters", ())]
    if isinstance(thing, list) and ATOMS.issuperset(map(type, thing)):
        return []
    if type(thing).__module__ == "numpy" and str(getattr(thing, "dtype", "")) == "object":
        return list(thing.flat)  # which it doesn't tell gc
    return gc.get_referents(thing)


def _globals(f: FunctionType) -> Iterator[Any]:
    """Yield the globals that a function's code names, and modules that it may import."""
    if is_foreign(f.__module__ or ""):
        return
    names = names_of(f.__code__)
    yield from map(f.__globals__.get, globals_of(f))
    yield from (sys.modules[name] for name in names if name in sys.modules)


def globals_of(f: FunctionType) -> Set[str]:
    """Return the globals that a function's code may use."""
    names = names_of(f.__code__)
    is_any = names & {"globals", *EVALUATES}
    return names | {*_public(f.__globals__)} if is_any else names


def behind(thing: Any) -> Any:
    """Return what a weak reference or a context variable leads to; None if to nothing."""
    try:
        return thing.get() if isinstance(thing, ContextVar) else thing()
    except LookupError:
        return None


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


@cache
def is_foreign(module: str) -> bool:
    """Return whether nothing that a module holds can be a Value of a user's."""
    if _top(module) in sys.stdlib_module_names or _top(module) in OWN_CODE:
        return True
    names = vars(sys.modules.get(module, sys))
    if not {"site-packages", "dist-packages"} & {*PurePath(names.get("__file__") or "").parts}:
        return False
    homes = map(_home, names.values())
    return not any(_top(home) in OWN_CODE for home in homes if isinstance(home, str))


def is_installed(module: str) -> bool:
    """Return whether a module is of a library that keeps things for itself, as NumPy doesn't."""
    top = _top(module)
    is_standard = top in sys.stdlib_module_names and top != "logging"
    return is_foreign(module) and not is_standard and top != "numpy"


def _home(thing: Any) -> Any:
    """Return the name of the module that something is from; a module's own name."""
    if isinstance(thing, ModuleType):  # not asked for more: it may answer with a warning
        return vars(thing).get("__name__")
    return getattr(thing, "__module__", None) or getattr(thing, "__name__", "")


def _top(module: str) -> str:
    return module.partition(".")[0]
