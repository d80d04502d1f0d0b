"""How an answer does: right, or wrong at the simplest point that shows it."""

from __future__ import annotations

import math
import operator
import traceback
import warnings
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from autograd.checking.check import gradcheck
from autograd.checking.report import Report
from autograd.checking.verdict import CONFIRMED
from autograd.command.grading.answer import Answer, answer_to, names_answered
from autograd.command.grading.asked import Task
from autograd.command.script import Script
from autograd.command.usage import UsageError
from autograd.engine import Value
from autograd.errors import ChainruleError, DomainError, quoted
from autograd.operand import real

VALUE_TOLERANCE = 1e-9
"""How far a value may be off, relative to it or to 1: rounding, however it was computed."""

MORE_POINTS = 2
"""At so many more points is looked, if there are, before it is said how an answer is wrong."""

BLAMED = "wrong is "
"""What the op to blame stands after."""


class Counterexample(NamedTuple):
    """The simplest point found at which an answer is wrong.

    Attributes:
        of: which number it is, such as ``d/dx``.
        at: the point, as it is written: ``x = 1, n = 2``.
        gives: the number by the answer.
        right: the one that it should be.
        how: in words, in what way it is wrong, if that can be seen; and which op is to blame.
    """

    of: str
    at: str
    gives: float
    right: float
    how: str


class Mark(NamedTuple):
    """How a task was answered.

    Attributes:
        verdict: ``right``, ``wrong``, ``fails``, ``missing``, or ``unclear``: nowhere asked does
            the function have a derivative that can be measured.
        where: the line of the answer.
        found: where it is wrong.
        said: what else there is to say.
    """

    task: Task
    verdict: str
    where: str = ""
    found: Counterexample | None = None
    said: str = ""

    @property
    def score(self) -> float:
        """What the answer earns."""
        return self.task.score if self.verdict == "right" else 0.0


def mark(task: Task, script: Script) -> Mark:
    """Return how a student's file answers a task.

    Raises:
        UsageError: the task itself can't be put.
    """
    where, answer = "", None
    try:
        answer = answer_to(task, script)
        if answer is None:
            return Mark(task, "missing", said=_hint(task, script))
        where = answer.where
        found, confirmed = _tried(task, answer)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        if answer is not None and answer.own and not _is_theirs(error, script):
            return Mark(task, "missing", said=f"its Value can't compute it: {said}")
        return Mark(task, "fails", where, said=said)
    if found:
        return Mark(task, "wrong", where, found)
    return Mark(task, "right" if confirmed else "unclear", where, said=_reflected(answer))


def _hint(task: Task, script: Script) -> str:
    found = script.names.get(f"d_{task.name}")
    if found is not None:
        return f"d_{task.name} is {quoted(found)}, not a function"
    rules = script.names.get("rules")
    if rules is not None and not isinstance(rules, dict):
        return f'rules is {quoted(rules)}, not a dict such as {{"{task.name}": lambda y, x: ...}}'
    close = get_close_matches(task.name, names_answered(script), n=1)
    return f"is it {close[0]}?" if close else ""


def _tried(task: Task, answer: Answer) -> tuple[Counterexample | None, bool]:
    """Return the first point at which an answer is wrong, and whether it is right anywhere."""
    confirmed = False
    for point in task.points:
        out = _value(task, point)
        if out is None:
            continue
        found, right = _at(task, answer, point, out)
        if found:
            for simpler in _rounded(point):
                value = _value(task, simpler)
                again = value is not None and _at(task, answer, simpler, value)[0]
                if again:
                    return _everywhere(again, task, answer), confirmed
            return _everywhere(found, task, answer), confirmed
        if right and not confirmed and answer.twice and (found := _twice(task, answer, point)):
            return found, confirmed
        confirmed |= right
    return None, confirmed


def _everywhere(found: Counterexample, task: Task, answer: Answer) -> Counterexample:
    """Return a counterexample that says only in what way the answer is wrong elsewhere, too.

    3 x in place of 3 x**2 is half of it at 2, by chance.
    """
    seen = 1
    for point in task.points:
        if not found.how or seen > MORE_POINTS:
            break
        try:
            value = _value(task, point)
            other = None if value is None else _at(task, answer, point, value)[0]
        except Exception:
            continue
        if other and other.of == found.of and other.at != found.at:
            parts = found.how.split("; ")
            said = [part for part in parts if part in other.how or part.startswith(BLAMED)]
            found = found._replace(how="; ".join(said))
            seen += 1
    return found


def _is_theirs(error: BaseException, script: Script) -> bool:
    """Return whether it is the student's own code that raised an error."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_code.co_filename == script.path


def _reflected(answer: Answer) -> str:
    """Return what is to be said of a class that can't do the same with a number first."""
    if answer.operator not in ("add", "sub", "mul", "truediv"):
        return ""
    try:
        getattr(operator, answer.operator)(1.0, answer.own(2.0))
    except Exception as error:
        return f"with a number first, as in 1 + x: {type(error).__name__}: {error}"
    return ""


