"""How operations are recorded just now: in which scope, with or without a graph, how strictly.

One mode per thread and task. A mode never changes; entering a context makes another current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

from autograd.acceleration import ModeBase
from autograd.annotations import Any, Protocol
from autograd.place import Origin


class Inspector(Protocol):
    """What `autograd.debugging` does for the engine while it is on: it words errors, says what is
    wrong with a result ("" if nothing is), and raises if a node is not what its arguments give.
    """

    def explain(self, problem: str, op: Any, args: tuple[Any, ...], origin: Any) -> str: ...
    def inspect(self, op: Any, floats: list[float], out: float) -> str: ...
    def check_fresh(self, order: list[Any]) -> None: ...
    def explain_edge(self, problem: str, root: Any, node: Any) -> str: ...


class Tracer(Protocol):
    """What `autograd.compiler.tracing` does while a function is recorded for it: it records nodes,
    leaves get a number and a mark of it; it meets nodes that are to be read, or compared with what
    they may equal, words refusals, and knows whether what is asked is only for what is printed.
    """

    mark: object

    def record(self, op: Any, args: tuple[Any, ...]) -> Any: ...
    def number(self, x: Any) -> Any: ...
    def meet(self, node: Any) -> None: ...
    def refused(self, message: str) -> Exception: ...
    def meet_equal(self, node: Any, other: Any) -> None: ...
    def is_told(self, node: Any, asked: str) -> bool: ...


AS_NODE, AS_LEAF, BY_RECORD = range(3)  # the last by `engine.record`, which asks more


SETTINGS = ("scope", "grad", "checked", "debug", "tracing")

MOST_OTHERS = 4096
"""So many modes are known to another; then that begins anew, as with a scope for each sample."""


class Mode(ModeBase):
    """The settings under which a node is recorded.

    Attributes:
        scope: dotted module path, "" outside of any.
        grad: whether to record the graph at all.
        checked: whether leaving a domain is an error.
        debug: the inspector, if debugging is on.
        origin, way: what a node remembers, short of the source line; how it is recorded.
        others: those made of it that programs enter again and again, by a scope's name, or else.
    """

    __slots__ = (*SETTINGS, "others")

    def __init__(
        self,
        scope: str = "",
        *,
        grad: bool = True,
        checked: bool = True,
        debug: Inspector | None = None,
        tracing: Tracer | None = None,
    ) -> None:
        self.scope = scope
        self.grad = grad
        self.checked = checked
        self.debug = debug
        self.tracing = tracing
        self.way = BY_RECORD if debug or tracing else AS_NODE if grad else AS_LEAF
        self.origin: Origin | None = (scope, None, None) if scope else None
        self.others: dict[object, Mode] = {}

    def but(self, **changes: Any) -> Mode:
        """Return this mode with some of its settings changed."""
        return Mode(**({name: getattr(self, name) for name in SETTINGS} | changes))

    def other(self, key: object, **changes: Any) -> Mode:
        """Return this mode with some of its settings changed, which is then known by ``key``."""
        if len(self.others) >= MOST_OTHERS:
            self.others.clear()
        return self.others.setdefault(key, self.but(**changes))

    def inside(self, name: str) -> Mode:
        """Return this mode with its scope deepened."""
        if known := self.others.get(name):
            return known
        path = f"{self.scope}.{name}" if self.scope and name else self.scope or name
        return self.other(name, scope=path)


_mode: ContextVar[Mode] = ContextVar("mode", default=Mode())  # noqa: B039 - never mutated
current_mode = _mode.get


class scope:  # noqa: N801 - a context manager, used like a function
    """Make what is computed remember a dotted module path: ``with scope("layers.0"): ...``.

    Scopes nest: the paths are joined with a dot. An empty name adds nothing.
    """

    __slots__ = ("_name", "_token")

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._token: Token[Mode] = _mode.set(current_mode().inside(self._name))

    def __exit__(self, *_: object) -> None:
        _mode.reset(self._token)


@contextmanager
def changed_mode(**changes: Any) -> Iterator[None]:
    """Record with some settings of the current mode changed."""
    token = _mode.set(current_mode().but(**changes))
    try:
        yield
    finally:
        _mode.reset(token)


OWN_CODE = ("autograd", "nn", "chainrule_pytest")


def source_line() -> tuple[str, int]:
    """Return file and line of the innermost frame outside these packages."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in OWN_CODE:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
