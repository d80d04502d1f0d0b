"""Compare gradients with differences, say how far that can be trusted, and name what is wrong."""

from __future__ import annotations

import html
import inspect
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from autograd.checking.culprit import NEAR, Culprit, first_culprit, first_steps
from autograd.checking.differences import Claim, Line, Sample, compare
from autograd.checking.linearization import Linearization, Motion, branch, is_same_piece, total
from autograd.debugging import debug
from autograd.engine import Value
from autograd.errors import ChainruleError, GradientError
from autograd.formula import json_number
from autograd.operand import real
from autograd.operation import Op
from autograd.transforms import gradients

if TYPE_CHECKING:
    from rich.table import Table

MANY = 200
"""From this many scalars on, random directions are checked in place of single inputs."""

DIRECTIONS = 3

RESULT = "the function must return a scalar"

HEADER = ("input", "analytic", "numeric", "difference", "tolerance", "verdict")

STYLES = {"ok": "green", "wrong": "bold red", "kink": "yellow", "noise": "yellow"}


@dataclass(frozen=True, slots=True)
class InputCheck:
    """The comparison for one scalar input, or for one random direction.

    Attributes:
        index: which scalar, counted through lists; which direction.
        label: the input's name.
        analytic: the derivative by the chain rule, or the one that was given.
        numeric: the derivative by differences; NaN if there is none.
        error: the estimated absolute error of ``numeric``.
        tolerance: the largest difference that counts as agreement.
        verdict: ``ok``; ``wrong``; ``kink``: the slopes from left and right differ;
            ``noise``: rounding drowns the differences; ``undefined``: no derivative there.
        culprit: the first wrong op, if the verdict is ``wrong`` and an op is to blame.
        rate: the order with which the Taylor remainder vanishes: 2 if the gradient is right,
            1 if it is wrong; NaN where rounding hides it.
        order: 1 for the gradient of f, 2 for the gradient of its gradient, and so on.
    """

    index: int
    label: str
    analytic: float
    numeric: float
    error: float
    tolerance: float
    verdict: str
    culprit: Culprit | None = None
    rate: float = nan
    order: int = 1


