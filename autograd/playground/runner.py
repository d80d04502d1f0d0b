"""A program run in the playground, and what it ends with, shown.

Everything here is plain Python: what surrounds it, a page or a test, is a `Host`.
"""

from __future__ import annotations

import ast
import builtins
import codeop
import io
import linecache
import sys
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, Protocol

from autograd import MissingExtraError, Stepper, Value, debug
from autograd.command.script import label_by_names, refresh
from autograd.graph import topological_order
from autograd.page import build
from autograd.playground.vector import svg_of

PROGRAM = "program.py"
"""What the program is called, in tracebacks and in the debugger."""

MOST_NODES = 20_000
"""Nodes up to which the debugger opens by itself: a second, and a page of a quarter megabyte."""


class Host(Protocol):
    """Where output goes, and what lays out pictures; see `autograd.playground.vector.Arrange`."""

    def write(self, kind: str, text: str) -> None: ...
    def picture(self, svg: str, description: str) -> None: ...
    def page(self, html: str, name: str) -> None: ...
    def fail(self, text: str, line: int | None) -> None: ...
    def arrange(self, graph: str) -> str: ...


class Stream(io.TextIOBase):
    """A text stream that passes lines on to a host.

    Args:
        host: who gets them.
        kind: "out" or "err".
    """

    def __init__(self, host: Host, kind: str) -> None:
        self.host = host
        self.kind = kind
        self.waiting: list[str] = []

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.waiting.append(text)
        if "\n" in text:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self.waiting:
            self.host.write(self.kind, "".join(self.waiting))
            self.waiting.clear()


class Attempt:
    """One run of a program, with its names.

    Args:
        source: its text.
        host: who shows what comes of it.
    """

    def __init__(self, source: str, host: Host) -> None:
        self.source = source
        self.host = host
        self.module = ModuleType("__main__")
        self.last: object = None

    def run(self) -> None:
        """Run it under `debug`, show what it ends with, or where it failed."""
        path = Path(PROGRAM)
        path.write_text(self.source, encoding="utf-8", errors="replace")
        linecache.checkcache(PROGRAM)
        self.module.__file__ = PROGRAM
        out, err = Stream(self.host, "out"), Stream(self.host, "err")
        outer = sys.modules["__main__"], builtins.input
        sys.modules["__main__"], builtins.input = self.module, _nobody_answers
        try:
            with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
                warnings.simplefilter("default")
                warnings.showwarning = _show_warning
                try:
                    self._execute()
                    self._show_end()
                except SystemExit as end:
                    if end.code not in (None, 0):
                        print(f"The program ended with exit code {end.code}.", file=sys.stderr)
                finally:
                    out.flush()
                    err.flush()
        except BaseException as error:
            self.host.fail(*explained(error))
        finally:
            sys.modules["__main__"], builtins.input = outer

    def _execute(self) -> None:
        """Run the statements one by one, keep the last expression's value, show drawings."""
        tree = ast.parse(self.source, PROGRAM)
        compiled = codeop.Compile()  # it remembers `from __future__ import ...`
        names = self.module.__dict__
        with debug():
            for i, statement in enumerate(tree.body):
                is_last = i == len(tree.body) - 1
                if not isinstance(statement, ast.Expr):
                    one: Any = ast.Module([statement], [])
                    exec(compiled(one, PROGRAM, "exec"), names)
                    continue
                one = ast.Expression(statement.value)
                value = eval(compiled(one, PROGRAM, "eval"), names)
                if hasattr(value, "picture"):
                    self.host.picture(svg_of(value.picture, self.host.arrange), "The graph")
                elif is_last:
                    self.last = value

    def _show_end(self) -> None:
        """Show the last expression, and the debugger of the Value that the program ends with."""
        if self.last is not None and not isinstance(self.last, Stepper):
            print(repr(self.last))
        found = self._end()
        if isinstance(found, Value):
            count = len(topological_order(found))
            if count > MOST_NODES:
                print(
                    f"The debugger opens by itself up to {MOST_NODES:,} nodes; this graph has "
                    f"{count:,}. End the program with Stepper(...) to see it all the same.",
                    file=sys.stderr,
                )
                return
            refresh(found)
            label_by_names(found, self.module.__dict__)
            found = Stepper(found)
        if found is not None:
            root = found.recording.root
            self.host.page(build(found.recording, found.position), found.name(root))

    def _end(self) -> Value | Stepper | None:
        """Return the last expression if it is a node or a Stepper; else the last one named.

        That is the one whose name stands last in the program, outside functions and classes,
        among those that were computed from others.
        """
        if isinstance(self.last, Value | Stepper):
            return self.last
        for statement in reversed(ast.parse(self.source).body):
            if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                continue
            said = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
            for name in sorted(said, key=lambda node: (node.lineno, node.col_offset))[::-1]:
                found = self.module.__dict__.get(name.id)
                if isinstance(found, Stepper) or (isinstance(found, Value) and found.op):
                    return found
        return None


def run(source: str, host: Host) -> None:
    """Run a program; see `Attempt`."""
    Attempt(source, host).run()


def explained(error: BaseException) -> tuple[str, int | None]:
    """Return a traceback with the program's own frames only, and the line that failed."""
    report = traceback.TracebackException.from_exception(error)
    line = error.lineno if isinstance(error, SyntaxError) else None
    seen: traceback.TracebackException | None = report
    while seen is not None:
        own = [frame for frame in seen.stack if frame.filename == PROGRAM]
        if seen is report and line is None and own:
            line = own[-1].lineno
        seen.stack[:] = own
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    text = "".join(report.format())
    return text + _advice(error), line


def _advice(error: BaseException) -> str:
    """Return what to do about a library that the playground doesn't have; "" for other errors."""
    if isinstance(error, MissingExtraError):
        library = "That library"
    elif isinstance(error, ModuleNotFoundError) and error.name:
        library = error.name.partition(".")[0]
        if library in ("autograd", "nn"):
            return ""
    else:
        return ""
    return (
        f"{library} is not in the playground, which has autograd, nn and Python's standard "
        "library. Install Chainrule on your machine to use it: pip install 'chainrule[all]'\n"
    )


def _nobody_answers(prompt: object = "") -> NoReturn:
    raise RuntimeError(
        "nobody can answer input() in the playground: write the answer into the program, as in "
        "answer = '3.0'"
    )


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    """Show a warning with the line of the program, not with a path of the library."""
    at = f"line {lineno}: " if filename == PROGRAM else ""
    print(f"{at}{category.__name__}: {message}", file=sys.stderr)
