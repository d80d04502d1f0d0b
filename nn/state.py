"""Models in files: JSON with exact floats, or safetensors; never pickle.

A model's file holds its parameters as `nn.tensor` arranges them, and, where all of its modules
are this package's, what it is built of. A file is checked as a whole before the model is touched.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from autograd import missing_extra, write_whole
from nn.description import described, rebuilt, ties_of
from nn.documents import StateError, as_float, as_text, check_regular, parsed, read_json
from nn.module import Module
from nn.tensor import Numbers, Tensor, assign, from_torch, tensors, to_torch

__all__ = ["StateError", "from_torch", "load", "notes_of", "save", "tensors", "to_torch"]

FORMATS = (".json", ".safetensors")
MARK = {"format": "chainrule model", "version": 1}


class _Contents(NamedTuple):
    """What a file holds: the description of the model, its tied parameters, notes, numbers."""

    built: Any
    ties: Any
    notes: Any
    given: dict[str, Numbers]


def save(model: Module, path: str | PathLike[str], notes: Mapping[str, Any] | None = None) -> Path:
    """Return the path, after writing the model there: .json or .safetensors by extension.

    The file replaces an older one in one go. Models of this package's classes can be rebuilt
    from the file alone; of others, it holds the parameters.

    Args:
        notes: what else to keep, as plain data: the classes' names, say. See `notes_of`.

    Raises:
        ValueError: another extension; or `load` would refuse the file.
        TypeError: a note is no plain data.
    """
    target = Path(path)
    suffix = _suffix(target)
    found = tensors(model)
    head = {**MARK, "model": described(model), "ties": ties_of(model), "notes": dict(notes or {})}
    try:
        text = as_text(head)
        _check(target, _contents(target, parsed("the file", text.encode()), {}), found)
    except (StateError, RecursionError) as error:
        raise StateError(f"{target} isn't written, as load would refuse it: {error}") from None
    if suffix == ".safetensors":
        write_whole(target, _safetensors(found, text))
        return target
    kept = {
        name: {"shape": list(t.shape), "data": [leaf.data for leaf in t.leaves]}
        for name, t in found.items()
    }
    write_whole(target, f'{text[:-1]}, "tensors": {as_text(kept)}}}\n'.encode())
    return target


def load(path: str | PathLike[str], into: Module | None = None) -> Module:
    """Return the model in a file, ready to use (`eval`), or ``into`` with the file's parameters.

    Args:
        into: set all of its parameters or, if anything does not fit, none; whether it is being
            trained stays. Without it, the model is rebuilt, of this package's classes only.

    Raises:
        StateError: the file is damaged or does not fit; the message names the tensor and both
            shapes.
        FileNotFoundError: there is no file.
    """
    contents = _read(path)
    if into is None:
        if contents.built is None:
            raise StateError(f"{path} has no description of the model: load it into=model")
        count = sum(len(tensor.numbers) for tensor in contents.given.values())
        into = rebuilt(contents.built, contents.ties, count).eval()
    try:
        assign(tensors(into), contents.given)
    except StateError as error:
        raise StateError(f"{path}: {error}") from None
    return into


def notes_of(path: str | PathLike[str]) -> dict[str, Any]:
    """Return what was noted with the model in a file; nothing if it has no notes.

    They are as the file has them: whatever relies on them must check them first.

    Raises:
        StateError, FileNotFoundError: as for `load`.
    """
    notes = _read(path).notes
    if not isinstance(notes, dict):
        raise StateError(f"{path}: the notes are {notes!r:.40}, not a dict")
    return notes


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(
            f"a model is {' or '.join(FORMATS)} by its extension: got {str(path)[-200:]!r}"
        )
    return suffix


def _check(path: Path, contents: _Contents, found: Mapping[str, Tensor]) -> None:
    """Build the model once, if it can be rebuilt: what is described must be what is saved."""
    if contents.built is None:
        return
    twin = rebuilt(contents.built, contents.ties, sum(len(t.leaves) for t in found.values()))
    shapes = [{name: t.shape for name, t in each.items()} for each in (tensors(twin), found)]
    if shapes[0] != shapes[1]:
        raise StateError(f"{path} describes another model than it holds")


def _read(path: str | PathLike[str]) -> _Contents:
    target = Path(path)
    return _read_json(target) if _suffix(target) == ".json" else _read_safetensors(target)


def _contents(path: Path, head: Any, given: dict[str, Numbers]) -> _Contents:
    """Return what a file holds, its head being known for what it is."""
    if not isinstance(head, dict) or head.get("format") != MARK["format"]:
        raise StateError(f"{path} is no model of chainrule's")
    if head.get("version") != MARK["version"]:
        raise StateError(f"{path} is of version {head.get('version')!r:.20}, this reads 1")
    return _Contents(head.get("model"), head.get("ties", []), head.get("notes", {}), given)


def _read_json(path: Path) -> _Contents:
    content = read_json(path)
    given: dict[str, Numbers] = {}
    contents = _contents(path, content, given)
    if not isinstance(content.get("tensors"), dict):
        raise StateError(f"{path} holds no tensors")
    for name, tensor in content["tensors"].items():
        where = f"{path}: {name:.60}"
        if not isinstance(tensor, dict) or not isinstance(tensor.get("data"), list):
            raise StateError(f"{where} is no tensor with shape and data")
        numbers = [as_float(where, x) for x in tensor["data"]]
        shape = _shape(where, tensor.get("shape"))
        # Before the product, which may be of a thousand numbers of a thousand digits each.
        fits = all(n <= len(numbers) for n in shape) and math.prod(shape) == len(numbers)
        if not fits:
            raise StateError(f"{where} has shape {list(shape)!s:.60} but {len(numbers)} numbers")
        given[name] = Numbers(shape, numbers)
    return contents


def _shape(name: str, given: Any) -> tuple[int, ...]:
    is_one = isinstance(given, list) and len(given) <= 2
    if not is_one or not all(type(n) is int and n >= 0 for n in given):
        raise StateError(f"{name} has the shape {given!r:.40}, which is none")
    return tuple(given)


def _safetensors(found: Mapping[str, Tensor], head: str) -> bytes:
    """Return a file of the format safetensors; the head is its one piece of metadata."""
    try:
        import numpy
        from safetensors.numpy import save
    except ImportError as error:
        missing_extra("safetensors", "safe", error)
    arrays = {
        name: numpy.array([leaf.data for leaf in tensor.leaves]).reshape(tensor.shape)
        for name, tensor in found.items()
    }
    content: bytes = save(arrays, metadata={"chainrule": head})
    return content


def _read_safetensors(path: Path) -> _Contents:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        missing_extra("safetensors", "safe", error)
    check_regular(path)
    given = {}
    try:
        with safe_open(path, framework="numpy") as file:
            texts = file.metadata() or {}
            for name in sorted(file.keys()):
                dtype = file.get_slice(name).get_dtype()
                if dtype not in ("F64", "F32", "F16"):
                    raise StateError(f"{path}: {name:.60} has dtype {dtype}, F64 to F16 are read")
                numbers = file.get_tensor(name).astype("float64")
                given[name] = Numbers(numbers.shape, array("d", numbers.tobytes()).tolist())
    except SafetensorError as error:
        raise StateError(f"{path} is damaged or no safetensors file: {error!s:.200}") from None
    where = f"{path}: its head"
    if "chainrule" in texts:
        return _contents(path, parsed(where, texts["chainrule"].encode()), given)
    # Version 0.1.0 had a piece for each; another program's file has numbers only.
    built, notes = (parsed(where, texts.get(key, "null").encode()) for key in ("model", "notes"))
    return _Contents(built, [], {} if notes is None else notes, given)
