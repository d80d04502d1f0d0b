"""Mutants tried where they live: tests are imported once, and a fork of that has the mistake."""

from __future__ import annotations

import gc
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.mutation.logbook import Logbook
from tests.mutation.mutants import Mutant
from tests.mutation.probes import NAME, Probe, probed
from tests.mutation.process import BROKEN, Child, allow, start, together
from tests.mutation.reach import Reach

SUITE = 600.0
"""Seconds that the whole suite may take; ten times that, on a busy machine."""

Key = tuple[str, int, tuple[object, ...]]


class Laboratory:
    """A plugin of pytest: when all tests are there, it tries mutants in place of running them.

    The code of functions is replaced; what has been computed from it at import stays as it is,
    and so does a mistake outside of functions. Whatever survives here must be tried anew.

    Args:
        kept: where what the tests reach is kept.
        budget: seconds of tests that a mutant must live through.
    """

    def __init__(
        self,
        mutants: Sequence[Mutant],
        files: Sequence[Path],
        kept: Path,
        logbook: Logbook,
        workers: int,
        budget: float,
    ) -> None:
        self.mutants = mutants
        self.files = files
        self.kept = kept
        self.logbook = logbook
        self.workers = workers
        self.budget = budget
        self.failed: list[str] = []
        self.functions: list[FunctionType] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("tests can't be collected")
        gc.unfreeze()
        names = {str(path) for path in self.files}
        self.functions = [
            found
            for found in gc.get_objects()
            if isinstance(found, FunctionType) and found.__code__.co_filename in names
        ]
        gc.freeze()
        if not self.kept.exists():
            measured = partial(start, 0, SUITE, partial(self._measure, session.items))
            ((_, said, code),) = together([measured], 1)
            if code:
                raise RuntimeError(f"the suite broke off without a change: {said}")
        reach = Reach.load(self.kept)
        items = {item.nodeid: item for item in session.items}

        def jobs() -> Iterator[Callable[[], Child]]:
            for i, mutant in enumerate(self.mutants):
                if mutant.is_called:
                    tests = reach.of(mutant.path, mutant.lines, self.budget)
                    tests = self.logbook.with_hint(mutant, tests)
                    work = partial(self._try, mutant, [items[test] for test in tests], reach)
                    yield partial(start, i, reach.cost(tests), work)

        for i, said, code in together(jobs(), self.workers):
            if code not in (0, BROKEN):
                self.logbook.add(self.mutants[i], said.partition("\n")[0] or f"exit code {code}")
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)

    def _measure(self, items: Sequence[pytest.Item], say: Callable[[str], None]) -> int:
        """Learn what tests reach, from functions with probes in them."""
        probes: list[Probe] = []
        for path in self.files:
            _replace(self.functions, probed(path, probes))
        reached = bytearray(len(probes))
        for function in self.functions:
            function.__globals__[NAME] = reached
        seconds: dict[str, float] = {}
        passed: dict[str, int] = {}
        for item, following in _pairs(items):
            reached[:] = bytes(len(probes))
            begin = _computed()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            seconds[item.nodeid] = _computed() - begin
            passed[item.nodeid] = sum(1 << i for i, hit in enumerate(reached) if hit)
        for test in set(self.failed):
            del passed[test]
        Reach(probes, seconds, passed).save(self.kept)
        return 0

    def _try(
        self,
        mutant: Mutant,
        items: Sequence[pytest.Item],
        reach: Reach,
        say: Callable[[str], None],
    ) -> int:
        """Run tests with a mistake in the code; return whether one noticed."""
        try:
            _replace(self.functions, mutant.code())
        except ValueError:
            return 0  # it closes over other names now: left to a fresh import
        os.environ["CHAINRULE_CACHE"] = "off"  # compiled code of others would be taken for its own
        for item, following in _pairs(items):
            allow(reach.seconds[item.nodeid])
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                say(self.failed[0])
                return 1
        return 0


def _computed() -> float:
    """Return the seconds that this process and its children have computed: waiting isn't work."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Yield each test with the one that follows."""
    return zip_longest(items, items[1:])


def _replace(functions: Sequence[FunctionType], module: CodeType) -> None:
    """Give the functions of a file the code that they have in a changed module."""
    codes = {_key(code): code for code in _codes(module)}
    for function in functions:
        if function.__code__.co_filename == module.co_filename:
            function.__code__ = codes.get(_key(function.__code__), function.__code__)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of everything inside of a module."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield const
            yield from _codes(const)


def _key(code: CodeType) -> Key:
    """Return what tells the code of a function from that of all others.

    Lambdas may stand on one line: where their result is made tells them apart. The last
    instruction, their return, may be nowhere: the one before makes it.
    """
    *_, result, _ = code.co_positions()
    return code.co_qualname, code.co_firstlineno, result if code.co_name[0] == "<" else ()
