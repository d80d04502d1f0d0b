"""`Module`: something with parameters that can be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps

from autograd import Value, quoted, scope
from autograd.annotations import Any, NamedTuple, Self
from nn.arguments import listed, real
from nn.elsewhere import FIT, METHODS, Elsewhere
from nn.prediction import predicted
from nn.summary import table_of

_calling: ContextVar[Module | None] = ContextVar("calling", default=None)
"""The module whose call is under way: a module called meanwhile takes its name from it."""


KEPT = (Value, list, tuple, dict)
"""What a call may keep in an attribute without it becoming a parameter."""

PLAIN = {bool, float, int, str, type(None)}
"""Of what most attributes are that hold no parameter."""


class Unmatched(NamedTuple):
    """What a state and a model don't have in common: paths of parameters."""

    missing: list[str]
    unknown: list[str]


def _entered(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``call`` such that its nodes remember the module's path below its caller."""

    @wraps(call)
    def enter(self: Module, *args: Any, **kwargs: Any) -> Any:
        return _called(self, call, (self, *args), kwargs)

    return enter


def _called(module: Module, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return what ``call`` gives, under the module's name in the one that calls it."""
    caller = _calling.get()
    token = _calling.set(module)
    try:
        if caller is None or caller is module:  # the root adds nothing, nor super().__call__(x)
            return call(*args, **kwargs)
        with scope(caller._name_of(module)):
            return call(*args, **kwargs)
    finally:
        _calling.reset(token)


class Module:
    """A function with parameters; subclass it and define ``forward``.

    The parameters are the leaf Values found in the attributes, at any depth of lists, tuples,
    dicts and further modules, in the order of definition and whatever the attribute's name.
    One that is found twice (a tied weight) counts once, under its first name. Inner nodes of a
    graph are not parameters, nor is what a call keeps in an attribute, such as its inputs.

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

    frozen: bool = False
    """Whether the parameters are left out of `parameters`. Set by freeze and unfreeze."""

    nin: int | None = None
    nout: int | None = None
    """How many numbers come in and go out, where known."""

    _kept: tuple[str, ...] = ()
    """The attributes in which calls have kept something: what is found there is no parameter."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if vars(cls).get("__slots__"):
            raise TypeError(f"{cls.__name__}: parameters in __slots__ would not be found; drop it")
        if "__call__" in vars(cls):
            cls.__call__ = _entered(vars(cls)["__call__"])  # type: ignore[method-assign]

    def __setattr__(self, name: str, item: Any) -> None:
        # A call may keep its inputs or results in an attribute, unless that held parameters.
        if isinstance(item, KEPT):
            is_kept = name in self._kept
            if _calling.get() is None:
                if is_kept:
                    vars(self)["_kept"] = tuple(kept for kept in self._kept if kept != name)
            elif not is_kept:
                before, now = _held(vars(self).get(name)), _held(item)
                if not any(isinstance(x, Module) or x.op is None for x in before) and not any(
                    isinstance(x, Module) for x in now
                ):
                    vars(self)["_kept"] = (*self._kept, name)
        object.__setattr__(self, name, item)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _called(self, self.forward, args, kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the module makes of its inputs."""
        raise NotImplementedError(f"{type(self).__name__} defines neither forward nor __call__")

    def settings(self) -> dict[str, Any] | None:
        """Return the constructor's arguments as plain data, with modules as they are.

        None if the module can't be built again of them: what `save` describes a model by.
        """
        return None

    @classmethod
    def size_of(cls, settings: Mapping[str, Any]) -> int:
        """Return how many parameters it has of its own, built of these `settings`."""
        return 0

    def parameters(self) -> list[Value]:
        """Return the parameters to be trained, each once: all but those that are frozen."""
        found: dict[Value, None] = {}
        frozen: set[Value] = set()
        for _, item in _walk(self):
            if item.__class__ is list:
                found.update(dict.fromkeys(item))
            elif isinstance(item, Value):
                found[item] = None
            elif item.frozen:
                frozen.update(_leaves(item))
        return [leaf for leaf in found if leaf.op is None and leaf not in frozen]

    def named_parameters(self) -> dict[str, Value]:
        """Return all parameters by path, such as ``layers.0.neurons.3.w.1``.

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

    def train(self, mode: bool = True) -> Self:
        """Return this module, it and all below it set to be trained, or else used, as by `eval`."""
        if not isinstance(mode, bool):
            raise TypeError(f"train takes True or False: got {quoted(mode)}; to learn, {FIT}")
        return self._set("training", mode)

    def eval(self) -> Self:
        """Return this module, it and all below it set to be used."""
        return self._set("training", False)

    def freeze(self) -> Self:
        """Return this module, the parameters of it and all below it frozen.

        They are no longer among the `parameters`, so an optimizer made of these leaves them as
        they are. A parameter that another module shares is frozen there, too.

        >>> from nn import MLP
        >>> model = MLP(2, [3, 1])
        >>> frozen = model.layers[0].freeze()
        >>> len(model.parameters()), len(model.named_parameters())
        (4, 13)
        """
        return self._set("frozen", True)

    def unfreeze(self) -> Self:
        """Return this module, the parameters of it and all below it to be trained again."""
        return self._set("frozen", False)

    def predict(self, inputs: Any) -> Any:
        """Return the answers to many inputs, by the model as it is used (`eval`).

        Each is a number, or a list of them; if the inputs are an array or a table, so are the
        answers an array. They have no graph. Many are computed in machine code (the extra
        ``fast``), within rounding of what the model says one by one.

        >>> from nn import MLP
        >>> model = MLP(2, [3, 1], seed=0)
        >>> model.predict([[1.0, 2.0], [3.0, 4.0]])[1] == model([3.0, 4.0]).data
        True
        """
        modules = list(self.named_modules().values())
        modes = [module.training for module in modules]
        self.eval()
        try:
            return predicted(self, inputs)
        finally:
            for module, training in zip(modules, modes, strict=True):
                module.training = training

    def state_dict(self) -> dict[str, float]:
        """Return the numbers of the parameters by path."""
        return {name: parameter.data for name, parameter in self.named_parameters().items()}

    def load_state_dict(self, state: Mapping[str, float], strict: bool = True) -> Unmatched:
        """Set all parameters to the numbers in ``state``, or none of them; return what is left.

        Args:
            strict: whether each parameter must be there and nothing else; if not, those that are
                in both are set.

        Raises:
            TypeError: one is no number.
            ValueError: parameters are missing or unknown.

        >>> from nn import MLP
        >>> MLP(1, [1]).load_state_dict({"layers.0.neurons.0.b": 1.0, "b": 2.0}, strict=False)
        Unmatched(missing=['layers.0.neurons.0.w.0'], unknown=['b'])
        """
        named = self.named_parameters()
        left = Unmatched(
            [name for name in named if name not in state],
            [str(name) for name in state if name not in named],
        )
        problems = [
            f"{word} {listed(names)}"
            for word, names in (("lacks", left.missing), ("has the unknown", left.unknown))
            if names
        ]
        if strict and problems:
            raise ValueError(f"the state does not fit {quoted(self)}: it {' and '.join(problems)}")
        numbers = {name: real(name, state[name]) for name in named if name in state}
        for name, number in numbers.items():
            named[name].data = number
        return left

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
        return table_of(self.named_modules())

    def label_parameters(self) -> None:
        """Make every parameter's path its label: drawings and messages then name it."""
        for name, parameter in self.named_parameters().items():
            parameter.label = name

    def zero_grad(self) -> None:
        """Set the parameters' gradients back to 0.0."""
        for parameter in self.named_parameters().values():
            parameter.grad = 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.named_parameters())} parameters)"

    def __getstate__(self) -> dict[str, Any]:
        return vars(self)

    def _set(self, name: str, is_so: bool) -> Self:
        for module in self.named_modules().values():
            setattr(module, name, is_so)
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
        names = {
            id(item): (_path(keys), keys)
            for keys, item in _walk(self, nested=False)
            if isinstance(item, Module)
        }
        object.__setattr__(self, "_names", names)  # which is nothing that a call keeps
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
        if item.__class__ is list and {x.__class__ for x in item} == {Value}:
            yield keys, item
            continue
        inside = _inside(item, keys)
        if inside is None or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, Value | Module):
            yield keys, item
        if nested or item is root or not isinstance(item, Module):
            stack += [
                ((*keys, key), member)
                for key, member in reversed(inside.items())
                if member.__class__ not in PLAIN
            ]