class Report:
    """What `gradcheck` found, input by input. ``print`` it, or call `raise_if_wrong`.

    Attributes:
        inputs: one `InputCheck` each.
        evaluations: how often f was called.
        graph: the root of the graph that was recorded at the point; None if there is none.
        explanation: why a gradient is wrong although no op is; "" if there is nothing to say.
    """

    def __init__(
        self,
        inputs: tuple[InputCheck, ...],
        evaluations: int = 0,
        graph: Value | None = None,
        explanation: str = "",
    ) -> None:
        self.inputs = inputs
        self.evaluations = evaluations
        self.graph = graph
        self.explanation = explanation

    @property
    def ok(self) -> bool:
        """Whether no input is wrong and, if there are any, at least one was found right."""
        verdicts = {check.verdict for check in self.inputs}
        return "wrong" not in verdicts and (not verdicts or "ok" in verdicts)

    @property
    def culprit(self) -> Culprit | None:
        """The first wrong op of all inputs."""
        found = [check.culprit for check in self.inputs if check.culprit]
        return min(found, key=lambda c: (c.position, c.slot), default=None)

    def raise_if_wrong(self) -> None:
        """Raise `GradientError`, with the table, if an input is wrong."""
        if any(check.verdict == "wrong" for check in self.inputs):
            raise GradientError(f"the gradient disagrees with finite differences\n{self}", self)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain data; non-finite numbers are strings."""
        inputs = [_plain(asdict(check)) for check in self.inputs]
        return {
            "ok": self.ok,
            "evaluations": self.evaluations,
            "inputs": inputs,
            "explanation": self.explanation,
        }

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                c.label if c.order == 1 else f"{c.label}, order {c.order}",
                f"{c.analytic:.12g}",
                f"{c.numeric:.12g}",
                f"{abs(c.analytic - c.numeric):.1e}",
                f"{c.tolerance:.1e}",
                c.verdict,
            )
            for c in self.inputs
        ]

    def _notes(self) -> list[str]:
        notes = [f"first wrong op: {self.culprit}"] if self.culprit else []
        return notes + ([self.explanation] if self.explanation else [])

    def __str__(self) -> str:
        rows = [HEADER, *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for first, *numbers, verdict in rows:
            cells = [first.ljust(widths[0])]
            cells += [n.rjust(width) for n, width in zip(numbers, widths[1:-1], strict=True)]
            lines.append("  ".join([*cells, verdict]))
        return "\n".join(lines + self._notes())

    __repr__ = __str__

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(caption="\n".join(self._notes()) or None, caption_justify="left")
        for i, title in enumerate(HEADER):
            table.add_column(title, justify="right" if 0 < i < len(HEADER) - 1 else "left")
        for *cells, verdict in self._rows():
            table.add_row(*map(Text, cells), Text(verdict, style=STYLES.get(verdict, "")))
        return table

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        head = "".join(f"<th>{title}</th>" for title in HEADER)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
            for row in self._rows()
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return {"text/plain": str(self), "text/html": table + notes}


def gradcheck(
    f: Callable[..., Any],
    *args: Any,
    gradient: Callable[..., Any] | Sequence[Any] | float | None = None,
    order: int = 1,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
) -> Report:
    """Return a report that compares the gradient of ``f`` at ``args`` with differences.

    No step size and no tolerance is asked for: both follow from the function, its graph and
    the rounding errors. Where an input is wrong, the first wrong op of the graph is named:
    first in topological order, so that everything it depends on is right.

    Args:
        f: takes scalars and flat lists of scalars, returns a scalar. With ``gradient``, it is
            called with plain floats (and NumPy arrays where ``args`` has some) and may compute
            with anything.
        args: where to check; Values give their labels to the report. If ``f`` takes no
            arguments, these are leaves that it uses otherwise, such as ``model.parameters()``:
            their ``.data`` is moved, and set back whatever happens.
        gradient: the derivatives to check in place of the engine's: numbers shaped like
            ``args``, or a function of ``args`` that returns them.
        order: 2 checks the gradient's gradient as well, and so on. It is checked for a fixed
            random combination of the first derivatives, in which each of them has a part.
        rtol, atol: tolerance, relative and absolute, in place of the one that follows from
            the estimated error of the differences.
        seed: of the random directions; from 200 scalars on, three of them are checked in
            place of the single inputs.

    Raises:
        TypeError: ``args`` is empty or malformed, or doesn't fit ``f``.
        DomainError: ``f`` is undefined at ``args``.

    Cost: at most 30 evaluations of ``f`` per input, mostly 9; in random directions, at most 90
    in all.

    >>> print(gradcheck(lambda x, y: x**2 * y, 3.0, 5.0))  # doctest: +ELLIPSIS
    input  analytic  numeric  difference  tolerance  verdict
    x            30       30     ...  ok
    y             9        9     ...  ok
    """
    if not args:
        raise TypeError("gradcheck needs the point to check at: gradcheck(f, x, ...)")
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order is 1, 2, ..., got {order!r}")
    if gradient is not None and order != 1:
        raise ValueError("a gradient of your own is checked to order 1; leave order out")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance is not None and not real(tolerance) >= 0:
            raise ValueError(f"{name} is a number of at least 0, got {tolerance!r}")
    point = [_Argument(arg, name) for arg, name in zip(args, _names(f, len(args)), strict=True)]
    x = [number for arg in point for number in arg.numbers]
    labels = [label for arg in point for label in arg.labels]
    checks: list[InputCheck] = []
    explanation = ""
    function: _Function
    evaluations = 0
    first: _Function | None = None
    for k in range(1, order + 1):
        if gradient is not None:
            function = _Foreign(f, point, _given(gradient, point))
        elif _is_closure(f, args):
            function = _Closure(f, point, k, seed)
        else:
            function = _Recorded(f, point, k, seed)
        first = first or function
        found, why = _check(function, x, labels, k, rtol, atol, seed)
        checks += found
        explanation = explanation or why
        evaluations += function.evaluations
    return Report(tuple(checks), evaluations, first.root if first else None, explanation)


def _check(
    function: _Function,
    x: list[float],
    labels: list[str],
    order: int,
    rtol: float | None,
    atol: float | None,
    seed: int,
) -> tuple[list[InputCheck], str]:
    """Return the verdict for each input or direction, and what explains a wrong one."""
    middle = function.evaluate(x)
    function.remember()
    graph, analytic = function.graph, function.gradient
    checks: list[InputCheck] = []
    unexplained = False
    for index, (label, direction) in enumerate(_directions(x, labels, seed)):
        single = len(direction) == 1
        i = next(iter(direction))
        start = x[i] if single else 0.0
        near = NEAR * max(1.0, abs(start))

        def along(t: float, direction: dict[int, float] = direction, single: bool = single) -> Any:
            moved = list(x)
            for j, speed in direction.items():
                moved[j] = t if single else x[j] + t * speed
            return function.at(moved)

        motion, noise = Motion(0.0, math.inf, 0.0), None
        if graph:
            leaves = {function.leaves[j]: speed for j, speed in direction.items()}
            motion, noise = graph.along(leaves, near), graph.noise
        claimed = total(analytic[j] * speed for j, speed in direction.items())
        if not single:
            noise = (noise or 0.0) + total(math.ulp(x[j]) * abs(analytic[j]) for j in direction)
        result = compare(
            Line(along, start, middle, noise, is_same_piece),
            Claim(claimed, motion.doubt, rtol, atol),
            first_steps(motion.radius, start),
            radius=motion.radius,
            near=near if motion.kink <= near else 0.0,
        )
        verdict, culprit = result.verdict, None
        if verdict == "wrong":
            culprit = function.culprit(i if single else None)
            if culprit is None and not math.isfinite(claimed):
                verdict = "undefined"
            unexplained = unexplained or (culprit is None and verdict == "wrong")
        checks.append(
            InputCheck(
                index, label, claimed, result.numeric, result.error, result.tolerance, verdict,
                culprit, result.rate, order,
            )
        )  # fmt: skip
    return checks, function.excuse if unexplained else ""


def _directions(x: list[float], labels: list[str], seed: int) -> list[tuple[str, dict[int, float]]]:
    """Return the ways to move: one input each, or all of them at random speeds."""
    if len(x) < MANY:
        return [(label, {i: 1.0}) for i, label in enumerate(labels)]
    draw = random.Random(seed)
    return [
        (
            f"direction {k + 1} of {DIRECTIONS} ({len(x):,} scalars)",
            {i: draw.choice((-1, 1)) * draw.uniform(0.5, 1.5) for i in range(len(x))},
        )
        for k in range(DIRECTIONS)
    ]


class _Argument:
    """One argument of the user's function: a scalar, a flat list, or a NumPy array."""

    def __init__(self, arg: Any, name: str) -> None:
        self.given = arg
        self.shape: tuple[int, ...] | None = None
        self.is_list = isinstance(arg, list | tuple)
        if hasattr(arg, "__array__") and hasattr(arg, "shape") and arg.shape != ():
            if not hasattr(arg, "flat"):
                raise TypeError(
                    f"{name} is a {type(arg).__name__}: give lists or NumPy arrays, and convert "
                    "them inside the function"
                )
            self.shape = tuple(arg.shape)
        items = list(arg.flat if self.shape else arg if self.is_list else [arg])
        self.leaves = [item for item in items if isinstance(item, Value)]
        self.numbers = [item.data if isinstance(item, Value) else real(item) for item in items]
        self.labels = [
            (item.label if isinstance(item, Value) else "")
            or (f"{name}[{j}]" if self.is_list or self.shape else name)
            for j, item in enumerate(items)
        ]

    def filled(self, items: list[Any]) -> Any:
        """Return an argument like the given one, with other scalars."""
        if self.shape is not None:
            array = self.given.astype(float)
            array.flat[:] = items
            return array
        return list(items) if self.is_list else items[0]


