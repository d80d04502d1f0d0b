"""Which tests reach a line, and how long each of them takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILES, TESTS = 3, 100
"""How many files, and tests of each, are tried before all: most mutants fall there."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the whole suite has shown.

    Attributes:
        seconds: by test, how long it takes; of tests that failed, nothing is known.
        tests: by file and line, as text, the tests that run it.
    """

    seconds: Mapping[str, float]
    tests: Mapping[str, Mapping[str, Sequence[str]]]

    def of(self, path: Path, lines: tuple[int, int]) -> list[list[str]]:
        """Return the tests that could notice a change of some lines: those to try first, the rest.

        What is run at import is in the hands of all tests that run any of the file.
        """
        known = self.tests.get(str(path), {})
        span = range(lines[0], lines[1] + 1)
        found = {test for line in span for test in known.get(str(line), ())}
        found = found or {test for tests in known.values() for test in tests}
        by_file: dict[str, list[str]] = {}
        for test in sorted(found & self.seconds.keys(), key=lambda t: (self.seconds[t], t)):
            by_file.setdefault(test.partition("::")[0], []).append(test)
        groups = sorted(by_file.values(), key=len, reverse=True)
        first = [test for group in groups[:FILES] for test in group[:TESTS]]
        rest = [test for group in groups[:FILES] for test in group[TESTS:]]
        rest += [test for group in groups[FILES:] for test in group]
        return [part for part in (first, rest) if part]

    def cost(self, tests: Sequence[str]) -> float:
        """Return how many seconds tests take together."""
        return sum(self.seconds[test] for test in tests)

    def save(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, *paths: Path) -> Reach:
        """Return what is in files, together."""
        seconds: dict[str, float] = {}
        merged: dict[str, dict[str, list[str]]] = {}
        for path in paths:
            part = json.loads(path.read_text(encoding="utf-8"))
            seconds |= part["seconds"]
            for file, lines in part["tests"].items():
                for line, tests in lines.items():
                    merged.setdefault(file, {}).setdefault(line, []).extend(tests)
        return cls(seconds, merged)
