"""Chainrule: a scalar reverse-mode autograd engine that shows its work.

>>> from autograd import Value
>>> x = Value(2.0)
>>> y = x**3
>>> y.backward()
>>> x.grad
12.0
"""

from __future__ import annotations

import builtins
from importlib import import_module
from typing import Any

from autograd import byhand, freeing, functions, ops, recorders, scalar  # noqa: F401 - the core is there from the start

__version__ = "0.2.0"

_homes: dict[str, str] = {}
"""By public name, the module that it comes from, which is loaded when the name is first used."""

__all__ = []


def _read_stub() -> None:
    """Learn the public names from ``__init__.pyi``; a star import leaves the built-ins alone."""
    stub: bytes = __spec__.loader.get_data(f"{__path__[0]}/__init__.pyi")  # type: ignore
    names, _, modules = stub.decode().partition("# isort: split")
    for line in names.splitlines():
        match line.split():
            case ["from", home, "import", "*"]:
                _homes.update(dict.fromkeys(import_module(home).__all__, home))
            case ["from", home, "import", name, *_]:
                _homes[name] = home
    __all__.extend(name for name in _homes if not hasattr(builtins, name))
    for line in modules.splitlines():
        match line.split():
            case ["from", home, "import", name, *_]:
                _homes[name] = home


_read_stub()


def __getattr__(name: str) -> Any:
    if name not in _homes:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    home = _homes[name]
    if home == "autograd":
        return import_module(f"autograd.{name}")
    # As the statement does: what is called so in the module, else a module inside of it.
    globals()[name] = found = getattr(__import__(home, fromlist=[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_homes})
