"""Settings of the whole suite."""

import gc
import os
import tempfile

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled code in a folder of this run's own: the user's is neither used nor littered.

    Not a fixture, so that the doctests of the packages are covered as well.
    """
    folder = tempfile.TemporaryDirectory(prefix="chainrule-")
    os.environ["CHAINRULE_CACHE"] = folder.name
    config.add_cleanup(folder.cleanup)


def pytest_collection_finish() -> None:
    """Spare Python's gc the thousands of collected tests: it is much of the suite's time."""
    gc.collect()
    gc.freeze()
