"""A user's Python file, run under `debug` so that every node knows the line that made it."""

from __future__ import annotations

import linecache
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from operator import itemgetter
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NamedTuple

from autograd.debugging import debug
from autograd.engine import Value
from autograd.errors import ChainruleError, ScriptError
from autograd.files import read_regular
from autograd.forms import floats_of
from autograd.graph import topological_order
from autograd.lowering import value_function

USUAL = ("loss", "cost", "error", "out", "output")
"""The names preferred, in this order, where a file has several results."""

MOST_NESTED = 4
"""How many brackets a name has: those of more are longer than what they tell."""

MAX_NAMES = 8
"""How many names a message lists before it counts the rest."""

PATH = re.compile(
    r"""[^\W0-9]\w* (?: \.[^\W0-9]\w* | \[-?[0-9]{1,9}\] | \[(["'])[^"'\\]*\1\] )*""", re.VERBOSE
)
PART = re.compile(
    r"""\.?(?P<attribute>\w+) | \[(?P<index>-?[0-9]+)\] | \[["'](?P<key>[^"']*)["']\]""", re.VERBOSE
)


class Root(NamedTuple):
    """The node to step from.

    Attributes:
        name: as the file calls it.
        value: the node.
        choice: why this one, if nobody named it.
        stale: whether its leaves had changed since, so that it was computed again.
    """

    name: str
    value: Value
    choice: str
    stale: bool


class Script:
    """The outcome of running a file as Python would, as ``__main__`` and under `debug`.

    What it prints goes to standard error: standard output is for the run of its gradients.

    Args:
        path: the file.
        arguments: what it finds in ``sys.argv[1:]``.

    Attributes:
        names: its globals.

    Raises:
        ScriptError: the file can't be read, or fails. Its traceback, shortened to the frames
            outside this package, has gone to standard error.
    """

    def __init__(self, path: str, arguments: Sequence[str] = ()) -> None:
        self.path = path
        try:
            source = read_regular(path)
        except OSError as error:
            raise ScriptError(f"{path} can't be read: {error.strerror}; check the path") from None
        linecache.checkcache(path)
        linecache.getlines(path)  # while the path is good: the file may change the directory
        # A module of its own in sys.modules: pickles and dataclasses look themselves up there.
        module = ModuleType("__main__")
        module.__file__ = path
        self.names: dict[str, Any] = module.__dict__
        outer = sys.argv, sys.path, sys.modules["__main__"]
        sys.argv = [path, *arguments]
        sys.path = [str(Path(path).resolve().parent), *sys.path]
        sys.modules["__main__"] = module
        try:
            with debug(), redirect_stdout(sys.stderr):
                exec(compile(source, path, "exec", dont_inherit=True), self.names)
        except SystemExit as end:
            if end.code not in (None, 0):
                raise ScriptError(f"{path} ended with exit code {end.code!s:.60}: mend it") from end
        except Exception as error:
            raise self._failure(error) from None
        finally:
            sys.argv, sys.path, sys.modules["__main__"] = outer

    @contextmanager
    def running(self, called: str) -> Iterator[None]:
        """Call inside what the file calls so; what it prints goes to standard error too.

        Raises:
            ScriptError: it fails, as when the file is run; or what it is or returns is of no use.
        """
        try:
            with redirect_stdout(sys.stderr):
                yield
        except ChainruleError:
            raise
        except SystemExit as end:
            raise ScriptError(f"{self.path}: {called} ended the program") from end
        except Exception as error:
            frames = traceback.walk_tb(error.__traceback__)
            if any(frame.f_code.co_filename == self.path for frame, _ in frames):
                raise self._failure(error) from None
            raise ScriptError(
                f"{self.path}: {called} can't be used: {type(error).__name__}: {error}"
            ) from error

    def root(self, name: str = "") -> Root:
        """Return the node called ``name``; without a name, the file's one result.

        The result is the Value that no other global Value depends on. Its nodes without a
        label get the names of the globals that hold them.

        Raises:
            ScriptError: there is no such name or no result, or there are several.
        """
        if name:
            found, choice = self.find(name), ""
        else:
            name, found, choice = self._choose()
        if found.op is None:
            computed = [other for other, value in self._values() if value.op is not None]
            raise ScriptError(
                f"{name} is a leaf, so there is nothing to step through; name what is computed "
                f"from it, as in {self.path}:{computed[0] if computed else 'loss'}"
            )
        stale = refresh(found)
        label_by_names(found, self.names)
        return Root(name, found, choice, stale)

    def find(self, path: str) -> Value:
        """Return the Value at a path such as ``losses[3]`` or ``model.layers[0].w``.

        Raises:
            ScriptError: there is none.
        """
        if not PATH.fullmatch(path):
            raise ScriptError(
                f"{path!r:.60} is not the name of a Value; write, say, loss, losses[3] or model.b"
            )
        so_far, found = "", None
        for part in PART.finditer(path):
            try:
                found = self._part(part, found, so_far)
            except ChainruleError:
                raise
            except Exception as error:  # a property may raise anything
                missing = isinstance(error, AttributeError | LookupError | TypeError)
                problem = error if missing else f"{type(error).__name__}: {error}"
                raise ScriptError(f"{so_far or self.path} has no {part[0]}: {problem}") from None
            so_far += part[0]
        if not isinstance(found, Value):
            kind = type(found).__name__
            inside = f", as in {path}[0]" if isinstance(found, list | tuple) and found else ""
            raise ScriptError(f"{path} is a {kind}, not a Value; name a Value{inside}")
        return found

    def _part(self, part: re.Match[str], found: Any, so_far: str) -> Any:
        if part["index"]:
            return found[int(part["index"])]
        if part["key"] is not None:
            return found[part["key"]]
        name = part["attribute"]
        if so_far:
            return getattr(found, name)
        if name not in self.names:
            known = [other for other in self.names if not other.startswith("_")]
            close = get_close_matches(name, known, n=1)
            values = [other for other, value in self._values() if value.op is not None]
            hint = f"did you mean {close[0]}?" if close else _holding(values)
            raise ScriptError(f"{self.path} has no {name}; {hint}")
        return self.names[name]

    def _choose(self) -> tuple[str, Value, str]:
        """Return name and node of the one result, and why it is that."""
        computed = {name: value for name, value in self._values() if value.op is not None}
        if not computed:
            raise ScriptError(
                f"{self.path} holds no Value that was computed from others: keep the result in "
                "a global variable, as in loss = ..."
            )
        below = _below(computed.values())
        results: dict[Value, str] = {}
        for name, value in computed.items():
            if value not in below and (value not in results or name in USUAL):
                results[value] = name
        if len(results) == 1:
            value, name = next(iter(results.items()))
            return name, value, "the only result that nothing else is computed from"
        names = {name: value for value, name in results.items()}
        for name in USUAL:
            if name in names:
                others = [other for other in names if other != name]
                return name, names[name], f"chosen for its name; also there: {_listed(others)}"
        raise ScriptError(
            f"{self.path} holds several results, {_listed(list(names))}: say which, as in "
            f"{self.path}:{next(iter(names))}"
        )

    def _values(self) -> Iterator[tuple[str, Value]]:
        return _values(self.names)

    def _failure(self, error: Exception) -> ScriptError:
        report = traceback.TracebackException(
            type(error), error, _own_frames(error.__traceback__, self.path)
        )
        sys.stderr.write("".join(report.format(chain=False)))
        lines = [frame.lineno for frame in report.stack if frame.filename == self.path]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        at = f" at line {line}" if line else ""
        return ScriptError(
            f"{self.path} failed{at} ({type(error).__name__}, above): mend it and try again"
        )