def _inside(item: object, keys: tuple[Any, ...]) -> dict[Any, Any] | None:
    """Return what ``item`` holds, by key; None if it is of no interest.

    Raises:
        TypeError: a set holds a parameter: its order would change from run to run.
    """
    if isinstance(item, Value):
        return {} if item.op is None else None
    if isinstance(item, Module):
        if not item._kept:
            return vars(item)
        return {name: part for name, part in vars(item).items() if name not in item._kept}
    if isinstance(item, dict):
        return item
    if isinstance(item, list | tuple):
        return dict(enumerate(item))
    if isinstance(item, set | frozenset) and any(isinstance(x, Value | Module) for x in item):
        raise TypeError(f"{_path(keys)} is a set, which has no order: use a list")
    return None


def _leaves(module: Module) -> Iterator[Value]:
    """Yield the parameters of a module itself, without those of modules below."""
    for _, item in _walk(module, nested=False):
        if item.__class__ is list:
            yield from item
        elif isinstance(item, Value):
            yield item


def _held(item: object) -> Iterator[Value | Module]:
    """Yield the Values and modules that an attribute holds, at any depth of lists and dicts."""
    seen: set[int] = set()
    stack = [item]
    while stack:
        item = stack.pop()
        if isinstance(item, Value | Module):
            yield item
        elif isinstance(item, list | tuple | dict) and id(item) not in seen:
            seen.add(id(item))
            stack += item.values() if isinstance(item, dict) else item


def _path(keys: tuple[Any, ...]) -> str:
    return ".".join(map(str, keys))


for _name in METHODS:
    setattr(Module, _name, Elsewhere(_name))
