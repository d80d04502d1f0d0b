"""The fuzzers find nothing, and would: a few inputs here, 20,000 by ``python -m tests.fuzz``."""

from __future__ import annotations

import random
import sys
import time

import pytest

pytest.importorskip("numpy")
pytest.importorskip("graphviz")
pytest.importorskip("llvmlite")
pytest.importorskip("anywidget")

from tests.fuzz import kills, threads
from tests.fuzz.__main__ import TARGETS
from tests.fuzz.target import Target, faults, source

LONG = {"questions", "widgets", "texts", "lessons"}
"""Targets that take a second to begin with."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.long] * (n in LONG)) for n in TARGETS]
)
def test_a_few_inputs_of_each_target(name: str) -> None:
    assert [*faults(TARGETS[name], range(25))] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_many_inputs_of_each_target(name: str) -> None:
    assert [*faults(TARGETS[name], range(2_000))] == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and POSIX signals")
def test_killed_at_any_moment_and_resumed_a_training_has_the_same_bits() -> None:
    assert kills.differing(0, 10) + kills.differing(1, 10) == []


@pytest.mark.slow
def test_eleven_threads_get_what_one_gets() -> None:
    assert [*threads.differing(10)] == []


def number(source: random.Random) -> int:
    return source.randrange(10)


def test_what_goes_wrong_is_found() -> None:
    def use(x: int) -> None:
        if x == 1:
            raise ValueError("a refusal")
        if x == 2:
            raise ValueError("x" * 1_001)
        if x == 3:
            raise ValueError
        if x == 4:
            raise KeyError("a defect")
        assert x != 5

    found = [*faults(Target("numbers", number, use, (ValueError,)), range(100))]
    kinds = {
        number(source("numbers", fault.number)): fault.kind.split(" at ")[0] for fault in found
    }
    assert kinds == {
        2: "ValueError says more than 1000 characters",
        3: "ValueError says nothing",
        4: "KeyError ",
        5: "AssertionError ",
    }
    assert found == [*faults(Target("numbers", number, use, (ValueError,)), range(100))]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_hang_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.target.SECONDS", 0.05)

    def wait(x: int) -> None:
        try:
            while True:
                time.sleep(0.01)
        except Exception:
            raise AssertionError("swallowed") from None

    (fault,) = faults(Target("waits", number, wait, (ValueError,)), [0])
    assert fault.kind.startswith("HangError")
