"""Threads that share calls of machine code, which runs without Python's lock."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import count
from queue import SimpleQueue
from threading import Lock, Thread

Job = tuple[Callable[[], None], object]


class _Crew:
    """Helpers that wait at a queue for jobs, and the places that nobody has taken yet."""

    def __init__(self, places: int) -> None:
        self.jobs: SimpleQueue[Job] = SimpleQueue()
        self.helpers: list[Thread] = []
        # Whoever iterates over it, each place is met once: two first callers don't fill it twice.
        self._places = iter(range(1, places + 1))

    def fill(self) -> None:
        """Start the helpers that are missing."""
        for place in self._places:
            helper = Thread(target=_help, args=(self.jobs,), name=f"chainrule-{place}", daemon=True)
            try:
                helper.start()
            except RuntimeError:  # as many threads as there may be, or Python is about to end
                return
            self.helpers.append(helper)


def call_all(calls: Sequence[Callable[[], object]], kept: object) -> None:
    """Call all of them, here and in as many threads as there are processors; wait for the last.

    An interrupt drops the calls that nobody has begun; it doesn't wait for the others.

    Args:
        kept: whose memory the calls use; it lives as long as they.

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

    crew = _crew
    crew.fill()
    try:
        for _ in range(min(len(calls) - 1, len(crew.helpers))):
            crew.jobs.put((work, kept))
        work()
        # Not for the helpers: one that is busy elsewhere may come when nothing is left to do.
        done.acquire()
    finally:
        waiting.clear()


def _help(jobs: SimpleQueue[Job]) -> None:
    # The queue is an argument: to look it up in an object costs a call 5 us.
    while True:
        work, kept = jobs.get()
        work()
        del work, kept  # or they would live until the next job


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _assemble() -> None:
    global _crew
    _crew = _Crew(_processors() - 1)


_crew: _Crew
_assemble()

# Threads don't follow a process into its fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_assemble)
