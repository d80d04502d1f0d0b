"""How a user's function is called: with arguments of which names, or with none."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from autograd.checking.point import parts
from autograd.engine import Value
from autograd.operation import Op


def takes_leaves(f: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Return whether ``f`` takes no arguments, and uses the leaves ``args`` otherwise.

    Raises:
        TypeError: ``f`` can be called neither with ``args`` nor without.
    """
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(*args)
    except TypeError as error:
        try:
            signature.bind()
        except TypeError:
            name = getattr(f, "__name__", "the function")
            raise TypeError(
                f"{name} can't be called with {len(args)} argument(s): {error}"
            ) from None
    else:
        return False
    flat = [item for part in parts(args, "") for item in part.items]
    if not all(isinstance(item, Value) and item.op is None for item in flat):
        raise TypeError("the function takes no arguments, so what is checked must be leaf Values")
    if len(set(flat)) < len(flat):
        raise TypeError("a leaf is given twice")
    return True


def names_of(f: Callable[..., Any], n: int) -> list[str]:
    """Return the names of the first n parameters.

    Those that ``*v`` takes are ``v0``, ``v1``, ...; ``arg0``, ... where nothing is known, and of
    a row that takes any number.
    """
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:  # the call of a row is the same for all
        parameters = [] if isinstance(f, Op) else list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in positional]
    rest = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL] or ["arg"]
    if isinstance(f, Op) and f.arity:
        names = list(f.parameters)
    return [*names, *(f"{rest[0]}{i}" for i in range(n - len(names)))][:n]
