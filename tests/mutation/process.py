"""A piece of work in a process of its own, with limits."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

PATIENCE = 10.0
"""How many times as long as without a change a test may take, and seconds it may take anyway."""

MEMORY = 16 * 2**30
"""Bytes of address space that a process may have."""

BROKEN = 70
"""The exit code of work that broke off by a mistake of its own."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that runs.

    Attributes:
        key: what it works on.
        reader: where it tells what it finds.
    """

    key: int
    number: int
    reader: int
    deadline: float

    def is_over(self) -> bool:
        """Return whether it has ended, having ended it if its time is over."""
        if time.monotonic() > self.deadline:
            with suppress(ProcessLookupError):
                os.kill(self.number, signal.SIGKILL)
        ended = os.waitid(os.P_PID, self.number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return ended is not None

    def said(self) -> tuple[str, int]:
        """Return what an ended process has told, and its exit code."""
        _, status = os.waitpid(self.number, 0)
        os.set_blocking(self.reader, False)  # what it has started may live on, and hold the pipe
        said = ""
        with suppress(BlockingIOError):
            said = os.read(self.reader, 2**16).decode()
        os.close(self.reader)
        with suppress(ProcessLookupError):
            os.killpg(self.number, signal.SIGKILL)
        return said, os.waitstatus_to_exitcode(status)


def start(key: int, seconds: float, work: Callable[[Callable[[str], None]], int]) -> Child:
    """Return a process that does a piece of work.

    Args:
        seconds: how long that takes if all is well.
        work: is given what tells this process something; returns its exit code.
    """
    reader, writer = os.pipe()

    def say(text: str) -> None:
        os.write(writer, f"{text}\n".encode())

    child = os.fork()
    if not child:
        code = BROKEN
        try:
            os.setpgid(0, 0)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            code = work(say)
        except Exception as error:
            say(repr(error))
        finally:
            os._exit(code)
    os.close(writer)
    return Child(key, child, reader, time.monotonic() + 10 * PATIENCE + PATIENCE * seconds)


def allow(seconds: float) -> None:
    """End this process if what it does next computes ten times as long, and some seconds more."""
    used = time.process_time()
    limit = int(used + PATIENCE * (seconds + 1.0)) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def together(jobs: Iterable[Callable[[], Child]], workers: int) -> Iterator[tuple[int, str, int]]:
    """Yield key, words and exit code of jobs as they end, some of them at a time."""
    running: list[Child] = []
    waiting = iter(jobs)
    while True:
        while len(running) < workers and (job := next(waiting, None)):
            running.append(job())
        if not running:
            return
        over = [child for child in running if child.is_over()]
        for child in over:
            running.remove(child)
            yield child.key, *child.said()
        if not over:
            time.sleep(0.01)
