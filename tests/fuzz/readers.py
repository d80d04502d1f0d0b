"""What is read from files: models, checkpoints, compiled code."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import nn
from autograd.compiler import cache as kernels
from nn.data import moons
from nn.losses import binary_cross_entropy_with_logits
from nn.optim import Adam
from nn.state import StateError
from nn.training import checkpoint
from tests.fuzz.mangling import mangled_bytes, mangled_json
from tests.fuzz.target import Target


@contextmanager
def file(content: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        yield path


@cache
def models() -> tuple[bytes, ...]:
    """Return files of models of every class."""
    layer = nn.Layer(2, 2, seed=0)
    parts = (nn.Residual(layer), nn.Dropout(0.5), layer, nn.Standardize([0.0, 1.0], [1.0, 2.0]))
    found = []
    for model in (nn.MLP(2, [3, 1], seed=0), nn.Sequential(*parts, nn.Neuron(2, seed=1))):
        with tempfile.TemporaryDirectory() as folder:
            found.append(nn.save(model, Path(folder, "m.json"), {"a": [1]}).read_bytes())
    return tuple(found)


def changed(source: random.Random, content: bytes) -> bytes:
    if source.random() < 0.3:
        return mangled_bytes(source, content)
    return mangled_json(source, json.loads(content))


def model_file(source: random.Random) -> bytes:
    return changed(source, source.choice(models()))


def use_model_file(content: bytes) -> None:
    with file(content, "model.json") as path:
        model = nn.load(path)
        nn.state.notes_of(path)
        again = nn.load(nn.save(model, path.with_name("again.json")))
    assert repr(again.state_dict()) == repr(model.state_dict())


@cache
def checkpoints() -> dict[str, bytes]:
    """Return the files of a checkpoint: its state and its history."""
    model = nn.MLP(2, [2, 1], seed=0)
    with tempfile.TemporaryDirectory() as folder:
        nn.fit(
            model,
            moons(8),
            binary_cross_entropy_with_logits,
            Adam(model.parameters(), 0.01),
            epochs=2,
            compile=False,
            checkpoint=Path(folder, "c.json"),
        )
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def checkpoint_files(source: random.Random) -> dict[str, bytes]:
    """Return a checkpoint with one file damaged; the digest is right again, half of the time."""
    files = dict(checkpoints())
    name = source.choice(sorted(files))
    if name != "c.json":
        return files | {name: mangled_bytes(source, files[name])}
    files[name] = changed(source, files[name])
    if source.random() < 0.5:
        try:
            content: Any = json.loads(files[name])
            content["digest"] = checkpoint._digest(content["state"])
            files[name] = json.dumps(content).encode()
        except (ValueError, TypeError, KeyError):
            pass
    return files


def use_checkpoint_files(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        model = nn.MLP(2, [2, 1], seed=0)
        before = model.state_dict()
        optimizer = Adam(model.parameters(), 0.01)
        try:
            nn.fit(
                model,
                moons(8),
                binary_cross_entropy_with_logits,
                optimizer,
                epochs=2,
                compile=False,
                resume=Path(folder, "c.json"),
            )
        except StateError:
            assert model.state_dict() == before
            raise


CONTENT = b"what the processor would run" * 20
KEY = sha256(CONTENT).hexdigest()


def kernel(source: random.Random) -> bytes:
    whole = kernels._header(KEY, CONTENT) + CONTENT
    return mangled_bytes(source, whole) if source.random() < 0.98 else whole


def use_kernel(content: bytes) -> None:
    whole = content == kernels._header(KEY, CONTENT) + CONTENT
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{KEY}.kernel")
        path.write_bytes(content)
        before = kernels._path
        kernels._path = lambda: folder
        try:
            found = kernels.load(KEY)
        finally:
            kernels._path = before
        assert found == (CONTENT if whole else None)
        assert path.exists() is whole


@cache
def targets() -> tuple[Target, ...]:
    return (
        Target("models", model_file, use_model_file, (StateError,)),
        Target("checkpoints", checkpoint_files, use_checkpoint_files, (StateError,)),
        Target("kernels", kernel, use_kernel, ()),
    )
