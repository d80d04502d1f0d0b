"""`Module`: something with parameters that can be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import wraps
from typing import Any

from autograd import Value, scope

_calling: ContextVar[Module | None] = ContextVar("calling", default=None)
"""The module whose call is under way: a module called meanwhile takes its name from it."""


def _entered(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``call`` such that its nodes remember the module's path below its caller."""

    @wraps(call)
    def enter(self: Module, *args: Any, **kwargs: Any) -> Any:
        caller = _calling.get()
        # The root adds nothing, nor does super().__call__(x).
        name = "" if caller is None or caller is self else caller._name_of(self)
        token = _calling.set(self)
        try:
            with scope(name):
                return call(self, *args, **kwargs)
        finally:
            _calling.reset(token)

    return enter


class Module:
    """A function with parameters; subclass it and define ``forward``.

    The parameters are the leaf Values found in the attributes, at any depth of lists, tuples,
    dicts and further modules, in the order of definition and whatever the attribute's name.
    One that is found twice (a tied weight) counts once, under its first name. Inner nodes of a
    graph are not parameters.

    A subclass may also define ``__call__`` itself, as with micrograd. Either way the nodes made
    in a call remember the module's path below the outermost module: ``layers.0.neurons.3``.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...
    ...     def forward(self, x):
    ...         return self.slope * x + self.offset
    >>> line = Line()
    >>> line(3.0).data
    7.0
    >>> list(line.named_parameters())
    ['slope', 'offset']
    """

    # In a slot, the names are neither walked as attributes nor copied or pickled.
    __slots__ = ("__dict__", "__weakref__", "_names")

    _names: dict[int, tuple[str, tuple[Any, ...]]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if vars(cls).get("__slots__"):
            raise TypeError(f"{cls.__name__}: parameters in __slots__ would not be found; drop it")
        if "__call__" in vars(cls):
            cls.__call__ = _entered(vars(cls)["__call__"])  # type: ignore[method-assign]

    @_entered
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the module makes of its inputs."""
        raise NotImplementedError(f"{type(self).__name__} defines neither forward nor __call__")

    def parameters(self) -> list[Value]:
        """Return the parameters, each once."""
        return [item for _, item in _walk(self) if isinstance(item, Value)]

    def named_parameters(self) -> dict[str, Value]:
        """Return the parameters by path, such as ``layers.0.neurons.3.w.1``.

        Raises:
            ValueError: two of them have the same path, as from the dict ``{1: v, "1": w}``.
        """
        named: dict[str, Value] = {}
        for keys, item in _walk(self):
            if isinstance(item, Value) and named.setdefault(_path(keys), item) is not item:
                raise ValueError(f"two parameters of {type(self).__name__} are named {_path(keys)}")
        return named

    def label_parameters(self) -> None:
        """Make every parameter's path its label: drawings and messages then name it."""
        for name, parameter in self.named_parameters().items():
            parameter.label = name

    def zero_grad(self) -> None:
        """Set the parameters' gradients back to 0.0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.parameters())} parameters)"

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)

    def _name_of(self, module: Module) -> str:
        """Return the path under which this module holds ``module``; "" if it does not.

        Cost: constant where the module is still where it was found last; else one walk.
        """
        try:
            name, keys = self._names[id(module)]
            found: Any = vars(self)
            for key in keys:
                found = found[key]
            if found is module:
                return name
        except (AttributeError, LookupError, TypeError):
            pass
        self._names = {
            id(item): (_path(keys), keys)
            for keys, item in _walk(self, nested=False)
            if isinstance(item, Module)
        }
        return self._names.get(id(module), ("", ()))[0]


def _walk(root: Module, *, nested: bool = True) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield ``root``, and the leaf Values and modules below it, each once, with the keys to it.

    Args:
        nested: whether to enter the modules below, or only the containers.
    """
    seen: set[int] = set()
    stack: list[tuple[tuple[Any, ...], Any]] = [((), root)]
    while stack:
        keys, item = stack.pop()
        inside = _inside(item, keys)
        if inside is None or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Value | Module):
            yield keys, item
        if nested or item is root or not isinstance(item, Module):
            stack += [((*keys, key), member) for key, member in reversed(inside.items())]


def _inside(item: object, keys: tuple[Any, ...]) -> dict[Any, Any] | None:
    """Return what ``item`` holds, by key; None if it is of no interest.

    Raises:
        TypeError: a set holds a parameter: its order would change from run to run.
    """
    if isinstance(item, Value):
        return {} if item.op is None else None
    if isinstance(item, Module):
        return vars(item)
    if isinstance(item, dict):
        return item
    if isinstance(item, list | tuple):
        return dict(enumerate(item))
    if isinstance(item, set | frozenset) and any(isinstance(x, Value | Module) for x in item):
        raise TypeError(f"{_path(keys)} is a set, which has no order: use a list")
    return None


def _path(keys: tuple[Any, ...]) -> str:
    return ".".join(map(str, keys))
