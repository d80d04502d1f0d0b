"""`Tensor`: parameters arranged as PyTorch has them.

A `Layer` is ``weight`` (nout × nin) and ``bias`` (nout), as of ``torch.nn.Linear``; `Linear`,
`Embedding` and norms have theirs already; any other parameter is a tensor of no dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autograd import Value, nested, quoted, rectangle
from nn.documents import StateError, as_float
from nn.layers import Layer, Neuron
from nn.linear import Embedding, Linear
from nn.module import Module
from nn.norms import LayerNorm, RMSNorm


class Tensor(NamedTuple):
    """Parameters, row by row."""

    shape: tuple[int, ...]
    leaves: list[Value]


class Numbers(NamedTuple):
    """What a tensor is to be set to."""

    shape: tuple[int, ...]
    numbers: list[float]


def tensors(model: Module) -> dict[str, Tensor]:
    """Return the parameters as tensors, by name.

    >>> from nn.layers import MLP
    >>> {name: t.shape for name, t in tensors(MLP(2, [3, 1])).items()}["layers.0.weight"]
    (3, 2)
    """
    if not isinstance(model, Module):
        raise TypeError(f"a model is a Module: got {quoted(model)}")
    found: dict[str, Tensor] = {}
    named = model.named_parameters()
    parameters = set(named.values())
    covered: set[Value] = set()
    whole: list[str] = []
    for path, module in model.named_modules().items():
        if any(path.startswith(f"{layer}." if layer else "") for layer in whole):
            continue
        if isinstance(module, Linear | Embedding | RMSNorm | LayerNorm):
            whole.append(path)
            for name, tensor in _matrices(module):
                found[f"{path}{'.' if path else ''}{name}"] = tensor
                covered.update(tensor.leaves)
            continue
        neurons: list[Any] = module.neurons if isinstance(module, Layer) else [module]
        if not all(isinstance(neuron, Neuron) for neuron in neurons):
            continue
        rows, biases = [neuron.w for neuron in neurons], [neuron.b for neuron in neurons]
        weights = [w for row in rows for w in row]
        # A layer whose neurons take different numbers of inputs is no matrix; each of them is.
        if len(set(map(len, rows))) > 1 or not parameters.issuperset([*weights, *biases]):
            continue
        whole.append(path)
        dot = "." if path else ""
        found[f"{path}{dot}weight"] = Tensor((len(rows), len(rows[0])), weights)
        found[f"{path}{dot}bias"] = Tensor((len(biases),), biases)
        covered.update(weights, biases)
    for name, parameter in named.items():
        if parameter not in covered:
            found[name] = Tensor((), [parameter])
    return found


def _matrices(module: Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the matrices and vectors among a module's attributes, as they are named."""
    for name, item in vars(module).items():
        if isinstance(item, list):
            is_matrix = isinstance(item[0], list)
            shape = (len(item), len(item[0])) if is_matrix else (len(item),)
            yield name, Tensor(shape, [leaf for row in item for leaf in row] if is_matrix else item)


def to_torch(model: Module) -> dict[str, Any]:
    """Return the parameters as nested lists of floats in PyTorch's layout, by name.

    >>> from nn.layers import MLP
    >>> sorted(to_torch(MLP(2, [1], seed=0)))
    ['layers.0.bias', 'layers.0.weight']
    """
    return {
        name: nested([leaf.data for leaf in tensor.leaves], tensor.shape)
        for name, tensor in tensors(model).items()
    }


def from_torch(model: Module, state: Mapping[str, Any]) -> None:
    """Set the model's parameters to those of a ``torch.nn`` model's ``state_dict()``.

    PyTorch names its modules in its own way, so the tensors are matched in their order; all
    shapes must agree. Nested lists will do in place of tensors.

    Raises:
        StateError: a shape differs; nothing is changed.
    """
    own = tensors(model)
    if len(state) != len(own):
        raise StateError(f"the state has {len(state)} tensors, the model {len(own)}")
    given = {}
    for name, (other, tensor) in zip(own, state.items(), strict=True):
        plain = tensor.tolist() if hasattr(tensor, "tolist") else tensor
        given[name] = _flat(f"{other} (for {name})", plain)
    assign(own, given)


def assign(own: Mapping[str, Tensor], given: Mapping[str, Numbers]) -> None:
    """Set the parameters, all or none.

    Raises:
        StateError: a tensor is missing, unknown or of another shape.
    """
    for name, tensor in own.items():
        if name not in given:
            raise StateError(f"{name} is missing; the model has it with shape {list(tensor.shape)}")
        if given[name].shape != tensor.shape:
            raise StateError(
                f"{name} has shape {list(given[name].shape)}, the model's has {list(tensor.shape)}"
            )
    unknown = [name for name in given if name not in own]
    if unknown:
        raise StateError(
            f"{unknown[0]:.60} of shape {list(given[unknown[0]].shape)} is unknown to the model"
        )
    numbers: dict[Value, float] = {}
    for name, tensor in own.items():
        for leaf, number in zip(tensor.leaves, given[name].numbers, strict=True):
            # Compared as text, in which NaN equals itself and -0.0 differs from 0.0.
            if repr(numbers.setdefault(leaf, number)) != repr(number):
                raise StateError(f"{name} differs from another tensor that shares its parameters")
    for leaf, number in numbers.items():
        leaf.data = number


def _flat(name: str, given: Any) -> Numbers:
    """Return nested lists as numbers with a shape."""
    try:
        shape, items = rectangle(given)
    except ValueError as error:
        raise StateError(f"{name} is ragged: {error}") from None
    return Numbers(shape, [as_float(name, x) for x in items])