def _rounded(point: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Yield the point with fewer digits: the counterexample is to be read."""
    for digits in (0, 1):
        simpler = tuple(round(x, digits) + 0.0 for x in point)
        if simpler != tuple(point):
            yield simpler


def _value(task: Task, point: tuple[float, ...]) -> float | None:
    """Return the function's value at a point, None where it has none."""
    try:
        found = task.function(*point)
        out = math.nan if isinstance(found, complex) else real(found)
    except (DomainError, ArithmeticError, ValueError):
        return None
    except Exception as error:
        raise UsageError(
            f"{task.name}({', '.join(map(str, point))}), which is asked for, fails: "
            f"{type(error).__name__}: {error}"
        ) from error
    return out if math.isfinite(out) else None


def _at(
    task: Task, answer: Answer, point: tuple[float, ...], out: float
) -> tuple[Counterexample | None, bool]:
    """Return how an answer is wrong at a point, and whether it is confirmed there."""
    try:
        value, slopes = answer.at(point, out)
    except (ArithmeticError, ValueError):
        if _has_slopes(task, point):
            raise
        return None, False
    if value is not None and not abs(value - out) <= VALUE_TOLERANCE * max(1.0, abs(out)):
        how = ""
        if len(point) == 1 and gradcheck(task.function, *point, gradient=[value]).ok:
            how = f"that is the derivative: call it d_{task.name}"
        return Counterexample("value", _written(task, point), value, out, how), False
    if len(slopes) != len(point):
        raise TypeError(f"it gives {len(slopes)} derivative(s) for {len(point)} argument(s)")
    given = [0.0 if slope is None else slope for slope in slopes]
    report = gradcheck(task.function, *point, gradient=given)
    asked = [check for check in report.inputs if slopes[check.index] is not None]
    wrong = next((check for check in asked if check.verdict == "wrong"), None)
    if wrong is None:
        return None, all(check.verdict in CONFIRMED for check in asked)
    exact = _exact(task, point, report)
    how = _how(wrong.analytic, exact, wrong.index, task.parameters)
    if answer.graph is not None and (culprit := gradcheck(answer.graph, *point).culprit):
        how = "; ".join(filter(None, [how, f"{BLAMED}{culprit}"]))
    of = f"d/d{task.parameters[wrong.index]}"
    found = Counterexample(of, _written(task, point), wrong.analytic, exact[wrong.index], how)
    return found, False


def _has_slopes(task: Task, point: tuple[float, ...]) -> bool:
    """Return whether the function has derivatives at a point: they are what is measured there."""
    measured = gradcheck(task.function, *point, gradient=[0.0] * len(point)).inputs
    slopes = [check.numeric for check in measured]
    if not all(map(math.isfinite, slopes)):
        return False
    report = gradcheck(task.function, *point, gradient=slopes)
    return all(check.verdict == "ok" for check in report.inputs)


def _twice(task: Task, answer: Answer, point: tuple[float, ...]) -> Counterexample | None:
    """Return how an answer that is right goes wrong where its arguments are used twice."""
    assert answer.twice is not None
    _, once = answer.at(point, math.nan)
    _, slopes = answer.twice(point)
    for name, one, both in zip(task.parameters, once, slopes, strict=True):
        if (
            one is not None
            and both is not None
            and abs(both - 2 * one) > VALUE_TOLERANCE * abs(one)
        ):
            at = f"{_written(task, point)}, used twice and added"
            how = "gradients add up where a Value is used twice: += in place of ="
            return Counterexample(f"d/d{name}", at, both, 2 * one, how)
    if answer.operator != "add":
        return None
    # Once for the whole engine: y is used again after y + y, which an unsorted walk meets early.
    leaves = [answer.own(x) for x in point]
    y = leaves[0] + leaves[1]
    ((y + y) + y).backward()
    if abs(leaves[0].grad - 3.0) <= VALUE_TOLERANCE:
        return None
    at = f"{_written(task, point)}, in (y + y) + y with y = {' + '.join(task.parameters)}"
    how = "backward comes to a node before all that use it have been there: sort the nodes first"
    return Counterexample(f"d/d{task.parameters[0]}", at, float(leaves[0].grad), 3.0, how)


def _exact(task: Task, point: Iterable[float], report: Report) -> list[float]:
    """Return the derivatives that a report has measured, with all digits where that can be.

    A function may cut the graph, as math's functions do: then the engine knows less.
    """
    measured = [check.numeric for check in report.inputs]
    leaves = [Value(x) for x in point]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            task.function(*leaves).backward()
    except (ChainruleError, ArithmeticError, AttributeError, TypeError, ValueError):
        return measured
    slopes = [leaf.grad for leaf in leaves]
    same = all(
        abs(slope - check.numeric) <= check.tolerance
        for slope, check in zip(slopes, report.inputs, strict=True)
    )
    return slopes if same else measured


def _written(task: Task, point: Iterable[float]) -> str:
    pairs = zip(task.parameters, point, strict=True)
    return ", ".join(f"{name} = {x:g}" for name, x in pairs)


def _how(gives: float, exact: Sequence[float], slot: int, parameters: Sequence[str]) -> str:
    """Return in words in what way a derivative is wrong, "" if that can't be seen.

    >>> _how(-2.0, [2.0], 0, ["x"])
    'the sign is wrong'
    >>> _how(3.0, [2.0, 3.0], 0, ["a", "b"])
    'that is the derivative by b'
    """
    right = exact[slot]
    others = [name for name, x in zip(parameters, exact, strict=True) if x == gives and x != right]
    if not math.isfinite(gives):
        return "it is not a number" if math.isnan(gives) else "it is not finite"
    if right and abs(gives + right) <= VALUE_TOLERANCE * abs(right):
        return "the sign is wrong"
    if others:
        return f"that is the derivative by {others[0]}"
    ratio = gives / right if right else math.inf
    for factor in (2, 3, 4, 10):
        if abs(ratio - factor) <= VALUE_TOLERANCE * factor:
            return f"{factor} times what it should be"
        if abs(ratio * factor - 1) <= VALUE_TOLERANCE:
            return f"1/{factor} of what it should be"
    return ""
