"""What a model is built of, as plain data: enough to build it again, without its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograd import Value
from nn.attention import CausalSelfAttention
from nn.composition import Residual, Sequential
from nn.documents import StateError
from nn.filters import Dropout, Standardize
from nn.gpt import GPT, Block
from nn.layers import MLP, Layer, Neuron
from nn.linear import Embedding, Linear
from nn.module import Module
from nn.norms import LayerNorm, RMSNorm

CLASSES: dict[str, type[Module]] = {
    kind.__name__: kind
    for kind in (
        *(Neuron, Layer, MLP, Sequential, Residual, Dropout, Standardize),
        *(Linear, Embedding, RMSNorm, LayerNorm, CausalSelfAttention, Block, GPT),
    )
}
"""What a file may name."""

SEEDED = (Neuron, Layer, MLP, Linear, Embedding, CausalSelfAttention, Block, GPT)
"""Those whose weights are drawn, in vain where they are set afterwards."""

SIZES = ("nin", "nout", "nouts", "rows", "width", "vocabulary", "block_size", "embedding", "layers")
"""The arguments that say how many parameters there are."""


MOST_MODULES = 100_000
"""Modules that a file may describe, one that is used twice counted twice."""


def described(model: Module) -> dict[str, Any] | None:
    """Return what a model is built of: its class and the constructor's arguments.

    A module that has been met before is the number of those met before it. None if it can't be
    told: the model, or a module in it, is not of `CLASSES`, or was changed.

    >>> described(MLP(2, [3, 1], activation="tanh"))
    {'class': 'MLP', 'nin': 2, 'nouts': [3, 1], 'activation': ['tanh', 'linear']}
    >>> layer = Layer(1, 1)
    >>> described(Sequential(layer, layer))["layers"][1]
    {'same': 1}
    """
    met: dict[int, int] = {}

    def describe(module: Module) -> dict[str, Any] | None:
        if id(module) in met:
            return {"same": met[id(module)]}
        met[id(module)] = len(met)
        if type(module) is not CLASSES.get(type(module).__name__):
            return None
        settings = module.settings()
        if settings is None:
            return None
        built: dict[str, Any] = {"class": type(module).__name__}
        for name, setting in settings.items():
            several = setting if isinstance(setting, list) else [setting]
            parts = [describe(part) if isinstance(part, Module) else part for part in several]
            if any(part is None for part in parts):
                return None
            built[name] = parts if isinstance(setting, list) else parts[0]
        return built

    return describe(model)


def ties_of(model: Module) -> list[list[str]]:
    """Return the paths of each parameter that has several, as one that is used twice."""
    paths: dict[Value, list[str]] = {}
    for path, holder, key in _places(model):
        paths.setdefault(holder[key], []).append(path)
    return [several for several in paths.values() if len(several) > 1]


def rebuilt(built: Any, ties: Any, most: int) -> Module:
    """Return a new module as described; its weights are yet to be set.

    Args:
        ties: as `ties_of` returns them.
        most: how many parameters the file holds; more are not made room for.

    Raises:
        StateError: the description is none, or of a class that is not allowed.
    """
    size = parts = 0
    met: list[tuple[Module, int] | None] = []

    def rebuild(built: Any) -> Module:
        nonlocal parts
        place, before = len(met), parts
        parts += 1
        if isinstance(built, dict) and set(built) == {"same"}:
            known = met[built["same"]]
            if known is None:
                raise StateError("the description has a module within itself")
            parts += known[1]
            module = known[0]
        else:
            met.append(None)
            module = make(built)
            met[place] = module, parts - before
        if parts > MOST_MODULES:
            raise StateError(f"the model has more than {MOST_MODULES:,} parts")
        return module

    def make(built: Any) -> Module:
        nonlocal size
        if not isinstance(built, dict) or built.get("class") not in CLASSES:
            what = built.get("class") if isinstance(built, dict) else built
            raise StateError(f"{what!r:.60} can't be rebuilt: the classes are {', '.join(CLASSES)}")
        arguments = {key: value for key, value in built.items() if key != "class"}
        kind = CLASSES[built["class"]]
        if kind is Sequential:
            return Sequential(*map(rebuild, arguments.pop("layers")), **arguments)
        if kind is Residual:
            return Residual(rebuild(arguments.pop("module")), **arguments)
        for name in arguments.keys() & SIZES:
            sizes = arguments[name] if name == "nouts" else [arguments[name]]
            if not all(type(n) is int and n >= 0 for n in sizes):
                raise StateError(f"{built['class']} of {name} {arguments[name]!r:.60}")
        # Before it is built, or a file of a few bytes could ask for all the memory there is.
        size += kind.size_of(arguments)
        if size > most:
            raise StateError(f"the model has more parameters than the {most} in the file")
        return kind(**arguments, **({"seed": 0} if kind in SEEDED else {}))

    try:
        model = rebuild(built)
        places = {path: (holder, key) for path, holder, key in _places(model)}
        for first, *others in ties:
            holder, key = places[first]
            for path in others:
                other, place = places[path]
                other[place] = holder[key]
    except StateError:
        raise
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StateError(f"the description of the model is damaged: {error!s:.200}") from None
    return model


def _places(model: Module) -> Iterator[tuple[str, Any, Any]]:
    """Yield every place of a parameter: its path, what holds it, and under which key."""
    for path, module in model.named_modules().items():
        dot = "." if path else ""
        for name, item in vars(module).items():
            if name in module._kept:
                continue
            if isinstance(item, list):
                for i, each in enumerate(item):
                    if isinstance(each, Value):
                        yield f"{path}{dot}{name}.{i}", item, i
                    elif isinstance(each, list):  # a row of a matrix
                        for j, entry in enumerate(each):
                            if isinstance(entry, Value):
                                yield f"{path}{dot}{name}.{i}.{j}", each, j
            elif isinstance(item, Value):
                yield f"{path}{dot}{name}", vars(module), name
