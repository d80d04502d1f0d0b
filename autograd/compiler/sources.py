"""This project's own code: its files, and what the names in its modules stand for by now."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import Any

from autograd.compiler.instructions import PLAIN, UnknownError, plain
from autograd.modes import OWN_CODE

LARGEST_DICT = 64
"""A dict of a module of this project with more items is what it has computed already."""


def is_own(module: Any) -> bool:
    return type(module) is str and module.partition(".")[0] in OWN_CODE


@cache
def sources_of(package: str) -> str:
    """Return a digest of the files of a package, without those in packages inside of it.

    Read by way of Python's importer: what is installed may be byte code, or in a zip file.
    """
    digest = hashlib.sha256()
    for finder, name, is_package in iter_modules(sys.modules[package].__path__, f"{package}."):
        if not is_package:
            known = getattr(sys.modules.get(name), "__spec__", None)
            spec: Any = known or finder.find_spec(name, None)
            digest.update(spec.loader.get_data(spec.origin))
    return digest.hexdigest()


IMPORTED_BY = frozenset(("__builtins__", "__loader__", "__spec__"))
"""Names in a module that are of what has imported it, such as pytest: no code of ours asks them."""

_states: dict[str, tuple[list[int], list[Any], str]] = {}
"""By a module's name: what its names stood for when they were looked at, kept so that no address
is used again, and what was said."""


def state_of(module: str) -> str:
    """Return what the names in a module of this project stand for, which anybody may have set.

    Raises:
        UnknownError: one of them is somebody else's, or tells of what is under way.
    """
    if module not in sys.modules:
        return ""
    names = vars(sys.modules[module]).items()
    homes: list[Mapping[str, Any]] = [{k: x for k, x in names if k not in IMPORTED_BY}]
    homes += [vars(x) for x in homes[0].values() if isinstance(x, type) and x.__module__ == module]
    things = [thing for home in homes for thing in home.values()]
    tables = [thing for thing in things if type(thing) is dict and len(thing) <= LARGEST_DICT]
    things += [x for table in tables for x in table.values()]
    if any(type(thing) is ContextVar and thing.get(None) is not None for thing in things):
        raise UnknownError  # it is run in the middle of what that tells of
    found = [*map(id, things)]
    known = _states.get(module)
    if known and known[0] == found:
        return known[2]
    if not all(map(_is_pristine, things)):
        raise UnknownError
    said = [
        f"{name} {_said(thing)}"
        for home in homes
        for name, thing in home.items()
        if not name.startswith("__")
    ]
    _states[module] = found, things, "\n".join(said)
    return _states[module][2]


def _said(thing: Any) -> str:
    """Return a thing as text; of a table, which names are in it."""
    if type(thing) in PLAIN:
        return plain(thing)
    names = [key for key in thing if type(key) is str] if type(thing) is dict else []
    return " ".join((type(thing).__name__, *names))


def _is_pristine(thing: Any) -> bool:
    """Return whether a thing is made of this project's code, or of Python's own."""
    if type(thing) is FunctionType:
        home = thing.__globals__.get("__name__")
        if home == f"namedtuple_{thing.__qualname__.partition('.')[0]}":
            return True  # `__new__`, which Python has made
    else:
        home = (thing if isinstance(thing, type) else type(thing)).__module__
        for name in ("__func__", "__wrapped__", "fget", "func"):
            inner = getattr(thing, name, None) if type(thing) is not ModuleType else None
            if callable(inner) and inner is not thing and not _is_pristine(inner):
                return False
    return is_own(home) or str(home).partition(".")[0] in sys.stdlib_module_names
