"""What a run of a function asks of the world outside: random numbers, files, clocks.

What is compiled is recorded once. That a function draws random numbers shows in the state of the
generators, where three runs may have happened to draw alike; what else it asks, Python's profiler
sees being called.
"""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType
from typing import Any

from autograd.compiler.askers import innermost, is_users, place_in
from autograd.compiler.leftovers import CLOCKS
from autograd.compiler.names import instructions_of, names_of
from autograd.compiler.reach import is_foreign
from autograd.compiler.statements import TOLD, Use, call_of
from autograd.engine import Value

QUIET = frozenset(
    "__future__ _bisect _collections _collections_abc _functools _heapq _operator _random "
    "_weakref abc array ast bisect builtins cmath collections contextlib contextvars copy "
    "dataclasses decimal enum fractions functools heapq inspect itertools keyword math numbers "
    "operator random re statistics string types typing warnings weakref autograd nn numpy".split()
)
"""Modules whose functions ask for nothing outside, but for random numbers."""

LOUD = frozenset(
    "open input load loadtxt genfromtxt fromfile memmap read_text read_bytes now today "
    "Random seed default_rng RandomState SeedSequence cache_info".split()
)
"""Names of what asks all the same."""

ASIDE = frozenset(
    "concurrent importlib inspect linecache logging threading traceback warnings".split()
)
"""Modules that read clocks and files for purposes of their own."""

CALENDAR = frozenset("localtime gmtime ctime asctime strftime now today utcnow".split())
"""Functions of `time` and `datetime` whose answers stay the same for a while."""

SYSTEM = frozenset(("posix", "nt", "io", "_io", "_posixsubprocess"))
ASKING = frozenset(
    "access fork_exec getcwd listdir lstat open readlink scandir stat urandom".split()
)
"""Functions of these modules that tell of files, or of chance."""

INTERPRETER = frozenset(
    "cache_info get_count get_objects get_stats get_threshold getallocatedblocks getloadavg getpid "
    "getppid getrecursionlimit getrefcount getrusage getswitchinterval isenabled times".split()
)
"""Functions, of these homes, that tell of the state of Python or of the process."""
OF_INTERPRETER = frozenset(("sys", "gc", "posix", "nt", "resource", None))

HANDLES = frozenset(("_io", "_socket", "_ssl", "sqlite3"))
READING = ("read", "recv", "fetch", "execute")
"""What the methods of their objects that tell something begin with."""

SEED = random.Random.seed.__code__


def generator_states(things: Iterable[Any]) -> list[tuple[Callable[[], Any], Any]]:
    """Return what tells the state of each random generator that a function may use, and tells now.

    Args:
        things: what the function can reach.
    """
    reads: list[Callable[[], Any]] = [random.getstate]
    numpy: Any = sys.modules.get("numpy") and sys.modules.get("numpy.random")
    if numpy:
        # Of two normal numbers, which are drawn at once, it keeps one.
        reads.append(lambda: pickle.dumps(numpy.get_state(legacy=False)))
    for thing in things:
        home = "" if type(thing) is Value else type(thing).__module__.partition(".")[0]
        if isinstance(thing, random.Random) and not isinstance(thing, random.SystemRandom):
            reads.append(thing.getstate)
        elif home == "numpy" and hasattr(thing, "get_state"):
            reads.append(lambda of=thing: pickle.dumps(of.get_state(legacy=False)))  # type: ignore[misc]
        elif home == "numpy":
            bits = getattr(thing, "bit_generator", None) or getattr(thing, "_bit_generator", None)
            if hasattr(bits, "state"):
                reads.append(lambda bits=bits: pickle.dumps(bits.state))  # type: ignore[misc]
    return [(read, read()) for read in reads]


