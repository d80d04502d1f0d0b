"""What is done with a network that was saved, by the command; and the page in a notebook."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from autograd import Stepper, Value, tanh
from autograd.command.subcommands import train
from tests.fuzz.mangling import PIECES, PLAIN, mangled, mangled_bytes, mangled_json
from tests.fuzz.shell import folder_of, said
from tests.fuzz.target import Target

TABLE = b"size,town,kind\n" + b"".join(
    b"%d,%s,%s\n" % (i, b"abc"[i % 3 :][:1], b"xy"[i % 2 :][:1]) for i in range(12)
)


@cache
def models() -> tuple[bytes, ...]:
    """Return the files of networks that learnt points, a table and numbers."""
    found = []
    drawing = train._draw
    train._draw = lambda *_: {}
    try:
        for data in (
            "moons --n 10 --hidden none",
            "t.csv --hidden none",
            "t.csv --target size --hidden 1",
        ):
            with folder_of({"t.csv": TABLE}):
                assert said(["train", *data.split(), "--epochs", "1", "--out", "."]) == 0
                found.append(Path("model.json").read_bytes())
    finally:
        train._draw = drawing
    return tuple(found)


WORDS = (
    *("--to python", "--to jax", "--to torch", "--to c", "--to no", "--name f", "--name 3"),
    *("--real float", "--step", "-o a.h", "-o a.py", "-o no/a.h", "-o .", "--json", "--out o"),
    *("1", "2", "a", "size=1", "town=b", "kind=", "1,2", "rows.csv", "nan", "1e999", "--help"),
)


def asked(source: random.Random) -> tuple[bytes, bytes, list[str]]:
    """Return the file of a network, rows to ask it, and the words."""
    model, rows = source.choice(models()), b"size,town\n1,a\n,b\n"
    if source.random() < 0.5:
        change = mangled_json(source, json.loads(model))
        model = change if source.random() < 0.8 else mangled_bytes(source, model)
    if source.random() < 0.2:
        rows = mangled_bytes(source, rows)
    words = [source.choice(("export", "show")), "m.json"]
    for word in source.sample(WORDS, source.choice((0, 1, 2, 3))):
        words += word.split() if source.random() < 0.9 else [mangled(source, word)]
    if source.random() < 0.1:
        words.insert(source.randint(1, len(words)), source.choice(PIECES))
    return model, rows, words


def use_asked(case: tuple[bytes, bytes, list[str]]) -> None:
    model, rows, words = case
    with folder_of({"m.json": model, "rows.csv": rows}):
        said(words)


def told(source: random.Random) -> list[tuple[str, Any]]:
    """Return what a page in a notebook may say to its kernel, or a cell set."""
    names = ("position", "node", "level", "height", "nothing")
    return [(source.choice(names), source.choice((*PLAIN, 3, 1.5, "x", "x.1"))) for _ in range(5)]


@cache
def widget() -> Any:
    """Return a page, which takes longer to make than all that is done with it."""
    from autograd.page.widget import StepperWidget

    x = Value(0.5, "x")
    return StepperWidget(Stepper(tanh(x * x)))


def use_told(told: list[tuple[str, Any]]) -> None:
    from traitlets import TraitError

    shown = widget()
    shown.position, shown.node, shown.level = 0, "", ""
    for name, what in told:
        for tell in (partial(shown.set_state, {name: what}), partial(setattr, shown, name, what)):
            with suppress(TraitError):
                tell()
            run = shown._stepper
            assert 0 <= run.position == shown.position <= run.recording.length


@cache
def targets() -> tuple[Target, ...]:
    return (
        Target("questions", asked, use_asked, (), every=8),
        Target("widgets", told, use_told, ()),
    )
