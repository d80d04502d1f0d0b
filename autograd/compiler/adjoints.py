"""A gradient written for compiled code: what many products add up to is one `dot`.

That of a loop is a loop, which goes back through the steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from autograd import ops
from autograd.compiler.program import Arg, Program, Scan
from autograd.compiler.recording import FunctionGraph
from autograd.compiler.scans import PART, SCAN, LoopOp, Nesting, begins_of, index_of
from autograd.compiler.shifts import shifts_of
from autograd.compiler.writer import Template, Writer, template_of
from autograd.engine import Value
from autograd.lowering import symbols
from autograd.modes import changed_mode
from autograd.operation import Op, Symbol
from autograd.transforms import descendants

FEWEST_PRODUCTS = 4
"""Fewer products are added one by one."""

CHEAP = frozenset(
    (ops.add, ops.sub, ops.mul, ops.neg, ops.where, ops.maximum, ops.minimum, ops.abs)
)
"""What is computed once more on the way back through a loop; all else is kept."""


def gradient_program(graph: FunctionGraph, wrt: Sequence[Value]) -> Program:
    """Return what computes a function's outputs, and after the first its derivatives.

    There is one for each of ``wrt``. They are those of `gradients` but for rounding: the rules of
    the table are run on the program's registers. There, each product that a weight gets is a node,
    and each addition: a network of weighted sums has two for every weight and every use of it, from
    which loops are found again, at a cost for each. Here they stay together.
    """
    nest = Nesting(graph.nodes, graph.follows)
    first, *others = graph.outputs
    concerned = _concerned(nest, graph.nodes, wrt)
    ends = (end for step in nest.steps.values() for end in (*step.carried, *step.given))
    concerned -= shifts_of(graph.nodes, {first, *ends})
    writer = _GradientWriter(graph.inputs, graph.parameters, graph.choices)
    writer.concerned = concerned
    with changed_mode(checked=False, grad=True, debug=None):
        writer.write(nest.nodes, nest)
        found = _adjoints(writer, nest, nest.nodes, [(first, 1.0)], wrt)
    return writer.program([writer.result(first), *found, *map(writer.result, others)])


def _concerned(nest: Nesting, nodes: Sequence[Value], wrt: Iterable[Value]) -> set[Value]:
    """Return the nodes that depend on ``wrt``; what is carried, by what was carried on before."""
    sources = set(wrt)
    while True:
        found = descendants(nodes, sources)
        more = {
            carry
            for step in nest.steps.values()
            for carry, carried in zip(step.carries, step.carried, strict=True)
            if carried in found and carry not in found
        }
        if not more:
            return found
        sources |= more


class _WayBack(NamedTuple):
    """The way back through a loop.

    Attributes:
        scan: of the gradients of what is carried in the end and of what each step gave, of the
            columns, and of the loop itself; it gives the gradients by what it begins with, by each
            step's numbers, and by what all steps use.
        used: which of what a step gives is used.
        saved: the nodes that it reads.
        columns: those that it gives gradients by.
        captured: likewise.
    """

    scan: Scan
    used: list[int]
    saved: list[Value]
    columns: list[Value]
    captured: list[Value]


class _GradientWriter(Writer):
    """Writes a program, and which way back there is through its loops.

    Attributes:
        concerned: the nodes that depend on what is differentiated by.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.concerned: set[Value] = set()
        self.back: dict[Value, _WayBack] = {}

    def saved(self, scan: Value, nest: Nesting) -> Sequence[Any]:
        if scan not in self.concerned:
            return ()
        self.back[scan] = _back_through(self, nest, scan)
        return self.back[scan].saved


