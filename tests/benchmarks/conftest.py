"""Benchmarks run once, shown by pytest-benchmark and as figures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.benchmarks.benchmark import Result
from tests.benchmarks.benchmarks import BENCHMARKS
from tests.benchmarks.library import missing, named

_results: dict[str, Result] = {}


@pytest.fixture
def result() -> Callable[[str], Result]:
    """Return the function that gives a benchmark's result; it is measured once."""

    def result(name: str) -> Result:
        benchmark = BENCHMARKS[name]
        absent = missing(benchmark.needs)
        if absent:
            pytest.skip(f"{named(absent)}: not installed; they come with the bench extra")
        if name not in _results:
            _results[name] = benchmark.run(lambda text: None)
        return _results[name]

    return result


@pytest.fixture
def replay(benchmark):
    """Hand measured seconds to pytest-benchmark, whose clock then advances by them."""

    def run(seconds: list[float]) -> None:
        clock = 0.0
        remaining = iter(seconds)

        def advance() -> None:
            nonlocal clock
            clock += next(remaining)

        benchmark._timer = lambda: clock
        benchmark.pedantic(advance, rounds=len(seconds), iterations=1)

    return run


def pytest_terminal_summary(terminalreporter) -> None:
    if _results:
        terminalreporter.section("figures")
        for name, result in _results.items():
            for figure in result.figures:
                terminalreporter.write_line(f"{name}: {figure}")
