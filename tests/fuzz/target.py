"""What is fuzzed: how an input is made, what is done with it, and which refusals are in order."""

from __future__ import annotations

import random
import signal
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]

SECONDS = 10
"""What one input may take: the slowest take a tenth of one."""

LONGEST = 1_000
"""Characters of a message."""


class Target(NamedTuple):
    """Something that takes input from outside.

    Attributes:
        name: as the command knows it.
        make: an input, from a source of random numbers.
        use: does with it what a user would, and raises AssertionError where the answer is wrong.
        refusals: what may be raised besides, with a message of one short line.
        every: of what takes longer than the others, every how manieth input is tried.
    """

    name: str
    make: Callable[[random.Random], Any]
    use: Callable[[Any], object]
    refusals: tuple[type[Exception], ...]
    every: int = 1


class Fault(NamedTuple):
    """What went wrong with one input.

    Attributes:
        kind: alike for inputs that meet the same mistake.
        number: of the input, from which it can be made again.
        what: the last lines of the traceback.
    """

    target: str
    kind: str
    number: int
    what: str


class HangError(BaseException):
    """An input took too long; no ``except Exception`` on the way may catch it."""


def faults(target: Target, numbers: Iterable[int]) -> Iterator[Fault]:
    """Yield what goes wrong with the inputs of these numbers."""
    for number in numbers:
        made = target.make(source(target.name, number))
        try:
            with warnings.catch_warnings(action="ignore"), limited(SECONDS):
                target.use(made)
        except target.refusals as error:
            if problem := _problem(str(error)):
                yield _fault(target, number, error, problem)
        except (Exception, HangError) as error:
            yield _fault(target, number, error)


def source(name: str, number: int) -> random.Random:
    """Return the source of random numbers for one input: alike in every run, on every machine."""
    return random.Random(f"{name} {number}")


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `HangError` inside after so many seconds; where there are no signals, wait."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise HangError(f"more than {seconds} seconds")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _problem(message: str) -> str:
    if not message.strip():
        return "says nothing"
    if max(map(len, message.split("\n"))) > LONGEST:
        return f"says more than {LONGEST} characters"
    return ""


def _fault(target: Target, number: int, error: BaseException, problem: str = "") -> Fault:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [f for f in frames if Path(f.filename).is_relative_to(ROOT)]
    last = (inside or frames)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-4)
    what = "".join(line[:500] for line in lines)
    return Fault(target.name, f"{type(error).__name__} {problem} at {place}", number, what)
