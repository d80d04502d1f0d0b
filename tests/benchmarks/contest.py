"""Contenders that measure the same thing in turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.library import is_installed
from tests.benchmarks.measurement import MeasurementError

Say = Callable[[str], None]
"""Tells who is being measured."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Who is measured.

    Attributes:
        name: as people read it.
        run: measures once, in round 0, 1, ..., and returns plain data with its "seconds".
        library: the module without which a peer can't be measured; "" for our own.
        head: of our own, over the column of ratios to it.
    """

    name: str
    run: Callable[[int], dict[str, Any]]
    library: str = ""
    head: str = ""


@dataclass(frozen=True, slots=True)
class Contest:
    """What came of it.

    Attributes:
        contenders: those that measured something, by name.
        runs: by name, what each round gave.
        failed: by name, why a peer could not be measured.
        typical: makes one number of the seconds of all rounds.
    """

    contenders: dict[str, Contender] = field(default_factory=dict)
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    typical: Callable[[list[float]], float] = statistics.median

    def seconds(self, name: str) -> float:
        """Return what a contender takes, in seconds."""
        return self.typical([run["seconds"] for run in self.runs[name]])

    def mean(self, name: str, what: str) -> float:
        """Return the mean over the rounds of something else that was measured."""
        return float(statistics.mean(run[what] for run in self.runs[name]))

    def ratio(self, name: str, ours: str) -> float:
        """Return how many times as long as one of ours a contender takes."""
        return self.seconds(name) / self.seconds(ours)

    def ranking(self) -> list[str]:
        """Return all names, the fastest first."""
        return sorted(self.runs, key=self.seconds)

    def peers(self) -> list[str]:
        """Return the names of the peers, the fastest first."""
        return [name for name in self.ranking() if self.contenders[name].library]

    def to_json(self) -> dict[str, Any]:
        """Return the seconds of each round as plain data, and who failed."""
        seconds = {name: [run["seconds"] for run in runs] for name, runs in self.runs.items()}
        return {"seconds": seconds, "failed": self.failed}


def hold(
    contenders: Iterable[Contender],
    rounds: int,
    say: Say,
    typical: Callable[[list[float]], float] = statistics.median,
) -> Contest:
    """Return what contenders measure in turn: A B C, A B C, ...

    A peer that is not installed takes no part, and one that fails takes none from then on.

    Raises:
        MeasurementError: one of ours failed.
    """
    present = {c.name: c for c in contenders if not c.library or is_installed(c.library)}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in present}
    failed: dict[str, str] = {}
    for i in range(rounds):
        for name in list(present):
            say(f"{name}, round {i + 1} of {rounds}")
            try:
                runs[name].append(present[name].run(i))
            except MeasurementError as error:
                if not present[name].library:
                    raise
                failed[name] = str(error)
                del present[name], runs[name]
    return Contest(present, runs, failed, typical)
