"""A function as a graph: recorded once, it must hold for all numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain, islice
from math import copysign
from traceback import walk_tb
from typing import Any, NamedTuple, TypeGuard

from autograd.compiler.askers import home_of, is_users, place_in
from autograd.compiler.examples import example_of, returned, without_neutral
from autograd.compiler.held import Held
from autograd.compiler.leftovers import Leftovers, told_of
from autograd.compiler.outside import Asked, generator_states, may_ask, place_of_draw
from autograd.compiler.places import held_by
from autograd.compiler.reach import reached, values_within
from autograd.compiler.readings import TracedNumber
from autograd.compiler.rehearsal import Rehearsal, is_as_recorded
from autograd.compiler.repetition import FunctionRun, Shape, differing
from autograd.compiler.scans import Nesting
from autograd.compiler.standins import Inspection
from autograd.compiler.tracing import FunctionTracer
from autograd.compiler.unwrapped import ADVICE, refuse_if_otherwise, takes_numbers
from autograd.engine import Value
from autograd.errors import ChainruleError, CompileError
from autograd.forms import describe
from autograd.graph import topological_order
from autograd.modes import changed_mode


class FunctionGraph(NamedTuple):
    """What a function did with one sample.

    Attributes:
        name: the function's, for messages.
        shapes: of the arguments.
        inputs: the leaves that stood for them, flattened in order.
        outputs: what it returned, flattened in order: nodes and plain floats.
        results: the shapes of what it returned: one, or those of a tuple.
        several: whether it returned a tuple.
        follows: leaves that stand for a node's number, without its gradient, and these nodes.
        parameters: the other leaves that the outputs depend on.
        nodes: what the outputs depend on, in topological order.
        choices: by their places in ``inputs``, those that choose a row of a table, and of how many.
        passing: places of what the function holds where each run leaves something else.
    """

    name: str
    shapes: tuple[Shape, ...]
    inputs: list[Value]
    outputs: list[Value | float]
    results: tuple[Shape, ...]
    several: bool
    follows: dict[Value, Value]
    parameters: list[Value]
    nodes: list[Value]
    choices: dict[int, int]
    passing: frozenset[tuple[int, str]] = frozenset()


class OtherwiseWithFloats(CompileError):
    """The function does something else where the numbers it reads are floats."""


def record(
    f: Callable[..., Any],
    example: Sequence[Any],
    wrt: Iterable[Value],
    changed: Sequence[Held] = (),
    tells_all: Callable[[], bool] | None = None,
) -> FunctionGraph:
    """Return what ``f`` does, from three runs that must not differ.

    One will do where no other can differ: where all that ``f`` goes by can be told, is the same
    after the run, and no number is among it.

    A loop stays one where nothing asks for its numbers, its nodes or its rules; else, ``f`` is
    recorded anew with all of them written out, and it is that recording which may be refused.

    Args:
        example: one sample: numbers and flat lists; only their lengths matter.
        wrt: parameters that come first, in this order.
        changed: places, as they were, where there is something else by now that ``f`` must not go
            by, no more than by what it leaves behind itself.
        tells_all: asked after the first run, says whether that is so.

    Raises:
        CompileError: ``f`` tests a recorded number, or does something else each time.
        TypeError: the example or what ``f`` returns is neither a number nor a list of them.
    """
    leaves, home = [*wrt, *values_within(f)], home_of(f)
    tracer = FunctionTracer(f, leaves, home, keeps_loops=True)
    try:
        return _recorded(f, example, wrt, tracer, changed, tells_all)
    except OtherwiseWithFloats:
        # With a plain 0 or 1, the engine makes fewer nodes of the same.
        others = [without_neutral(arg) for arg in example]
        if others == [*example]:
            raise
        return record(f, others, wrt, changed, tells_all)
    except Exception:
        if not tracer.has_loops:
            raise
    tracer = FunctionTracer(f, leaves, home, keeps_loops=False)
    return _recorded(f, example, wrt, tracer, changed, tells_all)


def _recorded(
    f: Callable[..., Any],
    example: Sequence[Any],
    wrt: Iterable[Value],
    tracer: FunctionTracer,
    changed: Sequence[Held],
    tells_all: Callable[[], bool] | None,
) -> FunctionGraph:
    home = tracer.home
    name, shapes, numbers = example_of(f, example)
    # Other numbers, so that a constant which came out of one shows as well.
    source = random.Random(0)
    others = [[-copysign(source.gauss(0, 2), x) for x in xs] for xs in numbers]
    repeated = partial(_repeated, f, name, shapes, (numbers, others), wrt, tells_all)
    try:
        first, nodes, parameters, found, draws, things = repeated(tracer)
    except ChainruleError:
        raise
    except Exception as error:
        is_told = TracedNumber.__name__ in str(error)
        if is_told or _does_with_floats(f, name, shapes, numbers, tracer):
            raise _of_a_reading(name, error) from error
        if not takes_numbers(f, name, shapes, numbers):
            raise
        text = f"{type(error).__name__}: {error}"
        raise CompileError(f"{_last_place(error)}: {name} fails: {text}: {ADVICE}") from error
    if draws:
        draw = partial(_does_with_floats, f, name, shapes, numbers, tracer)
        at = place_of_draw(things, draw)
        raise CompileError(
            f"{f'{at}: ' if at else home}{name} draws random numbers, which are others in each "
            "run: what is compiled is recorded once; draw them outside and pass them as an "
            "argument, or seed the generator in the function"
        )
    if found and found[0] in first.made:
        raise CompileError(
            f"{home}{name} keeps a value{describe(found[0])} that it has computed in one run for "
            "the next: what is compiled computes all in each call; keep none that is computed, in "
            "a cache or an attribute, but compute it where it is used"
        )
    if found:
        noting = tracer.noting()
        changing = [*repeated(noting).differing, None][0]
        place = noting.places.get(changing) if changing else None
        held = held_by(f, things, is_users=True)
        asked = Asked()
        with asked.noted():
            _does_with_floats(f, name, shapes, numbers, tracer)
        if asked.refused or asked.clocks:
            raise _of_the_world(name, place or home.removesuffix(": "), asked)
        if left := Leftovers(f, held, ()).named:
            does = "does something else each time it is run, and finds"
            raise CompileError(f"{f'{place}: ' if place else home}{told_of(name, left[0], does)}")
        raise CompileError(
            f"{f'{place}: ' if place else home}{name} does something else each time it is run: it "
            "makes text of a number, or goes by the order of a set; pass what changes as an "
            "argument, and a list for a set"
        )
    before = next((node for node in nodes if node.op and node not in first.made), None)
    if before is not None:
        if {*topological_order(before)} & {*first.inputs}:
            raise CompileError(
                f"{home}{name} computes in another thread{describe(before)}: what is compiled is "
                "recorded in the thread that runs the function; compute it there, without threads"
            )
        raise CompileError(
            f"{home}{name} uses a value that was computed before{describe(before)}: its number is "
            "of then, and what is compiled would compute it anew; compute it inside of the "
            "function, or make a leaf of it, Value(v.data)"
        )
    passing: frozenset[tuple[int, str]] = frozenset()
    if things:
        passing = _rehearsed(f, name, shapes, numbers, first, parameters, tracer, things, changed)
        refuse_if_otherwise(f, name, shapes, numbers, home, things)
    if tracer.has_loops and any(map(Nesting(nodes, first.follows).is_inside, first.outputs)):
        raise CompileError(f"{home}{name} uses what is inside of a loop outside of it")
    places = {leaf: i for i, leaf in enumerate(first.inputs)}
    choices = {places[leaf]: rows for leaf, rows in first.choices.items()}
    return FunctionGraph(name, shapes, *first[:5], parameters, nodes, choices, passing)


class _Repetition(NamedTuple):
    """A function recorded twice, or once where that tells all.

    Attributes:
        nodes, parameters: as `FunctionGraph`.
        differing: as `autograd.compiler.repetition.differing` yields it.
        draws: whether the second run drew random numbers.
        things: what ``f`` could reach after the first; nothing is looked for there after one alone.
    """

    first: FunctionRun
    nodes: list[Value]
    parameters: list[Value]
    differing: list[Value | None]
    draws: bool
    things: list[Any]


def _repeated(
    f: Callable[..., Any],
    name: str,
    shapes: tuple[Shape, ...],
    numbers: Sequence[list[list[float]]],
    wrt: Iterable[Value],
    tells_all: Callable[[], bool] | None,
    tracer: FunctionTracer,
) -> _Repetition:
    """Record ``f`` for each of two samples."""
    with tracer.at_work():
        first = _run(f, name, shapes, numbers[0], tracer)
        nodes = _nodes_of(first)
        # A step of a loop may leave something behind for the next that is gone after the run.
        if tells_all and not tracer.has_loops and tells_all():
            lasting = [leaf for leaf in _leaves(nodes) if leaf._mark is not tracer.mark]
            return _Repetition(first, nodes, _parameters(wrt, first, lasting), [], False, [])
        things = [*reached(f)]
        states = generator_states(things)
        again = _run(f, name, shapes, numbers[1], tracer)
        draws = any(read() != state for read, state in states)
    nodes_again = _nodes_of(again)
    lasting_again = set(_leaves(nodes_again))
    lasting = [leaf for leaf in _leaves(nodes) if leaf in lasting_again]
    parameters = _parameters(wrt, first, lasting)
    found = differing(first, nodes, again, nodes_again, set(parameters))
    return _Repetition(first, nodes, parameters, [*islice(found, 1)], draws, things)


def _nodes_of(run: FunctionRun) -> list[Value]:
    """Return what the outputs of a run depend on, in topological order."""
    return topological_order(*run.follows.values(), *filter(_is_node, run.outputs))


def _parameters(wrt: Iterable[Value], run: FunctionRun, lasting: Iterable[Value]) -> list[Value]:
    """Return the parameters: a leaf made anew in each run can be reached by nobody, a constant."""
    own = {*run.inputs, *wrt}
    return [*dict.fromkeys(wrt), *(leaf for leaf in lasting if leaf not in own)]


def _run(
    f: Callable[..., Any],
    name: str,
    shapes: tuple[Shape, ...],
    numbers: list[list[float]],
    tracer: FunctionTracer,
) -> FunctionRun:
    leaves = [
        [Value(x, label=f"x{i}" + (f".{j}" if shape else "")) for j, x in enumerate(xs)]
        for i, (shape, xs) in enumerate(zip(shapes, numbers, strict=True))
    ]
    inputs = [leaf for xs in leaves for leaf in xs]
    with tracer.run():
        tracer.arguments = frozenset(inputs)
        for leaf in inputs:
            tracer.meet(leaf)
        results, several, flat = returned(f, name, shapes, leaves)
        outputs = [tracer.operand(x) for x in flat]
    made = tracer.made()
    return FunctionRun(inputs, outputs, results, several, tracer.follows, tracer.choices, made)


def _rehearsed(
    f: Callable[..., Any],
    name: str,
    shapes: tuple[Shape, ...],
    numbers: list[list[float]],
    recorded: FunctionRun,
    parameters: list[Value],
    tracer: FunctionTracer,
    things: list[Any],
    changed: Sequence[Held],
) -> frozenset[tuple[int, str]]:
    """Run ``f`` where the numbers it reads are floats; return where it leaves something else.

    Args:
        things: what it can reach.
        changed: as of `record`.

    Raises:
        CompileError: it does something else then, it asks the world outside, or it goes by what an
            earlier run has left.
    """
    leaves = [[Value(x) for x in xs] for xs in numbers]
    inputs = [*chain(*leaves)]
    twins = dict(zip(recorded.inputs, inputs, strict=True)) | {p: p for p in parameters}

    def is_so(run: Rehearsal) -> bool:
        try:
            with changed_mode(tracing=run, checked=False, grad=True, debug=None):
                results, several, played = returned(f, name, shapes, leaves)
        except (ArithmeticError, AssertionError, ValueError):
            return True  # where what is compiled has infinities and NaN, and asserts nothing
        return (results, several) == (recorded.results, recorded.several) and is_as_recorded(
            recorded.outputs, played, twins, recorded.follows
        )

    known = held_by(f, things, is_users=True)
    held = [*{each.place: each for each in (*known, *changed)}.values()]
    asked = Asked()
    with asked.noted() if may_ask(things) else nullcontext():
        is_same = is_so(Rehearsal(inputs, keeps_loops=tracer.keeps_loops))
    if asked.refused:
        raise _of_the_world(name, "", asked)
    leftovers = Leftovers(f, held, asked.clocks)
    if is_same and leftovers:
        is_strict = bool(changed)
        run = Inspection(inputs, name, keeps_loops=tracer.keeps_loops, is_strict=is_strict)
        error: Exception | None = None
        try:
            with leftovers.replaced(run):
                is_same = is_so(run)
        except Exception as raised:
            error = raised
        if run.refusals:
            raise run.refusals[0]
        if error:
            raise CompileError(
                f"{tracer.home}{name} keeps something from one run for the next: {error}"
            ) from error
        if leftovers.lasting:
            raise CompileError(f"{tracer.home}{leftovers.lasting[0]}")
    if not is_same:
        raise OtherwiseWithFloats(
            f"{tracer.home}{name} does something else where the numbers it reads are floats: it "
            "looks at their type or identity, or at labels, or keeps something from one run for "
            "the next; ask isinstance(x, float) for the type, and pass what else it goes by as an "
            "argument"
        )
    return leftovers.passing


def _of_the_world(name: str, home: str, asked: Asked) -> CompileError:
    """Return the refusal: a function asks what may be another thing another time.

    Args:
        home: where, as far as is known.
    """
    place, of = asked.refused or (home, next(iter(asked.clocks)))
    return CompileError(
        f"{place}: {name} calls {of}(), which may give something else another time: what is "
        "compiled is recorded once; call it outside of the function, and pass what comes of it "
        "as an argument"
    )


def _does_with_floats(
    f: Callable[..., Any],
    name: str,
    shapes: tuple[Shape, ...],
    numbers: list[list[float]],
    tracer: FunctionTracer,
) -> bool:
    """Return whether ``f`` raises nothing where the numbers it reads are floats."""
    leaves = [[Value(x) for x in xs] for xs in numbers]
    try:
        rehearsal = Rehearsal(chain(*leaves), keeps_loops=tracer.keeps_loops)
        with changed_mode(tracing=rehearsal, checked=False, grad=True, debug=None):
            returned(f, name, shapes, leaves)
    except Exception:
        return False
    return True


def _of_a_reading(name: str, error: Exception) -> CompileError:
    """Return the refusal: a function did with the number of a value what only a float can do."""
    return CompileError(
        f"{_last_place(error)}: {name} reads the number of a recorded value, which is "
        f"followed through arithmetic and functions of autograd only: {type(error).__name__}: "
        f"{error}"
    )


def _last_place(error: Exception) -> str:
    """Return the innermost place in a user's code that an error came from."""
    places = [
        place_in(frame, line) for frame, line in walk_tb(error.__traceback__) if is_users(frame)
    ]
    return "".join(places[-1:])


def _is_node(x: Value | float) -> TypeGuard[Value]:
    return x.__class__ is not float


def _leaves(nodes: list[Value]) -> list[Value]:
    return [node for node in nodes if node.op is None]
