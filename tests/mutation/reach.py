"""Which tests reach a line, and how long each of them takes."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.probes import Probe


@dataclass(frozen=True, slots=True)
class Reach:
    """What the whole suite has shown.

    Attributes:
        seconds: by test, how long it takes; of tests that failed, nothing is known.
        passed: by test, the probes that it passes: bit i for the i-th.
    """

    probes: Sequence[Probe]
    seconds: Mapping[str, float]
    passed: Mapping[str, int]

    def of(
        self, path: Path, lines: tuple[int, int], seconds: float, files: int = sys.maxsize
    ) -> list[str]:
        """Return the tests that could notice a change of some lines, as many as there is time for.

        They are of no more than so many files.
        Those that pass there come first: of these, the ones that are named for the file and for
        what is assigned there, then quick ones before slow ones, those of little before those of
        much. What is run at import is in the hands of all tests that run any of the file, or of
        what imports it where it has nothing to run: named ones first again, then those that run
        the most of it in a second.
        """
        bits = [(1 << i, p) for i, p in enumerate(self.probes)]
        whole = [(bit, p) for bit, p in bits if p.file == str(path)]
        there = sum(bit for bit, p in whole if p.first <= lines[1] and p.last >= lines[0])
        if not whole:
            users = {file for file in {p.file for p in self.probes} if _imports(file, path.stem)}
            whole = [(bit, p) for bit, p in bits if p.file in users]
        anywhere = sum(bit for bit, _ in whole)
        near = [test for test, passed in self.passed.items() if passed & there]
        far = [test for test, passed in self.passed.items() if passed & anywhere & ~there]
        names = _assigned(path, lines) | {path.stem}

        def strangeness(test: str) -> int:
            return -len(names.intersection(re.split(r"\W+(?:test_)?", test)))

        def weight(test: str) -> tuple[int, float, str]:
            return strangeness(test), self.seconds[test] * self.passed[test].bit_count(), test

        def promise(test: str) -> tuple[int, float, str]:
            run = (self.passed[test] & anywhere).bit_count()
            return strangeness(test), self.seconds[test] / run, test

        chosen: list[str] = []
        of: set[str] = set()
        for test in [
            *sorted(near, key=weight),
            *sorted(set(far) - set(near), key=promise),
        ]:
            file = test.partition("::")[0]
            if len(of | {file}) > files:
                continue
            of.add(file)
            seconds -= self.seconds[test]
            if chosen and seconds < 0.0:
                break
            chosen.append(test)
        return chosen

    def cost(self, tests: Iterable[str]) -> float:
        """Return how many seconds tests take together."""
        return sum(self.seconds[test] for test in tests)

    def save(self, path: Path) -> None:
        """Write it to a file."""
        probes = [[p.file, p.first, p.last] for p in self.probes]
        tests = {test: [self.seconds[test], hex(self.passed[test])] for test in self.passed}
        path.write_text(json.dumps({"probes": probes, "tests": tests}), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Reach:
        """Return what is in a file."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            [Probe(*probe) for probe in found["probes"]],
            {test: seconds for test, (seconds, _) in found["tests"].items()},
            {test: int(passed, 16) for test, (_, passed) in found["tests"].items()},
        )


def _imports(file: str, module: str) -> bool:
    """Return whether a file imports names of a module, which is known by its last part."""
    text = Path(file).read_text(encoding="utf-8")
    return bool(re.search(rf"^from [\w.]*\b{module} import ", text, re.MULTILINE))


def _assigned(path: Path, lines: tuple[int, int]) -> set[str]:
    """Return the names that a module's statement on some lines assigns."""
    return {
        name.id
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if statement.lineno <= lines[1] and (statement.end_lineno or 0) >= lines[0]
        for name in ast.walk(statement)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }
