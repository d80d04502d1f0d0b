"""A tool for GradBench: ``python -m tests.benchmarks.gradbench`` answers on standard input.

GradBench (github.com/gradbench/gradbench) compares tools for automatic differentiation. It sends
messages, a line of JSON each, and reads an answer to each; `tests.benchmarks.evals` computes.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from typing import Any, TextIO

from tests.benchmarks.evals import EVALS
from tests.benchmarks.evals.function import Function

NAME = "chainrule"


def answers(lines: Iterable[str]) -> Iterator[str]:
    """Yield the answer to each message, a line each, as the protocol asks.

    Raises:
        ValueError: a line is no message: not JSON, or without an id to answer to.
    """
    functions: dict[str, Function] = {}
    for line in lines:
        if not line.strip():
            continue
        try:
            message = json.loads(line)
            answer: dict[str, Any] = {"id": message["id"]}
        except (ValueError, TypeError, LookupError):
            raise ValueError(f"a message is JSON with an id: got {line.strip()!r:.60}") from None
        kind = message.get("kind")
        if kind == "start":
            answer["tool"] = NAME
        elif kind == "define":
            module = message.get("module")
            functions = EVALS.get(module, {}) if isinstance(module, str) else {}
            answer["success"] = bool(functions)
            if not functions:
                answer["error"] = f"there is no eval {module!r:.60}"
        elif kind == "evaluate":
            answer |= _evaluated(functions, message)
        yield json.dumps(answer, allow_nan=False)


def _evaluated(functions: dict[str, Function], message: dict[str, Any]) -> dict[str, Any]:
    """Return what a function gives, and the time of each run, in nanoseconds."""
    name = message.get("function")
    if not isinstance(name, str) or name not in functions:
        return {"success": False, "error": f"there is no function {name!r:.60}"}
    if "input" not in message:
        return {"success": False, "error": "there is no input"}
    given = message["input"]
    runs, seconds = 1, 0.0
    if isinstance(given, dict):
        runs, seconds = given.get("min_runs", 1), given.get("min_seconds", 1)
    timings: list[dict[str, Any]] = []
    spent = 0
    try:
        with redirect_stdout(sys.stderr):
            prepared, before = _timed(lambda: functions[name].prepare(given))
            timings.append({"name": "prepare", "nanoseconds": before})
            # Code is made, for inputs of this shape, when it is first called.
            _, before = _timed(lambda: functions[name].compute(copy.copy(prepared)))
            timings.append({"name": "compile", "nanoseconds": before})
            while len(timings) < 2 + max(runs, 1) or spent < seconds * 1e9:
                own = copy.copy(prepared)
                output, taken = _timed(lambda own=own: functions[name].compute(own))
                timings.append({"name": "evaluate", "nanoseconds": taken})
                spent += taken
        plain = _plain(output)
        json.dumps(plain, allow_nan=False)
    except Exception as error:
        return {"success": False, "error": f"{type(error).__name__}: {error}"[:500]}
    return {"success": True, "output": plain, "timings": timings}


def _timed(work: Any) -> tuple[Any, int]:
    start = time.perf_counter_ns()
    result = work()
    return result, time.perf_counter_ns() - start


def _plain(output: Any) -> Any:
    """Return plain data: arrays as lists, at any depth."""
    if isinstance(output, dict):
        return {key: _plain(value) for key, value in output.items()}
    if isinstance(output, list | tuple):
        return [_plain(value) for value in output]
    if hasattr(output, "tolist"):
        return output.tolist()
    return output


def close(found: Any, expected: Any) -> bool:
    """Return whether an output is valid, as GradBench decides it.

    >>> close([1, 2.00001], [1, 2]), close(True, 1), close([1], [1, 2]), close(float("nan"), 0)
    (True, False, False, False)
    """
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, int | float) and isinstance(expected, int | float):
        if isinstance(found, int) and isinstance(expected, int):
            return found == expected
        return abs(found - expected) <= 1e-4 * max(1.0, abs(found) + abs(expected))
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            close(found[key], expected[key]) for key in found
        )
    return found == expected


def main(lines: TextIO = sys.stdin, out: TextIO = sys.stdout) -> None:
    """Answer until the input ends, or until a line is no message."""
    try:
        for answer in answers(lines):
            out.write(answer + "\n")
            out.flush()
    except ValueError as error:
        sys.exit(f"gradbench: {error}")


if __name__ == "__main__":
    main()
