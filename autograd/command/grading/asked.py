"""What is asked of a student: functions, and where their derivatives are wanted."""

from __future__ import annotations

import inspect
import itertools
import math
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd.command.script import Script
from autograd.command.usage import UsageError
from autograd.errors import quoted
from autograd.operand import real
from autograd.operation import Op

SIMPLE = (1.0, 2.0, -1.0, 0.5, 3.0, -2.0, 0.0, 0.1, -0.5, 10.0)
"""Numbers that a counterexample is first looked for among, the simplest first."""

TRIED = 12
"""So many points of simple numbers, and as many random ones, where a task names none."""

SPREAD = 3.0
"""Random points are within this distance of 0."""

VARIADIC = 3
"""With so many arguments a task is asked that takes any number."""


class Task(NamedTuple):
    """A derivative that is asked for.

    Attributes:
        function: what is to be derived, of numbers or of anything it computes with.
        parameters: the names of its arguments.
        points: where it is asked.
        score: what a right answer is worth.
    """

    name: str
    function: Callable[..., Any]
    parameters: list[str]
    points: list[tuple[float, ...]]
    score: float


def tasks_in(script: Script) -> list[Task]:
    """Return what a teacher's file asks for: each of its functions and rows, in their order.

    Raises:
        UsageError: it asks for nothing, or its ``points`` or ``scores`` can't be used.
    """
    names = script.names
    points, scores = (_mapping(script, name) for name in ("points", "scores"))
    found = {
        name: function
        for name, function in names.items()
        if name in points
        or name in scores
        or (isinstance(function, Op) and not function.is_built_in)
        or (not name.startswith("_") and is_of(script, function) and parameters_of(function))
    }
    if lost := [name for name in [*points, *scores] if not callable(names.get(name))]:
        raise UsageError(f"{script.path}: points and scores are of its functions, not {lost[0]!r}")
    if not found:
        raise UsageError(
            f"{script.path} asks for nothing: write the functions whose derivatives are asked "
            "for, as in def square(x): return x * x"
        )
    return [
        task_of(script.path, name, function, points.get(name), scores.get(name, 1))
        for name, function in found.items()
    ]


def _mapping(script: Script, name: str) -> dict[str, Any]:
    given = script.names.get(name, {})
    if not isinstance(given, dict):
        raise UsageError(
            f'{script.path}: {name} is a dict by the names of its functions, as in {{"log": ...}}'
        )
    return given


def task_of(path: str, name: str, function: Any, points: Any, score: Any) -> Task:
    """Return what is asked of one function.

    Raises:
        UsageError: it has no argument to be derived by, or its points or score can't be used.
    """
    parameters = parameters_of(function)
    if not parameters:
        raise UsageError(
            f"{path}: {name} takes no argument that its derivative could be asked by: leave it "
            "out of points and scores"
        )
    try:
        worth = real(score)
    except TypeError:
        worth = math.nan
    if not 0 <= worth < math.inf:
        raise UsageError(f"{path}: the score of {name} is a number of at least 0, not {score!r}")
    if points is None:
        return Task(name, function, parameters, points_for(len(parameters)), worth)
    try:
        given = [
            tuple(map(real, point if isinstance(point, tuple | list) else [point]))
            for point in points
        ]
    except TypeError:
        given = []
    if not given or any(len(point) != len(parameters) for point in given):
        example = ", ".join(["0.5"] * len(parameters)) + "," * (len(parameters) == 1)
        raise UsageError(
            f"{path}: the points of {name} are a list of tuples of {len(parameters)} number(s), "
            f"as in [({example})], not {quoted(points)}"
        )
    return Task(name, function, parameters, given, worth)


def is_of(script: Script, function: Any) -> bool:
    """Return whether something is a function that a file defines itself."""
    return inspect.isfunction(function) and function.__code__.co_filename == script.path


def parameters_of(function: Any) -> list[str]:
    """Return the names of a function's arguments; of any number, of three."""
    if isinstance(function, Op):
        return list(function.parameters) if function.arity else _numbered("x")
    names: list[str] = []
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ["x"]
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += _numbered(parameter.name)
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD) and (
            parameter.default is parameter.empty
        ):
            names.append(parameter.name)
    return names


def _numbered(name: str) -> list[str]:
    return [f"{name}{i + 1}" for i in range(VARIADIC)]


def points_for(count: int) -> list[tuple[float, ...]]:
    """Return where a function of ``count`` arguments is asked: the simplest points first.

    >>> points_for(2)[:4]
    [(1.0, 1.0), (1.0, 2.0), (2.0, 1.0), (1.0, -1.0)]
    """
    rng = random.Random(count)
    rungs = itertools.product(range(min(len(SIMPLE), TRIED if count < 3 else 3)), repeat=count)
    ladder = sorted(itertools.islice(rungs, 10_000), key=lambda rung: (sum(rung), rung))
    simple = [tuple(SIMPLE[i] for i in rung) for rung in ladder[:TRIED]]
    return simple + [
        tuple(round(rng.uniform(-SPREAD, SPREAD), 3) for _ in range(count)) for _ in range(TRIED)
    ]