def place_of_draw(things: Iterable[Any], run: Callable[[], Any]) -> str:
    """Return the place in a user's code where a run draws a random number; "" if it isn't seen."""
    states = generator_states(things)
    found: list[str] = []

    def see(frame: FrameType, event: str, _: Any) -> None:
        at = frame.f_back if event == "call" else frame
        is_asked = at and not found and is_users(at)
        if at and is_asked and any(read() != state for read, state in states):
            found.append(place_in(at, at.f_lineno))

    if sys.getprofile() is None:
        sys.setprofile(see)
        try:
            run()
        finally:
            sys.setprofile(None)
    return "".join(found)


def may_ask(things: Iterable[Any]) -> bool:
    """Return whether a function that can reach these may ask for more than random numbers."""
    for thing in things:
        if type(thing) is Value:
            continue
        if isinstance(thing, FunctionType) and not is_foreign(thing.__module__ or ""):
            names = names_of(thing.__code__)
            if not LOUD.isdisjoint(names) or any(
                name in sys.stdlib_module_names and name not in QUIET for name in names
            ):
                return True
        home = _home_of(thing)
        if is_foreign(home) and home.partition(".")[0] not in QUIET:
            return True
    return False


def _home_of(thing: Any) -> str:
    """Return the module that something is from; of an instance, its class."""
    if isinstance(thing, ModuleType):
        return thing.__name__
    is_made = isinstance(thing, FunctionType | BuiltinFunctionType | type)
    return getattr(thing if is_made else type(thing), "__module__", None) or ""


class Asked:
    """What a run has asked for.

    Attributes:
        clocks: functions of `CLOCKS`.
        refused: the place and the name of the first thing that compiled code can't ask for; None.
    """

    def __init__(self) -> None:
        self.clocks: dict[str, None] = {}
        self.refused: tuple[str, str] | None = None

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note what is called inside, unless somebody else profiles."""
        if sys.getprofile() is not None:
            yield
            return
        sys.setprofile(self._see)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _see(self, frame: FrameType, event: str, function: Any) -> None:
        if event != "c_call":
            return
        name = getattr(function, "__name__", "")
        home = getattr(function, "__module__", None)
        if home == "time" and name in CLOCKS:
            if _users(frame):
                self.clocks[name] = None
            return
        owner = type(function.__self__) if hasattr(function, "__self__") else None
        is_asked = (
            (name in CALENDAR and (home == "time" or _is_of_datetime(function)))
            or (name in ASKING and home in SYSTEM and not _is_seeding(frame))
            or (name in INTERPRETER and home in OF_INTERPRETER)
            or (name == "input" and home == "builtins")
            or name == "fromfile"
            or (name == "seed" and frame.f_code is SEED and frame.f_locals.get("a") is None)
            or (name.startswith(READING) and getattr(owner, "__module__", "") in HANDLES)
        )
        if name == "seed":
            name = "Random"  # which nothing has seeded
        if is_asked and not self.refused and (place := _users(frame)):
            self.refused = place, name


def _is_seeding(asker: FrameType) -> bool:
    """Return whether NumPy makes a generator for a seed: at first it gives it one of the system's.

    In C, so that the innermost frame of a user's is that of who calls it.
    """
    frame = innermost(asker)
    if not frame:
        return False
    at = frame.f_lasti
    made = next(i for i in instructions_of(frame.f_code) if i.offset >= at and i.arg is not None)
    call = call_of(frame.f_code, Use(TOLD, made.offset, made.offset + 1))
    return bool(call and call.path[-1:] == ("RandomState",) and made.arg)


def _is_of_datetime(function: Any) -> bool:
    own = getattr(function, "__self__", None)
    return isinstance(own, type) and own.__module__ == "datetime"


def _users(frame: FrameType | None) -> str:
    """Return the place in a user's code that something is asked at; "" if it isn't its doing."""
    while frame:
        home = frame.f_globals.get("__name__", "")
        top = home.partition(".")[0].removeprefix("_frozen_")
        if top in ASIDE or top in ("autograd", "nn"):
            return ""
        if not is_foreign(home):
            return place_in(frame, frame.f_lineno)
        frame = frame.f_back
    return ""
