"""What a function asks of the world outside is seen while it is recorded, however it asks."""

from __future__ import annotations

import functools
import gc
import io
import logging
import os
import random
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import CompileError, Value

compile = functools.partial(autograd.compile, backend="python")

W = Value(0.5)
OWN = random.Random(1)
NUMPYS = np.random.default_rng(1)
OLD = np.random.RandomState(1)
TEXT = io.StringIO("2.0")
HERE = Path(__file__)


def rarely(number: float) -> float:
    """Return what three runs will have alike."""
    return 2.0 if number < 1e-9 else 1.0


DRAWS: dict[str, Callable[[], float]] = {
    "of Python": lambda: rarely(random.random()),
    "chosen": lambda: random.choice([1.0] * 1000),
    "of one's own": lambda: rarely(OWN.gauss(5.0, 0.1)),
    "of NumPy": lambda: rarely(np.random.rand()),
    "of NumPy's, one's own": lambda: rarely(NUMPYS.random()),
    "of two at once": lambda: np.random.randn(),
    "of two at once, one's own": lambda: OLD.normal(),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_random_numbers_are_seen_where_runs_happen_to_draw_alike(draw: Any) -> None:
    place = rf"{re.escape(__file__)}:{draw.__code__.co_firstlineno}: "
    with pytest.raises(CompileError, match=f"^{place}.* draws random numbers"):
        compile(lambda x: x * W * draw(), 1.0)


ASKED: dict[str, tuple[Callable[[], float], str]] = {
    "the time": (lambda: time.time(), "time"),
    "an hour": (lambda: float(datetime.now().microsecond), "now"),
    "chance": (lambda: float(os.urandom(1)[0]), "urandom"),
    "a generator without a seed": (lambda: np.random.RandomState().normal(), "urandom"),
}


@pytest.mark.parametrize(("ask", "asked"), ASKED.values(), ids=ASKED)
def test_what_is_asked_is_named_where_runs_differ(ask: Any, asked: str) -> None:
    with pytest.raises(CompileError, match=rf"{re.escape(__file__)}:\d+: .* calls {asked}\(\)"):
        compile(lambda x: x * W * ask(), 1.0)


def test_numpys_old_generators_may_be_seeded_in_the_function() -> None:
    def f(x: Any) -> Any:
        first, other = np.random.RandomState(3), np.random.RandomState(seed=4)
        return x * W * first.normal() + other.randn()

    for _ in range(3):  # Python does some calls otherwise once they have been done a few times
        assert compile(f, 1.0)(2.0) == f(Value(2.0)).data


def test_what_is_seeded_in_the_function_is_the_same_each_time() -> None:
    def f(x: Any) -> Any:
        random.seed(3)
        return (
            x * W * random.random() * random.Random(4).random() * np.random.default_rng(5).random()
        )

    compiled = compile(f, 1.0)
    assert compiled(2.0) == f(Value(2.0)).data


def read() -> float:
    with open(HERE) as file:
        return float(len(file.read()) > 0)


ASKS: dict[str, tuple[Callable[[], float], str]] = {
    "a file": (read, "open"),
    "a path": (lambda: float("W" in HERE.read_text()), "open"),
    "an array's file": (lambda: float(len(np.fromfile(HERE, dtype="u1")) > 0), "fromfile"),
    "whether there is a file": (lambda: float(os.path.exists(HERE)), "stat"),
    "what is in a folder": (lambda: float(len(os.listdir(HERE.parent)) > 0), "listdir"),
    "a text that was opened before": (lambda: float(TEXT.read() or 2.0), "read"),
    "the year": (lambda: float(datetime.now().year), "now"),
    "the day": (lambda: float(date.today().weekday() + 1), "today"),
    "the hour": (lambda: float(time.localtime().tm_hour + 1), "localtime"),
    "bytes": (lambda: rarely(secrets.randbelow(10**6) + 1), "urandom"),
    "which process": (lambda: float(os.getpid()), "getpid"),
    "whether gc is on": (lambda: float(gc.isenabled()) + 1, "isenabled"),
    "Python's limits": (lambda: float(sys.getrecursionlimit()), "getrecursionlimit"),
    "what nothing has seeded": (lambda: rarely(random.Random().random()), "Random"),
    "the same of NumPy": (lambda: rarely(np.random.default_rng().random()), "urandom"),
}


if find_spec("resource"):  # not on Windows
    import resource

    ASKS["what the process has used"] = (lambda: rarely(1 + resource.getrusage(0)[2]), "getrusage")


@pytest.mark.parametrize(("ask", "name"), ASKS.values(), ids=ASKS)
def test_who_asks_the_world_outside_is_refused(ask: Any, name: str) -> None:
    with pytest.raises(CompileError) as caught:
        compile(lambda x: x * W * ask(), 1.0)
    place = rf"{re.escape(__file__)}:{ask.__code__.co_firstlineno + (ask is read)}: "
    assert re.match(rf"{place}.* calls {name}\(\), which may give", str(caught.value))
    assert "call it outside of the function" in str(caught.value)


def test_who_writes_a_log_or_imports_is_not() -> None:
    log = logging.getLogger("of a test")
    log.addHandler(logging.StreamHandler(io.StringIO()))

    def f(x: Any) -> Any:
        import colorsys

        log.warning("called at %s", "once")
        time.sleep(0)
        return x * W * colorsys.rgb_to_hsv(0.5, 0.2, 0.1)[1]

    assert compile(f, 1.0)(2.0) == f(Value(2.0)).data
    assert sys.getprofile() is None


def test_who_else_profiles_is_left_alone() -> None:
    seen = lambda *_: None
    path = Path(tempfile.gettempdir())
    sys.setprofile(seen)
    try:
        assert compile(lambda x: x * W * path.exists(), 1.0)(2.0) == 1.0
        assert sys.getprofile() is seen
    finally:
        sys.setprofile(None)
