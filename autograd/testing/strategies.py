"""Hypothesis strategies made from the table of operations: for your own rows, too.

>>> from hypothesis import given
>>> from autograd import TABLE, gradcheck
>>> @given(floats_in("log"))
... def test_log(args):
...     gradcheck(TABLE["log"], *args).raise_if_wrong()
>>> test_log()

Everything drawn shrinks to few nodes and simple numbers, and prints as a program to run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from autograd.domain import REAL, Joint
from autograd.extras import missing_extra
from autograd.operation import TABLE, Number, Op, plain
from autograd.testing.straightline import Assignment, StraightLine, pick

if TYPE_CHECKING:
    from nn import MLP

try:
    from hypothesis import reject
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    missing_extra("hypothesis", "check", error)

KINK_MARGIN = 0.05
"""How far ordinary arguments keep away from kinks, poles and the ends of a domain."""

MOST_VARIADIC = 5
"""How many arguments a row of any number is given."""

MOST_LEAVES = 4
"""How many inputs an expression has, and how many constants."""

MORE = 19
"""An expression ends after a node once in so many times."""

LARGEST_RESULT = 100.0
"""How large the results of a smooth expression may be."""

ACTIVATIONS = ("tanh", "relu", "sigmoid", "softplus")


class TrainingSet(NamedTuple):
    """Samples and their targets."""

    X: list[list[float]]
    y: list[float]


def floats_in(
    op: Op | str, *, kinks: bool = False, wide: bool = False
) -> SearchStrategy[tuple[float, ...]]:
    """Return a strategy for arguments of ``op``: tuples of floats inside its domain.

    Args:
        op: a row of the table, or its name.
        kinks: right at a kink of the row, or within 1e-12 of it, instead of away from all.
        wide: magnitudes from 1e-300 to 1e300 in place of ordinary numbers up to 4.

    Raises:
        ValueError: there is no such row, it has no kinks, or both kinks and wide are asked for.
    """
    row = _row(op)
    if not kinks:
        return _arguments(row, _wide, 0.0) if wide else _arguments(row, _ordinary, KINK_MARGIN)
    if row.kinks is None:
        having = ", ".join(name for name, other in TABLE.items() if other.kinks)
        raise ValueError(f"{row.name} has no kinks; those that have some are {having}")
    if wide:
        raise ValueError("kinks are among ordinary numbers: leave out either kinks or wide")
    return _at_kinks(row)


def expressions(
    *, max_nodes: int = 14, ops: Iterable[Op | str] | None = None, smooth: bool = True
) -> SearchStrategy[StraightLine]:
    """Return a strategy for random graphs with sharing, fan-out and depth, as programs.

    Every result reaches the last one. ``program(*program.inputs)`` computes it, of floats or of
    Values; printed, it is Python to run.

    Args:
        max_nodes: how many ops there are at most.
        ops: rows, or their names; all of the table by default, your own included.
        smooth: keep to moderate numbers away from kinks and poles, so that differences make
            sense; else any floats are tried, infinities and NaN as well.
    """
    if max_nodes < 1:
        raise ValueError(f"an expression has at least one node, not {max_nodes}")
    rows = None if ops is None else [_row(op) for op in ops]
    if rows == []:
        raise ValueError("ops is empty; leave it out to draw from the whole table")
    return _expressions(max_nodes, rows, smooth)


def mlps(*, max_inputs: int = 3, max_width: int = 4, max_layers: int = 3) -> SearchStrategy[MLP]:
    """Return a strategy for small networks, as ``nn.MLP``.

    A failing one is printed as the call that builds it again.
    """
    from nn import MLP

    return st.builds(
        MLP,
        st.integers(1, max_inputs),
        st.lists(st.integers(1, max_width), min_size=1, max_size=max_layers),
        activation=st.sampled_from(ACTIVATIONS),
        seed=st.integers(0, 2**16),
    )


@st.composite
def datasets(
    draw: DrawFn, *, inputs: int | None = None, max_samples: int = 8, classes: bool = False
) -> TrainingSet:
    """Return a strategy for small sets of samples and targets.

    Args:
        inputs: the length of a sample; 1 to 3 by default.
        classes: whether the targets are -1.0 and 1.0, instead of any numbers.
    """
    width = inputs or draw(st.integers(1, 3))
    target = st.sampled_from([-1.0, 1.0]) if classes else _ordinary
    sample = st.lists(_ordinary, min_size=width, max_size=width)
    pairs = draw(st.lists(st.tuples(sample, target), min_size=1, max_size=max_samples))
    return TrainingSet([x for x, _ in pairs], [y for _, y in pairs])


def is_smooth(op: Op, args: Iterable[float], margin: float = KINK_MARGIN) -> bool:
    """Return whether ``op`` is defined and smooth within ``margin`` of ``args``."""
    args = list(args)
    if op.violation(args):
        return False
    if any(abs(k) <= margin * max(1.0, *map(abs, args)) for k in _kinks(op, args)):
        return False
    shifts = [
        [x + shift * (i == slot) for i, x in enumerate(args)]
        for slot in range(len(args))
        for shift in (-margin, margin)
    ]
    poles = [] if isinstance(op.domain, Joint) else list(zip(args, op.domain, strict=False))
    return not any(map(op.violation, shifts)) and not any(
        abs(x - pole) <= margin for x, domain in poles for pole in domain.excluded
    )


# Few digits: they shrink and read well.
_ordinary: SearchStrategy[float] = st.floats(-4, 4).map(lambda x: round(x, 3))
_proper: SearchStrategy[float] = st.floats(-0.9, 0.9).map(lambda x: round(x, 3))
_unlimited: SearchStrategy[float] = st.floats(width=64)


def _power(sign: int, exponent: float) -> float:
    return float(f"{sign * 10.0**exponent:.3g}")


_wide: SearchStrategy[float] = st.builds(_power, st.sampled_from([1, -1]), st.floats(-300, 300))


def _row(op: Op | str) -> Op:
    if isinstance(op, str):
        if op not in TABLE:
            raise ValueError(f"there is no row {op!r} in the table")
        return TABLE[op]
    return op


def _kinks(op: Op, args: list[float]) -> list[float]:
    return [plain(k) for k in op.kinks(*map(Number, args))] if op.kinks else []


@st.composite
def _arguments(
    draw: DrawFn, op: Op, numbers: SearchStrategy[float], margin: float
) -> tuple[float, ...]:
    arity = op.arity or draw(st.integers(1, MOST_VARIADIC))
    known = [] if isinstance(op.domain, Joint) else list(op.domain)
    domains = known or [REAL] * arity
    parts = []
    for domain in domains:
        if math.isfinite(domain.high - domain.low):
            parts.append(st.floats(domain.low, domain.high))
        else:
            parts.append(numbers.map(_into(domain.low, domain.high)))
    return draw(st.tuples(*parts).filter(lambda args: is_smooth(op, args, margin)))


def _into(low: float, high: float) -> Callable[[float], float]:
    """Return the map of all numbers into a half-open domain: the sign is folded away."""
    if math.isfinite(low):
        return lambda x: low + abs(x)
    if math.isfinite(high):
        return lambda x: high - abs(x)
    return lambda x: x


@st.composite
def _at_kinks(draw: DrawFn, op: Op) -> tuple[float, ...]:
    """Return arguments that make a kink expression 0, or nearly so."""
    arity = op.arity or draw(st.integers(1, MOST_VARIADIC))
    args = list(draw(st.tuples(*[_ordinary] * arity)))
    found = [
        [*args[:slot], x, *args[slot + 1 :]]
        for slot in range(arity)
        for x in dict.fromkeys((0.0, *args))
    ]
    found = [point for point in [*found, [0.0] * arity] if _is_at_kink(op, point)]
    if not found:
        reject()
    point = draw(st.sampled_from(found))
    hair = draw(st.sampled_from([0.0, 1e-13, -1e-13]))
    slot = draw(st.integers(0, arity - 1))
    beside = [x + hair * (i == slot) for i, x in enumerate(point)]
    return tuple(point if op.violation(beside) else beside)


def _is_at_kink(op: Op, args: list[float]) -> bool:
    return not op.violation(args) and 0.0 in _kinks(op, args)


@st.composite
def _expressions(draw: DrawFn, max_nodes: int, rows: list[Op] | None, smooth: bool) -> StraightLine:
    numbers = _ordinary if smooth else _unlimited
    inputs = draw(st.lists(numbers | _proper, min_size=1, max_size=MOST_LEAVES))
    constants = draw(st.lists(numbers, max_size=MOST_LEAVES))
    row = st.sampled_from(list(TABLE.values()) if rows is None else rows)
    choice = st.integers(0, 2 * (max_nodes + MOST_LEAVES))
    results = list(inputs)
    steps: list[Assignment] = []
    used: set[int] = set()
    # What is drawn for a node depends on no other node, and any choice of them is a program: to
    # shrink is to leave nodes out, which Hypothesis tries with up to five numbers in a row. So
    # a node is whether it follows, a row, and one number for each argument; and a 0 can always
    # be the last number, after the most nodes, too.
    for count in range(max_nodes + 1):
        if (count and not draw(st.integers(0, MORE))) or count == max_nodes:
            break
        op = draw(row)
        arity = op.arity or draw(st.integers(1, MOST_VARIADIC))
        args = _fitting(op, [draw(choice) for _ in range(arity)], results, constants, smooth)
        if args is not None:
            used |= {arg for arg in args if isinstance(arg, int)}
            results.append(op.ieee(*[pick(results, arg) for arg in args]))
            steps.append(Assignment(op.name, args))
    ends = tuple(i for i in range(len(results)) if i not in used)
    if len(ends) > 1 or not steps:
        steps.append(Assignment("sum", ends))
    return StraightLine(tuple(inputs), tuple(steps))


def _fitting(
    op: Op, choices: list[int], results: list[float], constants: list[float], smooth: bool
) -> tuple[int | float, ...] | None:
    """Return arguments of ``op``: earlier results by number, and constants.

    An even choice is a result, 0 the newest, an odd one a constant; the last is a result if
    none before it is. Those that fall outside the domain give way to results further back, and
    change places, so that rows with a narrow domain get their turn, too; None if nothing fits.
    """
    if all(choice % 2 for choice in choices):
        choices = [*choices[:-1], choices[-1] - 1]
    for shift in range(len(results)):
        args = [
            constants[choice // 2 % len(constants)]
            if choice % 2 and constants
            else (len(results) - 1 - choice // 2 - shift * slot) % len(results)
            for slot, choice in enumerate(choices, 1)
        ]
        for turn in range(len(args)):
            turned = args[turn:] + args[:turn]
            if _fits(op, [pick(results, arg) for arg in turned], smooth):
                return tuple(turned)
    return None


def _fits(op: Op, args: list[float], smooth: bool) -> bool:
    if not smooth:
        return not op.violation(args)
    return is_smooth(op, args) and abs(op.ieee(*args)) < LARGEST_RESULT
