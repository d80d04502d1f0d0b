"""Mutants tried where they live: tests are imported once, and a fork of that has the mistake."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.process import Child, start, together
from tests.mutation.reach import Reach

MINUTES = 600.0
"""Seconds that the whole suite may take; ten times that, under coverage on a busy machine."""

Key = tuple[str, int, tuple[object, ...]]


class Laboratory:
    """A plugin of pytest: when all tests are there, it tries mutants in place of running them.

    The code of functions is replaced; what has been computed from it at import stays as it is,
    and so does a mistake outside of functions. Whatever survives here must be tried anew.

    Args:
        kept: where what the tests reach is kept.
        tell: is called with a mutant's number and the test that noticed it.
    """

    def __init__(
        self,
        mutants: Sequence[Mutant],
        files: Sequence[Path],
        kept: Path,
        workers: int,
        tell: Callable[[int, str], None],
    ) -> None:
        self.mutants = mutants
        self.files = files
        self.kept = kept
        self.workers = workers
        self.tell = tell
        self.failed: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("tests can't be collected")
        if not self.kept.exists():
            self._measure(session.items)
        reach = Reach.load(self.kept)
        items = {item.nodeid: item for item in session.items}
        gc.unfreeze()
        names = {str(path) for path in self.files}
        functions = [
            found
            for found in gc.get_objects()
            if isinstance(found, FunctionType) and found.__code__.co_filename in names
        ]
        gc.freeze()

        def jobs() -> Iterator[Callable[[], Child]]:
            for i, mutant in enumerate(self.mutants):
                if mutant.scope or mutant.is_in_lambda:
                    tests = [test for part in reach.of(mutant.path, mutant.lines) for test in part]
                    chosen = [items[test] for test in tests if test in items]
                    work = partial(self._try, mutant, functions, chosen)
                    yield partial(start, i, reach.cost(tests), work)

        for i, said, code in together(jobs(), self.workers):
            if code:
                self.tell(i, said.partition("\n")[0] or f"its limits (exit code {code})")
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def _measure(self, items: Sequence[pytest.Item]) -> None:
        """Learn what tests reach, from tests run under coverage."""
        parts = [self.kept.with_suffix(f".{i}") for i in range(self.workers)]
        shares: list[list[pytest.Item]] = [[] for _ in parts]
        files = list(dict.fromkeys(item.nodeid.partition("::")[0] for item in items))
        for item in items:
            shares[files.index(item.nodeid.partition("::")[0]) % len(parts)].append(item)
        jobs = [
            partial(start, i, MINUTES, partial(self._record, share, part))
            for i, (share, part) in enumerate(zip(shares, parts, strict=True))
        ]
        for _, said, code in together(jobs, self.workers):
            if code:
                raise RuntimeError(f"the suite broke off without a change: {said}")
        Reach.load(*parts).save(self.kept)
        for part in parts:
            part.unlink()

    def _record(self, items: Sequence[pytest.Item], part: Path, say: Callable[[str], None]) -> int:
        from coverage import Coverage

        coverage = Coverage(data_file=None, include=list(map(str, self.files)), config_file=False)
        coverage.start()
        seconds: dict[str, float] = {}
        for item, following in _pairs(items):
            coverage.switch_context(item.nodeid)
            begin = time.perf_counter()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            seconds[item.nodeid] = time.perf_counter() - begin
        coverage.stop()
        data = coverage.get_data()
        known = {test: taken for test, taken in seconds.items() if test not in set(self.failed)}
        tests = {
            file: {str(line): names for line, names in data.contexts_by_lineno(file).items()}
            for file in data.measured_files()
        }
        Reach(known, tests).save(part)
        return 0

    def _try(
        self,
        mutant: Mutant,
        functions: Sequence[FunctionType],
        items: Sequence[pytest.Item],
        say: Callable[[str], None],
    ) -> int:
        """Run tests with a mistake in the code; return whether one noticed."""
        codes = {_key(code): code for code in _codes(mutant.code())}
        try:
            for function in functions:
                if function.__code__.co_filename == str(mutant.path):
                    function.__code__ = codes.get(_key(function.__code__), function.__code__)
        except ValueError:
            return 0  # it closes over other names now: left to a fresh import
        for item, following in _pairs(items):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                say(self.failed[0])
                return 1
        return 0


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Yield each test with the one that follows."""
    return zip_longest(items, items[1:])


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of everything inside of a module."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)


def _key(code: CodeType) -> Key:
    """Return what tells the code of a function from that of all others: where its result stands."""
    return code.co_qualname, code.co_firstlineno, list(code.co_positions())[-1]
