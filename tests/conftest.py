"""Settings of the whole suite."""

import gc
import os
import tempfile

import pytest

from autograd import TABLE, Op

ROWS = pytest.StashKey[dict[str, Op]]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled code in a folder of this run's own: the user's is neither used nor littered.

    Not a fixture, so that the doctests of the packages are covered as well.
    """
    folder = tempfile.TemporaryDirectory(prefix="chainrule-")
    os.environ["CHAINRULE_CACHE"] = folder.name
    config.add_cleanup(folder.cleanup)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note the rows of the table before a doctest, which may add some of its own."""
    if isinstance(item, pytest.DoctestItem):
        item.stash[ROWS] = dict(TABLE)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Take a doctest's rows out again: tests that draw rows from the table would meet them."""
    if ROWS in item.stash:
        TABLE.clear()
        TABLE.update(item.stash[ROWS])


def pytest_collection_finish() -> None:
    """Spare Python's gc the thousands of collected tests: it is much of the suite's time."""
    gc.collect()
    gc.freeze()
