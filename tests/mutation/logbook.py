"""What came of mutants, in a file: a run that was cut off goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path

from tests.mutation.mutants import Mutant


class Logbook:
    """The test that each mutant fell to, as runs find it.

    Args:
        digest: tells this very code from all others. What came of other code is a hint.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self.path = path
        self.digest = digest
        self.killers: dict[str, str] = {}
        self.hints: dict[str, str] = {}
        self.read()

    def read(self) -> None:
        """Learn what others have written."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for digest, place, name, killer in map(json.loads, lines):
            if digest == self.digest:
                self.killers[place] = killer
            self.hints[name] = killer or self.hints.get(name, "")

    def killer(self, mutant: Mutant) -> str | None:
        """Return the test that a mutant fell to: "" for none, None if it has not been tried."""
        return self.killers.get(mutant.place)

    def add(self, mutant: Mutant, killer: str) -> None:
        """Write down which test a mutant fell to, "" for none."""
        self.killers[mutant.place] = killer
        entry = json.dumps([self.digest, mutant.place, mutant.name, killer])
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{entry}\n")

    def with_hint(self, mutant: Mutant, tests: list[str]) -> list[str]:
        """Return tests with that first to which such a mutant has fallen before."""
        hint = self.hints.get(mutant.name, "")
        return sorted(tests, key=lambda test: test != hint)
