"""A function's run that is to be compiled: what it records, and which numbers it reads.

What is compiled holds for all numbers, so a number must not be frozen as it was on the day of
recording. While a `FunctionTracer` is at work, the ``data`` of arguments, parameters and inner
nodes is no float but a `TracedNumber`: arithmetic on it is followed, as a part of the program that
has no gradient; whatever would make a decision or a plain float of it is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import Any

from autograd.compiler.askers import place_elsewhere, place_in, users_place
from autograd.compiler.equality import EQUAL, is_of_numbers, is_same
from autograd.compiler.forks import wait_for
from autograd.compiler.handlers import OF_FLOATS, OF_VALUES, frame_that_catches
from autograd.compiler.held import Held
from autograd.compiler.nodes import new_node
from autograd.compiler.places import held_by
from autograd.compiler.readings import TracedGrad, TracedNumber, is_for_telling, traced_number
from autograd.compiler.scans import is_loop, is_same_step, looped
from autograd.engine import Value
from autograd.errors import CompileError
from autograd.forms import describe
from autograd.lowering import value_function
from autograd.modes import OWN_CODE, changed_mode, current_mode
from autograd.operand import real
from autograd.operation import Op, plain
from autograd.place import Origin

IS_SET = (
    "the number of a recorded value{} is set: compiled code computes new values and changes none; "
    "set .data outside of what is compiled"
)

lock = RLock()
"""Held while numbers of parameters are hidden; one function is recorded at a time."""
wait_for(lock)


class FunctionTracer:
    """Records runs of a function; the numbers of what it has met stay hidden from run to run.

    Args:
        f: the function.
        leaves: Values that it may use, whose numbers are hidden from the beginning;
            those of others are from when they are first used.
        home: where the function stands, for what is refused of all of it.
        is_noting: whether to note where nodes are made, which takes its time.
        keeps_loops: whether a step of a loop is recorded once, for all of them.

    Attributes:
        loops: how many were recorded so in this run.
        has_loops: whether any was, in any run.
        mark: what leaves that are made in this run are known by.
        arguments: the leaves that stand for the function's arguments in this run.
        choices: those of them that choose a row of a table, and how many rows the shortest has.
        places: where nodes were made, if that is noted.
        elsewhere: leaves whose grad was read by other code meanwhile, such as another thread's.
        follows: leaves that stand for the number of a node, without a gradient, each with that
            node; a node is made before whatever follows it is used.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        leaves: Iterable[Value],
        home: str = "",
        *,
        is_noting: bool = False,
        keeps_loops: bool,
    ) -> None:
        self._f = f
        self.home = home
        self.keeps_loops = keeps_loops
        self.has_loops = False
        self._is_noting = is_noting
        self._met: dict[Value, float] = {}
        self._grads: dict[Value, float] = {}
        self._hidden: dict[Value, TracedNumber] = {}
        self.elsewhere: set[Value] = set()
        self._first = dict.fromkeys(leaves)
        self._runs = 0
        self._thread = 0
        self.places: dict[Value, str] = {}
        self._begin()

    def _begin(self) -> None:
        self.mark = object()
        self.loops = 0
        self.arguments: frozenset[Value] = frozenset()
        self.choices: dict[Value, int] = {}
        self._refusals: list[CompileError] = []
        self.follows: dict[Value, Value] = {}
        self._made: dict[Value, TracedNumber] = {}
        self._constants: dict[Value, Any] = {}
        self._leaves: dict[Value, Value] = {}
        # What has been met or made: of it, nothing need be asked again.
        self._known = set(self._met)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hide the numbers of what a function may use; everything has its own again afterwards."""
        with lock:
            try:
                with changed_mode(tracing=self):  # for `debug`, what is hidden is not set
                    for leaf in self._first:
                        self._hide(leaf)
                self._known.update(self._met)
                yield
            finally:
                with changed_mode(tracing=self):
                    for leaf, number in self._met.items():
                        leaf.data = number
                for leaf, grad in self._grads.items():
                    if _is_hidden(leaf) or leaf not in self.elsewhere:
                        leaf.grad = grad

    @contextmanager
    def run(self) -> Iterator[None]:
        """Record what is computed inside.

        Raises:
            CompileError: the number of a recorded value was set, or what was refused was caught.
        """
        self._begin()
        self._runs += 1
        changed: list[Value] = []
        with changed_mode(tracing=self, checked=False, grad=True, debug=None):
            try:
                if self._runs > 1:
                    for leaf in self._hidden:
                        self._hide(leaf)
                self._thread = get_ident()
                yield
            finally:
                self._thread = 0
                for known in (self._made, self._constants, self._hidden):
                    changed += [
                        node
                        for node, data in known.items()
                        if node.data is not data and not is_same(node.data, data)
                    ]
                for node, reading in self._made.items():
                    node.data = reading.number
                for leaf in self._constants:
                    leaf.data = _float(leaf.data)
        if changed:
            raise CompileError(f"{self.home}{IS_SET.format(describe(changed[0]))}")
        for leaf in self._grads.keys() - self.elsewhere:
            if not _is_hidden(leaf):
                raise CompileError(
                    f"{self.home}the grad of a recorded value{describe(leaf)} is set: compiled "
                    "code leaves it alone; set it, as zero_grad() does, outside of what is compiled"
                )
        if self._refusals:  # which the function caught: it went another way then
            raise self._refusals[0]

    def refused(self, message: str, place: str = "") -> CompileError:
        """Return the error to raise; whoever catches it, the run fails with it in the end."""
        self._refusals.append(CompileError(f"{place or users_place()}: {message}"))
        return self._refusals[-1]

    def ask_elsewhere(self, node: Value) -> None:
        """Let the run fail in the end, if another thread asks for a number on its behalf."""
        if self._thread and (place := place_elsewhere(self._f, self._thread)):
            self.refused(
                f"a number that is read of a recorded value{describe(node)} is used in another "
                "thread: what is compiled is recorded in the thread that runs the function; "
                "compute it there, without threads",
                place,
            )

    def _is_own(self, data: Any) -> bool:
        return type(data) is TracedNumber and data.tracer is self

    def number(self, x: Any) -> Any:
        """Return what a new leaf is given as its number."""
        return x if self._is_own(x) else real(x)

    def meet(self, node: Value) -> None:
        """See to it that the number of a node is known or followed."""
        data: Any = node.data
        self._known.add(node)
        if node._mark is self.mark:  # a leaf made in this run
            known = self._constants.setdefault(node, data)
            if known is data and self._is_own(data):
                self.follows.setdefault(node, data.node)
        elif not self._is_own(data) and node not in self._met and node not in self._made:
            self._hide(node)

    def meet_equal(self, node: Value, other: Any) -> None:
        """Raise if plain numbers could be equal where Values are not.

        Raises:
            CompileError: it is no question of identity.
        """
        if sys._getframe(2).f_globals.get("__name__", "").partition(".")[0] in OWN_CODE:
            return  # a short cut of a loss of ours, of the same numbers
        if is_of_numbers(node, other, self.arguments):
            raise self.refused(EQUAL.format(describe(node)))

    def is_told(self, node: Value, asked: str) -> bool:
        """Return whether what is asked of a node just now is only for what is printed."""
        is_told = is_for_telling(asked)
        if is_told:
            self.meet(node)
        return is_told

    def _hide(self, node: Value) -> None:
        number = float(_float(self._met.setdefault(node, node.data)))
        if self._runs > 1:  # others, so that a constant which came out of one shows
            number = 1.5 * number + 1.25
        self._hidden[node] = reading = traced_number(node, number, self)
        node.data = reading  # type: ignore[assignment]
        if type(node.grad) is float or node in self._grads:
            grad = self._grads.setdefault(node, node.grad)
            other = 1.5 * grad + 1.25 if self._runs > 1 else grad
            node.grad = TracedGrad(node, other, self)  # type: ignore[assignment]

    def record(self, op: Op, args: tuple[Any, ...]) -> Value:
        """Return the node of ``op`` applied to ``args``, or a leaf that follows it."""
        mode = current_mode()
        floats: list[float] = []
        for arg in args:
            if arg.__class__ is not float:
                data: Any = arg.data if arg.__class__ is Value else None
                # A node of this run or a hidden leaf, as it was made, is met.
                if type(data) is TracedNumber and data.node is arg and data.tracer is self:
                    floats.append(data.number)
                    continue
                args = tuple([self.operand(arg) for arg in args])
                floats = self._floats(args)
                break
            floats.append(arg)
        if op.domain:
            self._refuse_if_caught(op, args, OF_VALUES)
        node = self._node(op, args, floats, mode.origin)
        return node if mode.grad else self.leaf(node)

    def _refuse_if_caught(
        self, op: Op, args: tuple[Any, ...], errors: Sequence[type[Exception]]
    ) -> None:
        """Raise where a function waits for an error that an op raises outside of its domain."""
        if frame := frame_that_catches(op, args, errors, "autograd.compiler.recording"):
            raise self.refused(
                f"{op.name} stands in a try that catches what it raises outside of its domain: "
                "what is compiled computes NaN or infinities there and raises nothing; write "
                "where(c, a, b) in place of the try",
                place_in(frame, frame.f_lineno),
            )

    def noting(self) -> FunctionTracer:
        """Return another one for the same function, which notes where nodes are made."""
        return FunctionTracer(self._f, self._first, is_noting=True, keeps_loops=self.keeps_loops)

    def made(self) -> frozenset[Value]:
        """Return the inner nodes that this run has made."""
        return frozenset(self._made)

    def follow(self, op: Op, args: tuple[Any, ...]) -> TracedNumber:
        """Return ``op`` applied to readings and plain numbers, which is a reading again."""
        nodes = tuple([self._read(x) if type(x) is TracedNumber else real(plain(x)) for x in args])
        if op.domain:
            self._refuse_if_caught(op, nodes, OF_FLOATS)
        return self._made[self._node(op, nodes, self._floats(nodes), None)]

    def chooses(self, index: Value, rows: int) -> bool:
        """Return whether a leaf is an argument, which will choose one of some rows.

        Raises:
            CompileError: it is another leaf whose number may change.
        """
        if index in self.arguments and rows:
            self.choices[index] = min(rows, self.choices.get(index, rows))
            return True
        if index not in self._known:
            self.meet(index)
        if rows and self._is_own(index.data):
            raise self.refused(
                f"take is told which row to take by a value{describe(index)} that is no argument: "
                "pass the index as an argument of its own"
            )
        return False

    def loop(
        self,
        f: Callable[..., Any],
        step: Callable[..., Any],
        carry: Sequence[Any],
        rows: Sequence[Any],
    ) -> Any:
        """Return what a loop gives, its step recorded once; None if it is to be written out.

        In the second run it is recorded twice: what a step leaves behind for the next, or for what
        comes after the loop, shows as a difference of the two, or of the runs.

        Args:
            f: a step, as the user wrote it.
            step, carry, rows: as of `looped`.
        """
        if not self.keeps_loops or not is_loop(carry, rows):
            return None
        self.loops += 1
        self.has_loops = True
        if self._runs < 2:
            return looped(self, self.loops, step, carry, rows)

        def again(*given: list[Any]) -> Any:
            number = self.loops
            first = self._nodes(step(*given))
            follows = self.follows.copy()
            with changed_mode(tracing=None):
                held = held_by(f)
            self.loops = number
            second = self._nodes(step(*given))
            with changed_mode(tracing=None):
                is_as_before = all(map(Held.is_there, held))
            if not is_as_before or not is_same_step(first, second, self.follows):
                raise self.refused("a step leaves something behind for the next")
            self.follows = follows
            return first

        return looped(self, self.loops, again, carry, rows)

    def _nodes(self, parts: Sequence[Sequence[Any]]) -> list[list[Any]]:
        return [[self.operand(x) for x in part] for part in parts]

    def refuse_loops(self) -> None:
        """Raise if this run has loops: the numbers in them are not known."""
        if self.loops:
            raise self.refused("a number of a loop is asked for")

    def leaf(self, node: Value) -> Value:
        """Return the leaf that follows a node."""
        leaf = self._leaves.get(node)
        if leaf is None:
            leaf = self._leaves[node] = new_node(node.data, None, (), node.origin)
            leaf._mark = self.mark
            self._constants[leaf] = leaf.data
            self.follows[leaf] = node
        return leaf

    def operand(self, arg: Any) -> Any:
        """Return what a function computed, used or returned, as a node or a float."""
        if arg.__class__ is Value:
            if arg not in self._known:
                self.meet(arg)
            return arg
        return self.leaf(self._read(arg)) if self._is_own(arg) else real(plain(arg))

    def _read(self, reading: TracedNumber) -> Value:
        """Return the node that this is the number of.

        Raises:
            CompileError: it was read in another run; eager, it would be what it was then.
        """
        if reading.node.data is not reading:  # type: ignore[comparison-overlap]
            raise self.refused(
                f"a number that was read of a recorded value{describe(reading.node)} is kept from "
                "one run for the next: what is compiled holds for all numbers; read it anew, or "
                "pass it as an argument and return what it becomes"
            )
        return reading.node

    def _is_set(self, node: Value) -> bool:
        """Return whether the number of a node is another than when it was made or met."""
        for known in (self._made, self._hidden, self._constants):
            if node in known:
                return not is_same(node.data, known[node])
        return False

    def _floats(self, args: tuple[Any, ...]) -> list[float]:
        """Return the numbers of nodes and floats.

        Raises:
            CompileError: that of a node was set.
        """
        floats: list[Any] = []
        for arg in args:
            data: Any = arg if type(arg) is float else arg.data
            is_reading = type(data) is TracedNumber
            is_own = data.node is arg if is_reading else data is arg
            if not is_own and self._is_set(arg):
                raise self.refused(IS_SET.format(describe(arg)))
            floats.append(data.number if is_reading else data)
        return floats

    def _node(
        self, op: Op, args: tuple[Any, ...], floats: list[float], origin: Origin | None
    ) -> Value:
        data = value_function(op, len(args))(*floats)
        node = new_node(data, op, args, origin)
        if self._is_noting:
            self.places[node] = users_place()
        self._made[node] = reading = traced_number(node, data, self)
        node.data = reading  # type: ignore[assignment]
        return node


def _is_hidden(leaf: Any) -> bool:
    """Return whether the grad of a leaf has not been set since it was hidden."""
    return type(leaf.grad) is TracedGrad


def _float(data: Any) -> float:
    return data.number if type(data) is TracedNumber else data