def _filled(point: list[_Argument], items: list[Any]) -> list[Any]:
    rest = iter(items)
    return [arg.filled([next(rest) for _ in arg.numbers]) for arg in point]


class _Function:
    """The user's function, ready to be evaluated anywhere.

    Attributes:
        evaluations: how often it was called, the first time, at the point itself, included.
        gradient, graph, leaves, root: of the evaluation that `remember` was told to keep.
    """

    graph: Linearization | None = None
    root: Value | None = None

    def __init__(self) -> None:
        self.evaluations = 1
        self.leaves: list[Value] = []
        self.gradient: list[float] = []

    def at(self, x: list[float]) -> Sample | None:
        """Return the value at a point, None where there is none."""
        self.evaluations += 1
        try:
            return self.evaluate(x)
        except (ArithmeticError, ValueError):
            return None

    def evaluate(self, x: list[float]) -> Sample:
        """Return the value at a point; raises whatever the user's function does."""
        raise NotImplementedError

    def remember(self) -> None:
        """Keep gradient and graph of the evaluation just made."""

    @property
    def excuse(self) -> str:
        """What to say if the gradient is wrong and no op is to blame."""
        return ""

    def culprit(self, leaf: int | None) -> Culprit | None:
        """Return the first wrong op on the way from an input, from any if None."""
        return None


