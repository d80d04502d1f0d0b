"""Threads that share calls of machine code, which runs without Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from queue import SimpleQueue
from threading import Lock, Thread

Job = tuple[Callable[[], None], object]


def call_all(calls: Sequence[Callable[[], object]], kept: object) -> None:
    """Call all of them, here and in as many threads as there are processors; wait for the last.

    Args:
        kept: whose memory the calls use; it lives as long as they, whatever breaks off the wait.

    Cost: a helper begins some 20 us after it is asked to; a pool's futures take twice as long.
    """
    waiting = [*reversed(calls)]
    finished = count(1)
    done = Lock()
    done.acquire()

    def work() -> None:
        while True:
            try:
                call = waiting.pop()
            except IndexError:
                return
            try:
                call()
            finally:
                if next(finished) == len(calls):
                    done.release()

    for _ in range(min(len(calls), _processors()) - 1):
        _jobs().put((work, kept))
    work()
    # Not for the helpers: one that is busy elsewhere may come when nothing is left to do.
    done.acquire()


@cache
def _jobs() -> SimpleQueue[Job]:
    """Return the queue that the helpers wait at."""
    jobs: SimpleQueue[Job] = SimpleQueue()
    for i in range(_processors() - 1):
        Thread(target=_help, args=(jobs,), name=f"chainrule-{i + 1}", daemon=True).start()
    return jobs


def _help(jobs: SimpleQueue[Job]) -> None:
    while True:
        work, kept = jobs.get()
        work()
        del work, kept  # or they would live until the next job


@cache
def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Threads don't follow a process into its fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_jobs.cache_clear)
