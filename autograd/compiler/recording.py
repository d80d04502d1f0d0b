"""A function as a graph: recorded once, it must hold for all numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain, islice
from math import copysign
from traceback import walk_tb
from types import CodeType
from typing import Any, NamedTuple, TypeGuard

from autograd.compiler.askers import is_users, place_in
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
from autograd.engine import Value
from autograd.errors import ChainruleError, CompileError
from autograd.forms import describe
from autograd.graph import topological_order
from autograd.modes import OWN_CODE, changed_mode
from autograd.operand import real
from autograd.place import place_of
from autograd.transforms import SparseDerivative
from autograd.tree import rectangle


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


class Example(NamedTuple):
    """What a function is recorded with.

    Attributes:
        name: the function's.
        shapes: of the arguments.
        numbers: theirs.
    """

    name: str
    shapes: tuple[Shape, ...]
    numbers: list[list[float]]


def example_of(f: Callable[..., Any], example: Sequence[Any]) -> Example:
    """Return an example of a function's arguments: numbers and flat lists.

    Raises:
        TypeError: it is neither a number nor a list of them.
    """
    f = users_function(f)
    name = getattr(f, "__name__", None)
    name = name if isinstance(name, str) else type(f).__name__
    shapes = tuple(_shape_of(f"argument {i} of {name}", arg) for i, arg in enumerate(example))
    return Example(name, shapes, [[real(_plain(x)) for x in _elements(arg)] for arg in example])


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
        others = [_without_neutral(arg) for arg in example]
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
        if not is_told and not _does_with_floats(f, name, shapes, numbers, tracer):
            raise
        raise _of_a_reading(name, error) from error
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
        _does_with_floats(f, name, shapes, numbers, tracer)
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
        results, several, flat = _returned(f, name, shapes, leaves)
        outputs = [tracer.operand(x) for x in flat]
    made = tracer.made()
    return FunctionRun(inputs, outputs, results, several, tracer.follows, tracer.choices, made)


def _returned(
    f: Callable[..., Any], name: str, shapes: tuple[Shape, ...], leaves: list[list[Value]]
) -> tuple[tuple[Shape, ...], bool, list[Any]]:
    """Return what ``f`` does: the shapes, whether it is a tuple, and all elements."""
    args = [list(xs) if shape else xs[0] for shape, xs in zip(shapes, leaves, strict=True)]
    out = f(*args)
    several = isinstance(out, tuple)
    parts = [_flattened(name, part) for part in (out if several else [out])]
    return tuple(shape for shape, _ in parts), several, [x for _, flat in parts for x in flat]


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
                results, several, played = _returned(f, name, shapes, leaves)
        except (ArithmeticError, ValueError):
            return True  # floats raise where what is compiled has infinities and NaN
        return (results, several) == (recorded.results, recorded.several) and is_as_recorded(
            recorded.outputs, played, twins, recorded.follows
        )

    known = held_by(f, things, is_users=True)
    held = [*{each.place: each for each in (*known, *changed)}.values()]
    asked = Asked()
    with asked.noted() if may_ask(things) else nullcontext():
        is_same = is_so(Rehearsal(inputs, keeps_loops=tracer.keeps_loops))
    if asked.refused:
        place, of = asked.refused
        raise CompileError(
            f"{place}: {name} calls {of}(), which may give something else another time: what is "
            "compiled is recorded once; call it outside of the function, and pass what comes of it "
            "as an argument"
        )
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
            _returned(f, name, shapes, leaves)
    except Exception:
        return False
    return True


def users_function(f: Any) -> Any:
    """Return the function behind partials and derivatives of it, and what of ours wraps it."""
    while True:
        inner = None
        if isinstance(f, partial | SparseDerivative):
            inner = f.func if isinstance(f, partial) else f.f
        elif _top(f) in OWN_CODE and hasattr(f, "__wrapped__"):
            inner = f.__wrapped__
        elif getattr(f, "__module__", "") == SparseDerivative.__module__:
            names = getattr(f, "__code__", home_of.__code__).co_freevars
            held = dict(zip(names, getattr(f, "__closure__", None) or (), strict=True))
            cell = held.get("f", held.get("both"))
            inner = cell and cell.cell_contents
        if inner is None:
            return f
        f = inner


def _top(f: Any) -> str:
    return str(getattr(f, "__module__", "")).partition(".")[0]


def home_of(f: Any) -> str:
    """Return where a function stands, as messages begin; "" if it is none of Python's."""
    f = users_function(f)
    for code in (getattr(f, "__code__", None), getattr(type(f).__call__, "__code__", None)):
        if isinstance(code, CodeType):
            return f"{place_of(('', code.co_filename, code.co_firstlineno))}: "
    return ""


def _of_a_reading(name: str, error: Exception) -> CompileError:
    """Return the refusal: a function did with the number of a value what only a float can do."""
    places = [
        place_in(frame, line) for frame, line in walk_tb(error.__traceback__) if is_users(frame)
    ]
    return CompileError(
        f"{''.join(places[-1:])}: {name} reads the number of a recorded value, which is "
        f"followed through arithmetic and functions of autograd only: {type(error).__name__}: "
        f"{error}"
    )


def _is_node(x: Value | float) -> TypeGuard[Value]:
    return x.__class__ is not float


def _leaves(nodes: list[Value]) -> list[Value]:
    return [node for node in nodes if node.op is None]


def _shape_of(what: str, arg: Any) -> Shape:
    if hasattr(arg, "shape"):  # NumPy's arrays and numbers
        shape = tuple(arg.shape)
        if len(shape) > 1:
            raise TypeError(
                f"{what} is an array of shape {shape}: an example is one sample, a number or a "
                "flat list"
            )
        return shape
    if isinstance(arg, list | tuple):
        return (len(arg),)
    return ()


def _elements(arg: Any) -> list[Any]:
    return list(arg) if _shape_of("", arg) else [arg]


def _without_neutral(arg: Any) -> Any:
    """Return an argument of an example, with other numbers for 0 and 1."""
    if _shape_of("", arg):
        return [_without_neutral(x) for x in arg]
    number = real(_plain(arg))
    return number + 0.25 if abs(number) in (0.0, 1.0) else number


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _flattened(name: str, part: Any) -> tuple[Shape, list[Value | TracedNumber | float]]:
    """Return the shape of nested lists, and their elements row by row.

    Raises:
        TypeError: rows differ in length, or an element is no number.
    """
    try:
        shape, items = rectangle(part)
    except ValueError:
        raise TypeError(
            f"{name} returned lists of different lengths, {part!r:.60}: what is compiled returns "
            "numbers, lists with rows of one length, or a tuple of these; return a tuple of what "
            "differs, or of a jacobian, compile one for each argument: argnums=0, argnums=1"
        ) from None
    try:
        return shape, [x if isinstance(x, Value | TracedNumber) else real(x) for x in items]
    except TypeError as error:
        raise TypeError(f"{name} must return numbers, or lists of them: {error}") from None
