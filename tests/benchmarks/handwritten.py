"""Evals of GradBench beside C++ written by hand, `baselines.cpp`, on one core.

``python -m tests.benchmarks.handwritten EVAL`` prints seconds of both, by function and size, as
JSON; needs g++.
"""

from __future__ import annotations

import ctypes
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.evals import EVALS
from tests.benchmarks.gradbench import close
from tests.benchmarks.measurement import MeasurementError, use_cores

ROUNDS, SECONDS = 5, 0.4
"""Each is called in turn so often and, if that is short, for so long."""

REAL, WHOLE = ctypes.c_double, ctypes.c_int
ARRAY = ctypes.POINTER(REAL)


class Case(NamedTuple):
    """An input of an eval, and what the C++ functions take for it."""

    size: str
    given: dict[str, Any]
    arguments: tuple[Any, ...]
    outputs: int


def _uniform(*shape: int) -> Any:
    return np.random.default_rng(math.prod(shape)).random(shape)


def lse_cases() -> list[Case]:
    cases = []
    for n in (2500, 40_000, 1_280_000):
        x = _uniform(n)
        cases.append(Case(f"n {n:,}", {"x": x.tolist()}, (x, n), n))
    return cases


def llsq_cases() -> list[Case]:
    x = _uniform(128)
    given = {"x": x.tolist()}
    return [Case(f"n {n:,}", {**given, "n": n}, (x, 128, n), 128) for n in (64, 1024, 4096, 16_392)]


def det_cases() -> list[Case]:
    cases = []
    for ell in (5, 8, 10):
        a = _uniform(ell * ell)
        given = {"A": a.tolist(), "ell": ell}
        cases.append(Case(f"ell {ell}", given, (a, ell), ell * ell))
    return cases


def ode_cases() -> list[Case]:
    cases = []
    for n in (1000, 10_000, 100_000):
        x = _uniform(n)
        given = {"x": x.tolist()}
        cases += [Case(f"n {n:,}, s {s}", {**given, "s": s}, (x, n, s), n) for s in (1, 10, 100)]
    return cases


def gmm_cases() -> list[Case]:
    cases = []
    for d, k in ((2, 5), (10, 25), (32, 10)):
        source = np.random.default_rng(d)
        n, m, gamma, many = 1000, 0, 1.0, d * (d - 1) // 2
        arrays = {
            "x": source.normal(size=(n, d)),
            "alpha": source.normal(size=k),
            "mu": source.random((k, d)),
            "q": source.normal(size=(k, d)),
            "l": source.normal(size=(k, many)),
        }
        given = {name: array.tolist() for name, array in arrays.items()}
        given |= {"d": d, "k": k, "n": n, "m": m, "gamma": gamma}
        arguments = (d, k, n, m, gamma, *arrays.values())
        cases.append(Case(f"d {d}, k {k}", given, arguments, k + 2 * k * d + k * many))
    return cases


CASES: dict[str, Callable[[], list[Case]]] = {
    "lse": lse_cases,
    "llsq": llsq_cases,
    "det": det_cases,
    "ode": ode_cases,
    "gmm": gmm_cases,
}


def built(name: str, *options: str) -> Any:
    """Return the functions of a file in C++ beside this one, compiled by g++ with such options."""
    source = Path(__file__).with_name(f"{name}.cpp")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / f"{name}.so")
        fixed = ["-std=c++17", "-shared", "-fPIC", str(source), "-o", path]
        subprocess.run(["g++", *options, *fixed], check=True)
        return ctypes.CDLL(path)


def theirs(library: Any, eval_: str, function: str, case: Case) -> Callable[[], Any]:
    """Return a call of the C++ function, which returns a number or an array."""
    found = getattr(library, f"{eval_}_{function}")
    arguments = [
        x.ctypes.data_as(ARRAY)
        if isinstance(x, np.ndarray)
        else (REAL(x) if isinstance(x, float) else WHOLE(x))
        for x in case.arguments
    ]
    if function == "gradient" or eval_ == "ode":
        out = np.zeros(case.outputs)
        found.restype = None

        def call() -> Any:
            found(*arguments, out.ctypes.data_as(ARRAY))
            return out

        return call
    found.restype = REAL
    return lambda: found(*arguments)


def compared(eval_: str, library: Any) -> list[dict[str, Any]]:
    """Return the seconds of both for each function and size.

    Raises:
        MeasurementError: they disagree.
    """
    rows = []
    for case in CASES[eval_]():
        for ours, function in zip(EVALS[eval_].values(), ("primal", "gradient"), strict=True):
            prepared = ours.prepare(case.given)
            mine = partial(ours.compute, prepared)
            other = theirs(library, eval_, function, case)
            if not close(_flat(mine()), _flat(other())):
                raise MeasurementError(f"{eval_}, {function}, {case.size}: the results differ")
            seconds = [math.inf, math.inf]
            start, rounds = time.perf_counter(), 0
            while rounds < ROUNDS or time.perf_counter() - start < SECONDS:
                for i, call in enumerate((mine, other)):
                    before = time.process_time()
                    call()
                    seconds[i] = min(seconds[i], time.process_time() - before)
                rounds += 1
            names = {"function": function, "size": case.size}
            rows.append({**names, "ours": seconds[0], "theirs": seconds[1]})
    return rows


def _flat(found: Any) -> Any:
    """Return a result as a list of numbers, of gmm in the order of `baselines.cpp`."""
    if isinstance(found, dict):
        return np.concatenate(
            [np.ravel(found[name]) for name in ("alpha", "mu", "q", "l")]
        ).tolist()
    return np.ravel(found).tolist()


if __name__ == "__main__":
    use_cores(1)
    print(json.dumps(compared(sys.argv[1], built("baselines", "-O3"))))
