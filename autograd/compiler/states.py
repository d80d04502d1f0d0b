"""States of Python that code goes by, and that no object it can reach has."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any


def _context() -> list[Any]:
    now = sys.modules["decimal"].getcontext()
    return [now.prec, now.rounding, now.Emin, now.Emax]


def _levels() -> list[int]:
    root = sys.modules["logging"].root
    loggers = root.manager.loggerDict.values()
    return [root.manager.disable, *(getattr(x, "level", 0) for x in (root, *loggers))]


def _handlers() -> list[Any]:
    signal = sys.modules["signal"]
    return [*map(signal.getsignal, signal.valid_signals())]


STATES: tuple[tuple[set[str], str, str, Callable[[], Any]], ...] = (
    ({"decimal", "Decimal"}, "decimal", "decimal's context", _context),
    ({"environ", "getenv"}, "os", "os.environ", lambda: dict(os.environ)),
    ({"getLogger"}, "logging", "a level of logging", _levels),
    ({"getsignal"}, "signal", "a signal's handler", _handlers),
    ({"active_count"}, "threading", "the count of threads", threading.active_count),
    ({"current_thread"}, "threading", "the thread", lambda: threading.current_thread().name),
)
"""States of Python that code goes by which uses one of these names: of which module, what they are
called, and what reads them."""