class _Foreign(_Function):
    """A function of plain numbers, with a gradient that came from elsewhere."""

    def __init__(
        self, f: Callable[..., Any], point: list[_Argument], gradient: list[float]
    ) -> None:
        super().__init__()
        self._f, self._point = f, point
        self.gradient = gradient

    def evaluate(self, x: list[float]) -> Sample:
        return Sample(_scalar(self._f(*_filled(self._point, x)), RESULT))


class _Recorded(_Function):
    """A function of Values, or its directional derivative of some order."""

    def __init__(
        self, f: Callable[..., Any], point: list[_Argument], order: int, seed: int
    ) -> None:
        super().__init__()
        self._f, self._point, self._order, self._seed = f, point, order, seed
        self._labels = [label for arg in point for label in arg.labels]
        self._out: Any = 0.0
        self._last: list[Value] = []

    def evaluate(self, x: list[float]) -> Sample:
        self._last = [Value(number, label) for number, label in zip(x, self._labels, strict=True)]
        return self._sample(self._f(*_filled(self._point, list(self._last))))

    def _sample(self, out: Any) -> Sample:
        draw = random.Random(self._seed)
        for _ in range(self._order - 1):
            slopes = gradients(out, self._last) if isinstance(out, Value) else []
            out = 0.0
            for slope in slopes:
                out = out + slope * (draw.choice((-1, 1)) * draw.uniform(0.5, 1.5))
        self._out = out
        return Sample(_scalar(out, RESULT), branch(out) if isinstance(out, Value) else None)

    def remember(self) -> None:
        self.leaves = self._last
        if isinstance(self._out, Value):
            self.root = self._out
            self.graph = Linearization(self._out)
            self.gradient = [g.data for g in gradients(self._out, self.leaves)]
        else:
            self.gradient = [0.0] * len(self._last)

    @property
    def excuse(self) -> str:
        if self.graph is None:
            return (
                "the function returned a plain number, so that nothing was recorded: compute "
                "with Values, or give the derivatives by gradient="
            )
        return (
            "every recorded op is right, so part of the computation was not recorded: look for "
            "float(v), v.data, functions of math, or no_grad()"
        )

    def culprit(self, leaf: int | None) -> Culprit | None:
        found = self._first_culprit(leaf)
        if found and not found.where:
            self._record_lines()
            found = self._first_culprit(leaf)
        return found

    def _first_culprit(self, leaf: int | None) -> Culprit | None:
        if self.graph is None:
            return None
        return first_culprit(self.graph, None if leaf is None else self.leaves[leaf])

    def _record_lines(self) -> None:
        """Record the graph once more, so that its nodes know their source lines."""
        self.evaluations += 1
        try:
            with debug():
                self.evaluate([leaf.data for leaf in self.leaves])
        except ChainruleError:
            return  # what is an error under debug() has no lines to tell
        self.remember()


