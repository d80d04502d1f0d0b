"""`Module`: something with parameters that can be called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from itertools import groupby
from typing import Any, Self

from autograd import Value, scope
from nn.arguments import real

_calling: ContextVar[Module | None] = ContextVar("calling", default=None)
"""The module whose call is under way: a module called meanwhile takes its name from it."""


def _entered(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``call`` such that its nodes remember the module's path below its caller."""

    @wraps(call)
    def enter(self: Module, *args: Any, **kwargs: Any) -> Any:
        caller = _calling.get()
        token = _calling.set(self)
        try:
            if caller is None or caller is self:  # the root adds nothing, nor super().__call__(x)
                return call(self, *args, **kwargs)
            with scope(caller._name_of(self)):
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

    training: bool = True
    """Whether the module is being trained: `Dropout` drops only then. Set by train and eval."""

    nin: int | None = None
    nout: int | None = None
    """How many numbers come in and go out, where known."""

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

    def settings(self) -> dict[str, Any] | None:
        """Return the constructor's arguments as plain data, with modules as they are.

        None if the module can't be built again of them: what `save` describes a model by.
        """
        return None

    def parameters(self) -> list[Value]:
        """Return the parameters, each once."""
        found: dict[Value, None] = {}
        for _, item in _walk(self):
            if item.__class__ is list:
                found.update(dict.fromkeys(item))
            elif isinstance(item, Value):
                found[item] = None
        return [leaf for leaf in found if leaf.op is None]

    def named_parameters(self) -> dict[str, Value]:
        """Return the parameters by path, such as ``layers.0.neurons.3.w.1``.

        Raises:
            ValueError: two of them have the same path, as from the dict ``{1: v, "1": w}``.
        """
        paths: dict[Value, str] = {}
        for keys, item in _walk(self):
            path = _path(keys)
            if item.__class__ is list:
                for i, leaf in enumerate(item):
                    paths.setdefault(leaf, f"{path}.{i}")
            elif isinstance(item, Value):
                paths.setdefault(item, path)
        named: dict[str, Value] = {}
        for leaf, path in paths.items():
            if leaf.op is None and named.setdefault(path, leaf) is not leaf:
                raise ValueError(f"two parameters of {type(self).__name__} are named {path}")
        return named

    def named_modules(self) -> dict[str, Module]:
        """Return this module, under the name "", and the modules below it by path."""
        return {_path(keys): item for keys, item in _walk(self) if isinstance(item, Module)}

    def train(self) -> Self:
        """Return this module, it and all below it set to be trained."""
        return self._set_training(True)

    def eval(self) -> Self:
        """Return this module, it and all below it set to be used."""
        return self._set_training(False)

    def state_dict(self) -> dict[str, float]:
        """Return the numbers of the parameters by path."""
        return {name: parameter.data for name, parameter in self.named_parameters().items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Set all parameters to the numbers in ``state``, or none of them.

        Raises:
            TypeError: one is no number.
            ValueError: parameters are missing or unknown.
        """
        named = self.named_parameters()
        problems = [
            f"{word} {_listed(names)}"
            for word, names in (
                ("lacks", [name for name in named if name not in state]),
                ("has the unknown", [str(name) for name in state if name not in named]),
            )
            if names
        ]
        if problems:
            raise ValueError(f"the state does not fit {self!r:.60}: it {' and '.join(problems)}")
        numbers = [real(name, state[name]) for name in named]
        for parameter, number in zip(named.values(), numbers, strict=True):
            parameter.data = number

    def summary(self) -> str:
        """Return a table: each module with its outputs, its parameters and their share.

        Equal neighbours, such as the neurons of a layer, take one row together; a parameter
        counts in every module that holds it.

        >>> from nn import MLP
        >>> print(MLP(2, [16, 1]).summary())
        module               what             outputs  parameters    share
        (all)                MLP                    1          65  100.0 %
        layers.0             Layer                 16          48   73.8 %
        layers.0.neurons.*   16 × ReLUNeuron        1          48   73.8 %
        layers.1             Layer                  1          17   26.2 %
        layers.1.neurons.0   LinearNeuron           1          17   26.2 %
        """
        rows = [("module", "what", "outputs", "parameters", "share")]
        total = len(self.parameters())
        for path, alike in _folded(self.named_modules()):
            size = len({p for module in alike for p in module.parameters()})
            what = repr(alike[0]).partition("(")[0].partition(" ")[0]
            rows.append(
                (
                    path or "(all)",
                    f"{len(alike)} × {what}" if len(alike) > 1 else what,
                    "" if alike[0].nout is None else str(alike[0].nout),
                    str(size),
                    f"{size / total:.1%}".replace("%", " %") if total else "",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            f"{row[0]:{widths[0] + 2}} {row[1]:{widths[1]}}"
            + "".join(
                f"  {cell:>{w}}" for cell, w in zip(row[2:], widths[2:], strict=True)
            ).rstrip()
            for row in rows
        )

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

    def _set_training(self, training: bool) -> Self:
        for module in self.named_modules().values():
            module.training = training
        return self

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
    """Yield ``root``, and the modules and leaf Values below it, with the keys to each.

    A list of nothing but Values, as a neuron's weights are, comes as a whole: they are most of
    what there is to find.

    Args:
        nested: whether to enter the modules below, or only the containers.
    """
    seen: set[int] = set()
    stack: list[tuple[tuple[Any, ...], Any]] = [((), root)]
    while stack:
        keys, item = stack.pop()
        if item.__class__ is list and set(map(type, item)) == {Value}:
            yield keys, item
            continue
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


def _folded(named: dict[str, Module]) -> Iterator[tuple[str, list[Module]]]:
    """Yield modules by path, neighbours without modules of their own and of one repr as one."""
    holders = {path[: dot.start()] for path in named for dot in re.finditer(r"\.", path)} | {""}

    def kind(path: str) -> object:
        return path if path in holders else (path.rpartition(".")[0], repr(named[path]))

    for _, group in groupby(named, kind):
        first, *others = group
        path = f"{first.rpartition('.')[0]}.*".lstrip(".") if others else first
        yield path, [named[each] for each in (first, *others)]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
