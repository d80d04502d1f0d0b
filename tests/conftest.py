"""Settings of the whole suite."""

import gc


def pytest_collection_finish() -> None:
    """Spare Python's gc the thousands of collected tests: it is much of the suite's time."""
    gc.collect()
    gc.freeze()
