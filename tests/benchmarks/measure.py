"""Run measurements, each in a process of its own, and time what runs inside."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROUNDS = 9


def measure(*args: object, script: str = "steps.py", **environment: str) -> Any:
    """Return what ``python SCRIPT ARGS`` prints as JSON.

    OpenBLAS chooses its kernels by itself: a choice imposed on it would slow the peers down.

    Raises:
        RuntimeError: the script failed; the message is its last words.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name(script), *map(str, args)],
        capture_output=True,
        text=True,
        env=inherited | environment,
    )
    if done.returncode:
        raise RuntimeError(f"{script} {args} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def in_turn(
    contenders: Iterable[str], run: Callable[[str, int], Any], rounds: int
) -> dict[str, list[Any]]:
    """Return what ``run(name, round)`` gives for each contender in turn: A B C, A B C, ..."""
    runs: dict[str, list[Any]] = {name: [] for name in contenders}
    for i in range(rounds):
        for name, results in runs.items():
            results.append(run(name, i))
    return runs


def use_cores(count: int) -> None:
    """Keep this process to ``count`` cores; done before libraries count them."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def seconds_per_call(work: Callable[[], object]) -> float:
    """Return the least mean over runs of 5 ms or more, in half a second or more.

    The least, since all that disturbs a run makes it longer. The first calls, which compile and
    warm up, don't count.

    Source: the documentation of `timeit.Timer.repeat`.
    """
    calls = 1
    work()
    while calls * _timed(work, calls) < 0.005:
        calls *= 2
    runs: list[float] = []
    while len(runs) < 3 or sum(runs) * calls < 0.5:
        runs.append(_timed(work, calls))
    return min(runs)


def _timed(work: Callable[[], object], calls: int) -> float:
    """Return the mean seconds of some calls in a row."""
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls
