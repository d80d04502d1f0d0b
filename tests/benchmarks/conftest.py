"""Measurements in fresh processes, shown by pytest-benchmark and as ratios."""

from __future__ import annotations

import statistics

import pytest
from measure import ROUNDS, in_turn, measure

_figures: list[str] = []


class Moons:
    """The seconds of one step per contender, nine processes each, taken in turn."""

    def __init__(self) -> None:
        self.names = ("micrograd", "scalars", "mlp")
        runs = in_turn(self.names, lambda name, _: measure(name), ROUNDS)
        self.seconds = {name: [run["seconds"] for run in runs[name]] for name in self.names}
        self.losses = [runs[name][0]["loss"] for name in self.names]

    def ratio(self, name: str) -> float:
        """Return how many times faster than micrograd a contender is, by medians."""
        base = statistics.median(self.seconds["micrograd"])
        return base / statistics.median(self.seconds[name])


@pytest.fixture(scope="session")
def moons() -> Moons:
    pytest.importorskip("micrograd", reason="the peer comes with the bench extra")
    return Moons()


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


@pytest.fixture
def figure():
    """Return a function that adds a line to the summary of figures."""
    return _figures.append


def pytest_terminal_summary(terminalreporter) -> None:
    if _figures:
        terminalreporter.section("figures")
        for line in _figures:
            terminalreporter.write_line(line)
