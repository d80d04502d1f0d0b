"""Run measurements, each in a process of its own, and time what runs inside."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd.command.terminal import printable

HAS_AFFINITY = sys.platform == "linux"
"""Whether this system lets a process be kept to some of its cores."""


class MeasurementError(Exception):
    """A measurement failed, or did not compute what all contenders compute."""


def measure(script: str, *args: object, **environment: str) -> Any:
    """Return what a script of this folder prints as JSON in a fresh process.

    The script is run by its path: ``-m`` would import autograd before its clock starts. This
    package is the one that is imported, wherever the command is given. OpenBLAS chooses its
    kernels by itself: a choice imposed on it would slow the peers down. Python keeps byte code, as
    it does of what is installed: to compile all sources anew takes longer than most that is timed.

    Raises:
        MeasurementError: the script failed; the message has its last line.
    """
    apart = ("OPENBLAS_", "PYTHONDONTWRITEBYTECODE")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(apart)}
    folder = Path(__file__).parent
    paths = [str(folder.parent.parent), inherited.get("PYTHONPATH", "")]
    inherited["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    words = list(map(str, args))
    done = subprocess.run(
        [sys.executable, "-P", folder / f"{script}.py", *words],
        capture_output=True,
        text=True,
        env=inherited | environment,
    )
    if done.returncode:
        again = shlex.join(["python", "-m", f"tests.benchmarks.{script}", *words])
        last = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise MeasurementError(f"{again} fails: {printable(last)}")
    return json.loads(done.stdout)


def use_cores(count: int) -> None:
    """Keep this process to ``count`` cores, where that can be; before libraries count them."""
    if sys.platform == "linux":
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
