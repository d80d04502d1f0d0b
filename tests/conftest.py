"""Settings of the whole suite."""

import gc
import os
import tempfile
from collections.abc import Generator

import pytest

from autograd import TABLE

collect_ignore = ["programs"]  # they run in test_programs, not when doctests are looked for


class EveryTest:
    """Takes the rows that a test made out of the table: tests that draw rows would meet them.

    A plugin of its own: the hooks of this file see only the tests beside it, not README.md's.
    """

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        rows = dict(TABLE)
        try:
            return (yield)
        finally:
            TABLE.clear()
            TABLE.update(rows)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        # Three a test go from the workers to where they are shown, which asks for no keyword.
        report = yield
        report.keywords = {}
        return report


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled code in a folder of this run's own: the user's is neither used nor littered.

    Not a fixture, so that the doctests of the packages are covered as well.
    """
    folder = tempfile.TemporaryDirectory(prefix="chainrule-")
    os.environ["CHAINRULE_CACHE"] = folder.name
    config.add_cleanup(folder.cleanup)
    config.pluginmanager.register(EveryTest())
    gc.disable()  # until all is collected: nothing of it is garbage


def pytest_collection_finish() -> None:
    """Refuse rows of a file's own, which other files would test as the table's; spare gc.

    The thousands of collected tests are much of the suite's time otherwise.
    """
    if own := [op for op in TABLE.values() if not op.is_built_in]:
        raise pytest.UsageError(f"{own} are made when a test file is read: make them in the test")
    gc.collect()
    gc.freeze()
    gc.enable()
