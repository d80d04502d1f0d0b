"""Models and checkpoints in files: JSON with exact floats, or safetensors; never pickle.

A model's file holds its tensors in PyTorch's layout: a `Layer` is ``weight`` (nout × nin) and
``bias`` (nout), as of ``torch.nn.Linear``; any other parameter is a tensor of no dimensions. A
file is checked as a whole before the model is touched.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from autograd import ChainruleError, Value, missing_extra
from nn.layers import MLP, Dropout, Layer, Neuron, Residual, Sequential, Standardize, name_of
from nn.module import Module

FORMATS = (".json", ".safetensors")
MAX_BYTES = 256 * 2**20
MAX_DEPTH = 64


class StateError(ChainruleError, ValueError):
    """A file that is damaged, or does not fit; what it was to be loaded into is unchanged."""


class Tensor(NamedTuple):
    """Parameters arranged as PyTorch has them: row by row."""

    shape: tuple[int, ...]
    leaves: list[Value]


def tensors(model: Module) -> dict[str, Tensor]:
    """Return the parameters as tensors, by name.

    >>> {name: t.shape for name, t in tensors(MLP(2, [3, 1])).items()}["layers.0.weight"]
    (3, 2)
    """
    found: dict[str, Tensor] = {}
    covered: set[Value] = set()
    layers: list[str] = []
    for path, module in model.named_modules().items():
        if any(path.startswith(f"{layer}." if layer else "") for layer in layers):
            continue
        if isinstance(module, Layer):
            neurons = module.neurons
        elif isinstance(module, Neuron):
            neurons = [module]
        else:
            continue
        layers.append(path)
        dot = "." if path else ""
        weights = [w for neuron in neurons for w in neuron.w]
        found[f"{path}{dot}weight"] = Tensor((len(neurons), len(neurons[0].w)), weights)
        found[f"{path}{dot}bias"] = Tensor((len(neurons),), [neuron.b for neuron in neurons])
        covered.update(weights, (neuron.b for neuron in neurons))
    for name, parameter in model.named_parameters().items():
        if parameter not in covered:
            found[name] = Tensor((), [parameter])
    return found


def to_torch(model: Module) -> dict[str, Any]:
    """Return the parameters as nested lists of floats in PyTorch's layout, by name.

    >>> sorted(to_torch(MLP(2, [1], seed=0)))
    ['layers.0.bias', 'layers.0.weight']
    """
    return {
        name: _nested([leaf.data for leaf in tensor.leaves], tensor.shape)
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
        nested = tensor.tolist() if hasattr(tensor, "tolist") else tensor
        given[name] = _flat(f"{other} (for {name})", nested)
    _assign(own, given)


def save(model: Module, path: str | PathLike[str], notes: Mapping[str, Any] | None = None) -> Path:
    """Return the path, after writing the model there: .json or .safetensors by extension.

    The file replaces an older one in one go. Models of this package's classes can be rebuilt
    from the file alone; of others, it holds the parameters.

    Args:
        notes: what else to keep, as plain data: the classes' names, say. See `notes_of`.

    Raises:
        ValueError: another extension.
    """
    target = Path(path)
    suffix = _suffix(target)
    found = tensors(model)
    try:
        built: Any = _described(model)
    except StateError:
        built = None
    if suffix == ".json":
        kept = {
            name: {"shape": list(t.shape), "data": [leaf.data for leaf in t.leaves]}
            for name, t in found.items()
        }
        content = {"format": "chainrule model", "version": 1, "model": built}
        write_json(target, {**content, "notes": dict(notes or {}), "tensors": kept})
        return target
    texts = {
        name: json.dumps(_written(part), allow_nan=False)
        for name, part in (("model", built), ("notes", dict(notes or {})))
    }
    write(target, _safetensors(found, {"format": "chainrule model", **texts}))
    return target


def load(path: str | PathLike[str], into: Module | None = None) -> Module:
    """Return the model in a file, or ``into`` with the file's parameters.

    Args:
        into: set all of its parameters or, if anything does not fit, none. Without it, the
            model is rebuilt, of this package's classes only.

    Raises:
        StateError: the file is damaged or does not fit; the message names the tensor and both
            shapes.
        FileNotFoundError: there is no file.
    """
    built, _, given = _read(path)
    if into is None:
        if built is None:
            raise StateError(f"{path} has no description of the model: load it into=model")
        into = _rebuilt(built, sum(len(tensor.numbers) for tensor in given.values()))
    try:
        _assign(tensors(into), given)
    except StateError as error:
        raise StateError(f"{path}: {error}") from None
    return into


def notes_of(path: str | PathLike[str]) -> dict[str, Any]:
    """Return what was noted with the model in a file; nothing if it has no notes.

    They are as the file has them: whatever relies on them must check them first.

    Raises:
        StateError, FileNotFoundError: as for `load`.
    """
    _, notes, _ = _read(path)
    if not isinstance(notes, dict):
        raise StateError(f"{path}: the notes are {notes!r:.40}, not a dict")
    return notes


def write(path: Path, content: bytes) -> None:
    """Write a file in one go: whoever kills this finds the old file or the new one, whole.

    Raises:
        OSError: it can't be written; the message names ``path``.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(draft, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        draft.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write plain data in one go; a float that is not finite becomes the string of its repr."""
    write(path, (json.dumps(_written(content), allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Return plain data from a file.

    Raises:
        StateError: it is too large, too deep, cut off or no JSON.
    """
    try:
        text = _bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise StateError(f"{path} is no UTF-8 text: {error}") from None
    depth = deepest = 0
    for part in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text):
        bracket = part.group()
        depth += (bracket in "[{") - (bracket in "]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise StateError(f"{path} is nested {deepest} deep, at most {MAX_DEPTH} is read")

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number of JSON")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            keys = [key for key, _ in pairs]
            raise ValueError(f"{next(k for k in keys if keys.count(k) > 1)!r:.60} stands twice")
        return dict(pairs)

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise StateError(f"{path} is damaged or no JSON: {error}") from None


def as_float(name: str, given: Any) -> float:
    """Return a number as a file holds it: a JSON number, or "inf", "-inf", "nan"."""
    if isinstance(given, float | int) and not isinstance(given, bool):
        try:
            x = float(given)
        except OverflowError:
            x = math.inf
        if math.isinf(x):
            raise StateError(f"{name} holds a number beyond the range of floats")
        return x
    if given in ("inf", "-inf", "nan"):
        return float(given)
    raise StateError(f"{name} holds {given!r:.40}, which is no number")


def _written(content: Any) -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        return repr(content)
    if isinstance(content, Mapping):
        return {key: _written(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_written(value) for value in content]
    return content


def _bytes(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise StateError(f"{path} has {size:,} bytes, at most {MAX_BYTES:,} are read")
    return path.read_bytes()


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"a model is {' or '.join(FORMATS)} by its extension: got {str(path)!r}")
    return suffix


class _Given(NamedTuple):
    """A tensor from a file."""

    shape: tuple[int, ...]
    numbers: list[float]


def _read(path: str | PathLike[str]) -> tuple[Any, Any, dict[str, _Given]]:
    """Return the description of the model, the notes and the tensors in a file."""
    target = Path(path)
    return _read_model(target) if _suffix(target) == ".json" else _read_safetensors(target)


def _read_model(path: Path) -> tuple[Any, Any, dict[str, _Given]]:
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != "chainrule model":
        raise StateError(f"{path} is no model of chainrule's")
    if content.get("version") != 1:
        raise StateError(f"{path} is of version {content.get('version')!r:.20}, this reads 1")
    if not isinstance(content.get("tensors"), dict):
        raise StateError(f"{path} holds no tensors")
    given = {}
    for name, tensor in content["tensors"].items():
        if not isinstance(tensor, dict) or not isinstance(tensor.get("data"), list):
            raise StateError(f"{path}: {name} is no tensor with shape and data")
        shape = _shape(f"{path}: {name}", tensor.get("shape"))
        numbers = [as_float(f"{path}: {name}", x) for x in tensor["data"]]
        if len(numbers) != math.prod(shape):
            raise StateError(f"{path}: {name} has shape {list(shape)} but {len(numbers)} numbers")
        given[name] = _Given(shape, numbers)
    return content.get("model"), content.get("notes", {}), given


def _safetensors(found: Mapping[str, Tensor], notes: dict[str, str]) -> bytes:
    """Return a safetensors file: the header's length, the header as JSON, and the numbers."""
    header: dict[str, Any] = {"__metadata__": notes}
    content = b""
    for name, tensor in found.items():
        start = len(content)
        content += struct.pack(f"<{len(tensor.leaves)}d", *(leaf.data for leaf in tensor.leaves))
        offsets = [start, len(content)]
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": offsets}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content


def _read_safetensors(path: Path) -> tuple[Any, Any, dict[str, _Given]]:
    try:
        import safetensors
    except ImportError as error:
        missing_extra("safetensors", "safe", error)
    content = _bytes(path)
    deserialize: Callable[[bytes], Any] = safetensors.deserialize
    try:
        parts = deserialize(content)
    except safetensors.SafetensorError as error:
        raise StateError(f"{path} is damaged or no safetensors file: {error}") from None
    given = {}
    for name, tensor in sorted(parts):
        form = {"F64": "d", "F32": "f", "F16": "e"}.get(tensor["dtype"])
        if form is None:
            raise StateError(f"{path}: {name} has dtype {tensor['dtype']}, F64 to F16 are read")
        shape = tuple(tensor["shape"])
        given[name] = _Given(
            shape, list(struct.unpack(f"<{math.prod(shape)}{form}", bytes(tensor["data"])))
        )
    header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    texts = header.get("__metadata__", {})
    try:
        built, notes = json.loads(texts.get("model", "null")), json.loads(texts.get("notes", "{}"))
    except (ValueError, RecursionError):
        raise StateError(f"{path}: the description of the model is damaged") from None
    return built, notes, given


def _shape(name: str, given: Any) -> tuple[int, ...]:
    if not isinstance(given, list) or not all(type(n) is int and n >= 0 for n in given):
        raise StateError(f"{name} has the shape {given!r:.40}, which is none")
    return tuple(given)


def _flat(name: str, nested: Any) -> _Given:
    """Return nested lists as a tensor."""
    shape: list[int] = []
    level = [nested]
    while level and isinstance(level[0], list | tuple):
        lengths = {len(row) if isinstance(row, list | tuple) else -1 for row in level}
        if len(lengths) > 1:
            raise StateError(f"{name} is ragged: its rows differ in length")
        shape.append(len(level[0]))
        level = [x for row in level for x in row]
    return _Given(tuple(shape), [as_float(name, x) for x in level])


def _nested(numbers: Sequence[float], shape: Sequence[int]) -> Any:
    if not shape:
        return numbers[0]
    size = len(numbers) // shape[0]
    return [_nested(numbers[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]


def _assign(own: dict[str, Tensor], given: Mapping[str, _Given]) -> None:
    """Set the parameters, all or none."""
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
            f"{unknown[0]} of shape {list(given[unknown[0]].shape)} is unknown to the model"
        )
    numbers: dict[Value, float] = {}
    for name, tensor in own.items():
        for leaf, number in zip(tensor.leaves, given[name].numbers, strict=True):
            # Compared as text, in which NaN equals itself and -0.0 differs from 0.0.
            if repr(numbers.setdefault(leaf, number)) != repr(number):
                raise StateError(f"{name} differs from another tensor that shares its parameters")
    for leaf, number in numbers.items():
        leaf.data = number


def _described(module: Module) -> dict[str, Any]:
    """Return what a module is built of: its class and the constructor's arguments.

    Raises:
        StateError: it, or a module in it, is not of this package's classes.
    """
    if type(module) not in ARGUMENTS:
        raise StateError(f"{module!r:.60} is of a class of its own")
    return {"class": type(module).__name__} | ARGUMENTS[type(module)](module)


def _rebuilt(built: Any, most: int) -> Module:
    """Return a new module as described; its weights are yet to be set.

    Args:
        most: how many parameters the file holds; more are not made room for.

    Raises:
        StateError: the description is none, or of a class that is not allowed.
    """
    size = 0

    def rebuild(built: Any) -> Module:
        nonlocal size
        if not isinstance(built, dict) or built.get("class") not in CLASSES:
            what = built.get("class") if isinstance(built, dict) else built
            raise StateError(f"{what!r:.60} can't be rebuilt: the classes are {', '.join(CLASSES)}")
        arguments = {key: value for key, value in built.items() if key != "class"}
        widths = [arguments.get("nin", 0), *arguments.get("nouts", [arguments.get("nout", 1)])]
        if not all(type(n) is int and n >= 0 for n in widths):
            raise StateError(f"{built['class']} of widths {widths!r:.60}")
        size += sum(a * b for a, b in pairwise(widths))
        if size > most:
            raise StateError(f"the model has more parameters than the {most} in the file")
        if "layers" in arguments:
            return Sequential(*map(rebuild, arguments.pop("layers")), **arguments)
        if "module" in arguments:
            return Residual(rebuild(arguments.pop("module")), **arguments)
        kind = CLASSES[built["class"]]
        seed = {"seed": 0} if kind in (Neuron, Layer, MLP) else {}
        return kind(**arguments, **seed)

    try:
        return rebuild(built)
    except StateError:
        raise
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise StateError(f"the description of the model is damaged: {error}") from None


def _activation(module: Any) -> str:
    """Return the activation of a neuron, or of a layer's neurons.

    Raises:
        StateError: they have different ones, or the module is neither.
    """
    neurons = module.neurons if type(module) is Layer else [module]
    if all(type(neuron) is Neuron for neuron in neurons):
        names = {name_of(n.activation) if n.nonlin else "linear" for n in neurons}
        if len(names) == 1:
            return names.pop()
    raise StateError(f"{module!r:.60} can't be rebuilt: it is no layer of equal neurons")


ARGUMENTS: dict[type[Module], Callable[[Any], dict[str, Any]]] = {
    Neuron: lambda m: {"nin": m.nin, "activation": _activation(m)},
    Layer: lambda m: {"nin": m.nin, "nout": m.nout, "activation": _activation(m)},
    MLP: lambda m: {
        "nin": m.nin,
        "nouts": [layer.nout for layer in m.layers],
        "activation": list(map(_activation, m.layers)),
    },
    Sequential: lambda m: {"layers": list(map(_described, m.layers))},
    Residual: lambda m: {"module": _described(m.module), "scale": m.scale},
    Dropout: lambda m: {"rate": m.rate, "seed": m.seed},
    Standardize: lambda m: {"means": m.means, "deviations": m.deviations, "invert": m.invert},
}
"""By class, the arguments with which a module is built again."""

CLASSES: dict[str, Callable[..., Module]] = {kind.__name__: kind for kind in ARGUMENTS}
"""What a file may name."""