def _values(names: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    for name, value in names.items():
        if isinstance(value, Value) and not name.startswith("_"):
            yield name, value


def label_by_names(root: Value, names: Mapping[str, Any]) -> None:
    """Give the nodes below ``root`` that have no label the names of the globals."""
    nodes = set(topological_order(root))
    taken = {node.label for node in nodes}
    public = {name: value for name, value in names.items() if not name.startswith("_")}
    for _, name, node in sorted(_held(public), key=itemgetter(0)):  # that of fewest brackets
        if node in nodes and not node.label and name not in taken:
            node.label = name


def _held(
    container: Mapping[Any, Any] | Sequence[Any], path: str = "", depth: int = 0
) -> Iterator[tuple[int, str, Value]]:
    """Yield the Values in nested containers: how deep, what the file would write, and which."""
    pairs = container.items() if isinstance(container, Mapping) else enumerate(container)
    for key, value in pairs:
        is_deep = isinstance(value, dict | list | tuple) and depth < MOST_NESTED
        if (is_deep or isinstance(value, Value)) and isinstance(key, str | int):
            name = f"{path}[{key!r}]" if depth else str(key)
            if isinstance(value, Value):
                yield depth, name, value
            else:
                yield from _held(value, name, depth + 1)


def _below(values: Iterable[Value]) -> set[Value]:
    """Return the nodes that one of ``values`` was computed from. Cost: linear."""
    found: set[Value] = set()
    stack = [arg for value in values for arg in value._prev]
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack.extend(node._prev)
    return found


def refresh(root: Value) -> bool:
    """Return whether nodes no longer followed from their arguments, having set them right.

    After a training loop they don't: the last step of the optimizer came after the last loss.
    """
    changed = False
    for node in topological_order(root):
        if node.op is not None and not node.op.by_hand:
            floats = floats_of(node.args)
            again = value_function(node.op, len(floats))(*floats)
            if repr(again) != repr(node.data):
                node.data = again
                changed = True
    return changed


def _own_frames(frames: TracebackType | None, path: str) -> TracebackType | None:
    """Return the traceback without the frames before the file's first, and those in here."""
    kept: list[TracebackType] = []
    while frames is not None:
        frame = frames.tb_frame
        ours = str(frame.f_globals.get("__name__", "")).split(".")[0] in ("autograd", "nn")
        if frame.f_code.co_filename == path or (kept and not ours):
            kept.append(frames)
        frames = frames.tb_next
    shortened = None
    for entry in reversed(kept):
        shortened = TracebackType(shortened, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return shortened


def _holding(names: list[str]) -> str:
    return f"it holds {_listed(names)}" if names else "it holds no Value that was computed"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more