def _back_through(writer: _GradientWriter, nest: Nesting, scan: Value) -> _WayBack:
    """Return the way back through a loop."""
    step, concerned = nest.steps[scan], writer.concerned
    used = nest.used(scan)
    columns = [x for x in step.columns if x in concerned]
    captured = [x for x in writer.captured(step) if x in concerned]
    captured.sort(key=lambda x: writer.known[x])
    slopes, gains, sums = ([Value(0.0) for _ in xs] for xs in (step.carries, used, captured))
    saved = _dear(nest, step.nodes)
    inputs = [*slopes, *gains, *step.columns, *step.carries, *saved, *sums]
    inner = _GradientWriter(*writer.inside(step, inputs))
    inner.known |= writer.constants(step)
    inner.concerned = concerned
    inner.write(step.nodes, nest)
    seeds = [*zip(step.carried, slopes, strict=True)]
    seeds += [(step.given[j], gain) for j, gain in zip(used, gains, strict=True)]
    found = _adjoints(
        inner,
        nest,
        step.nodes,
        [(node, inner.known[g]) for node, g in seeds],
        [*step.carries, *columns, *captured],
    )
    own = len(step.carries) + len(columns)
    for i, total in enumerate(sums, own):
        found[i] = inner.apply(ops.add, [inner.known[total], found[i]])
    program = inner.program(found)
    begin = len(slopes) + len(gains) + len(step.columns)
    read = {arg for _, args in program.instructions for arg in args} | {*program.outputs}
    numbers = range(begin, begin + len(step.carries) + len(saved))
    kept = [
        x for x, number in zip(saved, numbers[len(step.carries) :], strict=True) if number in read
    ]
    places = iter(range(len(step.carries) + len(used), begin + len(inputs)))
    reads = [
        (i if i < len(step.carries) else next(places)) if number in read else None
        for i, number in enumerate(numbers)
    ]
    reverse = Scan(
        program,
        step.steps,
        len(slopes),
        len(gains) + len(step.columns),
        len(columns),
        tuple(reads),
        len(sums),
        backward=True,
    )
    return _WayBack(reverse, used, kept, columns, captured)


def _dear(nest: Nesting, nodes: Sequence[Value]) -> list[Value]:
    """Return the nodes of a step that are kept for the way back, alike ones beside each other."""
    level: dict[Any, int] = {}
    ops: dict[Any, int] = {}
    found: list[tuple[int, int, int, Value]] = []
    for node in nodes:
        level[node] = 1 + max((level.get(arg, 0) for arg in node.args), default=0)
        if node.op and node.op not in CHEAP and not isinstance(node.op, LoopOp):
            found.append((level[node], ops.setdefault(node.op, len(ops)), len(found), node))
    return [node for *_, node in sorted(found)]


def _adjoints(
    writer: _GradientWriter,
    nest: Nesting,
    nodes: Sequence[Value],
    seeds: Iterable[tuple[Any, Any]],
    wrt: Sequence[Value],
) -> list[Any]:
    """Write the derivative by each w of ``wrt``; return the number of its result, or a float.

    Args:
        nodes: those of one step, or outside of all.
        seeds: nodes, and the derivatives by them to begin with.
    """
    known, concerned = writer.known, writer.concerned
    products: dict[Any, list[tuple[Any, Any]]] = {}
    others: dict[Any, list[Any]] = {}
    ends: dict[Any, dict[int, Any]] = {}
    for node, g in seeds:
        others.setdefault(node, []).append(g)
    for node in reversed(nodes):
        op = node.op
        if op is None or node not in concerned:
            continue
        if op.__class__ is LoopOp and op is not PART:
            if op is SCAN and node in ends:
                for arg, part in _through(writer, nest, node, ends.pop(node)):
                    if arg in concerned:
                        others.setdefault(arg, []).append(part)
            continue
        gains, rest = products.pop(node, ()), others.pop(node, ())
        if not (gains or rest):
            continue
        g = _total(writer, gains, rest, op)
        args = node.args
        if op is PART:
            ends.setdefault(args[0], {})[index_of(node)] = g
            continue
        count = 0
        if g.__class__ is int and (op is ops.mul or op.weighted):
            half = len(args) // 2
            count = 2 * half
            turned = args[half:count] + args[:half]
            for arg, factor in zip(args, turned, strict=False):
                if arg in concerned:
                    gain = g, factor if factor.__class__ is float else known[factor]
                    if arg in products:
                        products[arg].append(gain)
                    else:
                        products[arg] = [gain]
            # What is left is a bias.
            parts = [g] * (len(args) - count)
        else:
            parts = _shares(writer, node, g)
        for arg, part in zip(args[count:], parts, strict=True):
            if arg in concerned:
                if arg in others:
                    others[arg].append(part)
                else:
                    others[arg] = [part]
    return [_total(writer, products.get(w, ()), others.get(w, ())) for w in wrt]


