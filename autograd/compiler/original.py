"""`Original`: the function that was compiled, and whether it is still the one that it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiler.askers import home_of
from autograd.compiler.held import Held
from autograd.compiler.places import held_by
from autograd.compiler.recall import Recalled
from autograd.compiler.recording import record
from autograd.compiler.repetition import Shape
from autograd.compiler.undoing import as_it_was
from autograd.compiler.unrolling import unrolled
from autograd.compiler.watch import Watch
from autograd.engine import Value
from autograd.errors import CompileError


class Original:
    """A function as it was compiled.

    Args:
        f: the function; None where it can't be recorded again.
        known: what it does.
        leaves: the parameters that come first.
        held: what it held before it was recorded.
        is_unchanged: whether it is known to hold that still.
        keeps_loops: whether loops are kept in what is compared.
        is_fast: whether machine code may look at what it holds.

    Attributes:
        kin: the same compiled for lists of other lengths, forgotten where it has changed.
        watch: looks at what it holds.
    """

    def __init__(
        self,
        f: Callable[..., Any] | None,
        known: Recalled,
        leaves: Sequence[Value],
        held: Sequence[Held],
        *,
        is_unchanged: bool,
        keeps_loops: bool,
        is_fast: bool,
    ) -> None:
        self.f = f
        self.kin: dict[tuple[Shape, ...], Any] = {}
        self._known, self._leaves, self._keeps_loops = known, leaves, keeps_loops
        self._is_fast = is_fast
        since = held_by(f) if f and held and not is_unchanged else ()
        self.watch = Watch(held, since, known.passing, is_fast=is_fast)

    def look(self, *, now: bool = False) -> None:
        """Look at what the function holds; see `Compiled.look`."""
        while held := self.watch.replaced(now=now):
            self.refuse_replaced(held)

    def refuse_replaced(self, held: Held) -> None:
        """Raise if the function is another one with what it holds now, and leave it as it is.

        Raises:
            CompileError: it is.
        """
        known, f = self._known, self.f
        change = (
            f"{home_of(f)}{known.name} was compiled when {self.watch.was(held)}, and it is "
            "another now: pass what changes as an argument, or make a Value of it, whose number "
            "is read; or compile it again"
        )
        if not f:
            raise CompileError(change)
        example = [[0.0] * shape[0] if shape else 0.0 for shape in known.shapes]
        before, undo = held_by(f), as_it_was(f)
        try:
            try:  # What it doesn't go by may change from now on.
                now = record(f, example, self._leaves, self.watch.changed())
            except Exception:
                now = record(f, example, self._leaves)
            now = now if self._keeps_loops else unrolled(now)
        except Exception as error:
            undo()
            raise CompileError(f"{change} ({error})") from error
        if not known.is_like(now):
            undo()
            raise CompileError(change)
        known.rename(now)
        self.watch = Watch(before, held_by(f), now.passing, is_fast=self._is_fast)
        self.kin.clear()
