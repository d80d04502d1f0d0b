"""A mutant tried from the start: tests in a process that imports the changed module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType

import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.process import allow
from tests.mutation.reach import Reach

OPTIONS = [
    *("-n0", "-q", "-s", "--no-header", "-p", "no:cacheprovider"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # libraries are imported before
]
"""For every run of pytest: in this process, with nothing left behind."""

IMPORTS = 10.0
"""Seconds that the import of tests takes."""


class Finder(MetaPathFinder):
    """Finds the changed module in place of the one on the path."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self.mutant.module:
            return None
        spec = PathFinder.find_spec(name, path)  # type: ignore[arg-type]
        if spec is not None:
            spec.loader = Loader(name, str(self.mutant.path), self.mutant.code())
        return spec


class Loader(SourceFileLoader):
    """Loads code that is not what the file says."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        return self.code


class Chosen:
    """A plugin of pytest that has the mutant found, and keeps the tests that are wanted."""

    def __init__(
        self, mutant: Mutant, tests: Sequence[str], reach: Reach, say: Callable[[str], None]
    ) -> None:
        self.mutant = mutant
        self.order = {test: i for i, test in enumerate(tests)}
        self.reach = reach
        self.say = say

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        # Before pytest's own finder, which takes the modules of a project that has a plugin.
        sys.meta_path.insert(0, Finder(self.mutant))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = (item for item in items if item.nodeid in self.order)
        items[:] = sorted(chosen, key=lambda item: self.order[item.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        allow(self.reach.seconds[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.say(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.say(f"the import of {report.nodeid}")


def attempt(mutant: Mutant, tests: Sequence[str], reach: Reach, say: Callable[[str], None]) -> int:
    """Run tests on a mutant, tell which of them noticed, and return whether one did."""
    allow(IMPORTS)
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    code = pytest.main([*OPTIONS, "-x", *files], plugins=[Chosen(mutant, tests, reach, say)])
    return code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
