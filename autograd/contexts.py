"""Contexts in which a setting of the mode is off: no graph, no domain errors; and many scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Token
from functools import wraps

from autograd.annotations import Any, TypeVar, final
from autograd.modes import Mode, _mode, current_mode

F = TypeVar("F", bound=Callable[..., Any])


class _Off:
    """A context in which a setting is off; also usable as a decorator."""

    __slots__ = ("_token",)

    setting: str

    def __enter__(self) -> None:
        mode, kind = current_mode(), self.__class__
        other = mode.others.get(kind) or mode.other(kind, **{self.setting: False})
        self._token: Token[Mode] = _mode.set(other)

    def __exit__(self, *_: object) -> None:
        _mode.reset(self._token)

    def __call__(self, f: F) -> F:
        @wraps(f)
        def without(*args: Any, **kwargs: Any) -> Any:
            with self.__class__():  # one for each call, as f may call itself
                return f(*args, **kwargs)

        return without  # type: ignore[return-value]


@final
class no_grad(_Off):  # noqa: N801 - a context manager, used like a function
    """Record nothing inside: results are leaves. Also usable as a decorator."""

    __slots__ = ()

    setting = "grad"


@final
class unchecked(_Off):  # noqa: N801
    """Record by IEEE 754, without domain errors: for graphs made of rules."""

    __slots__ = ()

    setting = "checked"


def call_in_scopes(names: Iterable[str], modules: Iterable[Any], x: Any) -> list[Any]:
    """Return what several modules make of ``x``, each in a `scope` of the name beside it."""
    outer, results = current_mode(), []
    known, enter = outer.others, _mode.set
    token = enter(outer)
    try:
        for name, module in zip(names, modules, strict=True):
            enter(known.get(name) or outer.inside(name))
            results.append(module.forward(x))
    finally:
        _mode.reset(token)
    return results