class _Closure(_Recorded):
    """A function of no arguments that uses the given leaves."""

    def __init__(
        self, f: Callable[..., Any], point: list[_Argument], order: int, seed: int
    ) -> None:
        super().__init__(f, point, order, seed)
        self._parameters = _leaves(point)

    def evaluate(self, x: list[float]) -> Sample:
        before = [leaf.data for leaf in self._parameters]
        try:
            for leaf, number in zip(self._parameters, x, strict=True):
                leaf.data = number
            self._last = self._parameters
            return self._sample(self._f())
        finally:
            for leaf, number in zip(self._parameters, before, strict=True):
                leaf.data = number


def _leaves(point: list[_Argument]) -> list[Value]:
    return [leaf for arg in point for leaf in arg.leaves]


def _is_closure(f: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Return whether ``f`` takes no arguments, and uses the leaves ``args`` otherwise.

    Raises:
        TypeError: ``f`` can be called neither with ``args`` nor without.
    """
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(*args)
    except TypeError as error:
        try:
            signature.bind()
        except TypeError:
            name = getattr(f, "__name__", "the function")
            raise TypeError(
                f"{name} can't be called with {len(args)} argument(s): {error}"
            ) from None
    else:
        return False
    flat: list[Any] = []
    for arg in args:
        flat += arg if isinstance(arg, list | tuple) else [arg]
    if not all(isinstance(item, Value) and item.op is None for item in flat):
        raise TypeError("the function takes no arguments, so what is checked must be leaf Values")
    if len(set(flat)) < len(flat):
        raise TypeError("a leaf is given twice")
    return True


def _names(f: Callable[..., Any], n: int) -> list[str]:
    """Return the names of the first n parameters, ``arg0``, ... where there are none."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(f).parameters
        names = [p.name for p in parameters.values() if p.kind in positional]
    except (TypeError, ValueError):
        names = []
    if isinstance(f, Op) and f.arity:
        names = list(f.parameters)
    return [*names, *(f"arg{i}" for i in range(len(names), n))][:n]


def _given(gradient: Any, point: list[_Argument]) -> list[float]:
    """Return a gradient of the user's own, as one flat list."""
    numbers = [number for arg in point for number in arg.numbers]
    found = gradient(*_filled(point, numbers)) if callable(gradient) else gradient
    flat: list[float] = []
    stack = [found]
    while stack:
        part = stack.pop()
        if hasattr(part, "tolist"):
            part = part.tolist()
        if isinstance(part, list | tuple):
            stack.extend(reversed(part))
        else:
            flat.append(_scalar(part, "gradient must give scalars"))
    if len(flat) != len(numbers):
        raise TypeError(f"gradient has {len(flat)} number(s) for {len(numbers)} input(s)")
    return flat


def _scalar(x: Any, wanted: str) -> float:
    """Return the number that a function returned, of whatever kind it is."""
    if isinstance(x, Value):
        return x.data
    if hasattr(x, "item") and not isinstance(x, float):
        x = x.item()
    try:
        return real(x)
    except TypeError as error:
        raise TypeError(f"{wanted}: {error}") from None


def _plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _plain(item) for key, item in x.items()}
    return json_number(x) if isinstance(x, float) else x
