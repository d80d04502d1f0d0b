"""What ``import autograd`` takes: ``python importing.py`` prints it as JSON.

Run by its path, and with no import above that isn't needed: the engine's own are timed.
"""

import json
import sys
import time


def time_import() -> dict[str, object]:
    """Return the seconds that ``import autograd`` takes, and whether NumPy came along."""
    start = time.perf_counter()
    import autograd  # noqa: F401

    return {"seconds": time.perf_counter() - start, "numpy": "numpy" in sys.modules}


if __name__ == "__main__":
    print(json.dumps(time_import()))