def _shares(writer: _GradientWriter, node: Value, g: Arg) -> list[Any]:
    """Write what a result passes to each argument, as `shares` has it; None where nobody asks."""
    op, args, known, concerned = node.op, node.args, writer.known, writer.concerned
    assert op
    given: list[Any] = []
    if op.pullback is not None and not op.singular:
        given = [g, known[node], *_numbers(known, args)]
        return writer.fill(_pullback_of(op, len(args)), given)
    parts: list[Any] = [None] * len(args)
    for slot, (arg, template) in enumerate(zip(args, _locals_of(op, len(args)), strict=True)):
        if arg not in concerned:
            continue
        (local,) = template.results
        if local.__class__ is int:
            given = given or [known[node], *_numbers(known, args)]
            (local,) = writer.fill(template, given)
        if g.__class__ is float and g == 1:
            parts[slot] = local
        elif local.__class__ is float and local in (1, -1):
            parts[slot] = g if local == 1 else writer.apply(ops.neg, [g])
        else:
            parts[slot] = writer.apply(ops.mul_no_nan if op.singular else ops.mul, [g, local])
    return parts


def _numbers(known: Mapping[Any, Arg], args: Iterable[Any]) -> list[Arg]:
    return [arg if arg.__class__ is float else known[arg] for arg in args]


@lru_cache(maxsize=256)
def _pullback_of(op: Op, arity: int) -> Template:
    """Return the steps to all contributions, of what comes in, the result and the arguments."""
    g, out, args = Symbol("g"), Symbol("out"), symbols(arity)
    assert op.pullback
    return template_of([g, out, *args], op.pullback(g, out, args))


@lru_cache(maxsize=256)
def _locals_of(op: Op, arity: int) -> list[Template]:
    """Return the steps to the derivative by each argument, of the result and the arguments."""
    out, args = Symbol("out"), symbols(arity)
    return [template_of([out, *args], [local]) for local in op.locals(out, args)]


def _through(
    writer: _GradientWriter, nest: Nesting, scan: Value, gains: dict[int, Any]
) -> list[tuple[Any, Any]]:
    """Write the way back through a loop; return what it gives to nodes of outside.

    Args:
        gains: the derivatives by the loop's results, as far as there are any.
    """
    step, back = nest.steps[scan], writer.back[scan]
    count, many = len(step.carries), len(step.given)
    places = [count + t * many + j for j in back.used for t in range(step.steps)]
    numbers = [gains.get(place, 0.0) for place in (*range(count), *places)]
    columns = begins_of(step)[count:]
    args = [*numbers, *columns, *writer.captured(step), writer.known[scan]]
    result = writer.repeat(back.scan, args)
    goals = begins_of(step)[:count]
    goals += [column.args[t] for t in range(step.steps) for column in back.columns]
    goals += back.captured
    concerned = writer.concerned
    return [
        (arg, writer.apply(PART, [result, float(i)]))
        for i, arg in enumerate(goals)
        if arg in concerned
    ]


def _total(
    writer: Writer,
    products: Sequence[tuple[Any, Any]],
    others: Sequence[Any],
    op: Op | None = None,
) -> Any:
    """Return what contributions to a result of ``op`` add up to; 0.0 without any.

    Those to weighted sums are alike, however many there are: a position of a sequence is looked at
    by as many as come behind it.
    """
    if not products and len(others) == 1:
        return others[0]
    parts = list(others)
    if len(products) < FEWEST_PRODUCTS and not (products and op and op.weighted):
        parts = [writer.apply(ops.mul, [g, factor]) for g, factor in products] + parts
    else:
        # In the order of the weights, say, whose rows lie side by side.
        gains, factors = zip(*sorted(products, key=itemgetter(1)), strict=True)
        parts.insert(0, writer.apply(ops.dot, [*gains, *factors]))
    total = parts[0] if parts else 0.0
    for part in parts[1:]:
        total = writer.apply(ops.add, [total, part])
    return total
