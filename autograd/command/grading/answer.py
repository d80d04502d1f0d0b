"""What a student answered, in whichever of the ways that rules are written in."""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any, NamedTuple

from autograd.command.grading.asked import Task, is_of, task_of
from autograd.command.script import Script
from autograd.command.usage import UsageError
from autograd.engine import Value
from autograd.errors import quoted
from autograd.operand import real
from autograd.operation import TABLE, Op

Slopes = tuple[float | None, list[float | None]]
"""The value, if the answer says one, and the derivative by each argument it takes as a Value."""


class Answer(NamedTuple):
    """What the student wrote for a task.

    Attributes:
        at: value and derivatives at a point, where the task's value is known.
        where: the line that it stands in, "" if there is none.
        graph: the function of Values, where it is one, in which a wrong op can be found.
        twice: the derivatives where it is used twice and the results are added.
        own: the class that computes it, where it is the student's.
        operator: Python's name of the operator that is asked of that class, if it is one.
    """

    at: Callable[[tuple[float, ...], float], Slopes]
    where: str = ""
    graph: Callable[..., Any] | None = None
    twice: Callable[[tuple[float, ...]], Slopes] | None = None
    own: Any = None
    operator: str = ""


def tasks_of_rows(script: Script) -> list[Task]:
    """Return a task for each row of the table that a student's file has rules for.

    Raises:
        UsageError: there is none.
    """
    names = [name for name in names_answered(script) if name in TABLE]
    if not names:
        raise UsageError(
            f"{script.path} has no rule for a row of the table: write rules = "
            '{"tanh": lambda y, x: 1 - y * y}, or say by --rules table.py what is asked'
        )
    return [
        task_of(script.path, name, TABLE[name], None, 1) for name in TABLE if name in set(names)
    ]


def unasked(script: Script, asked: Iterable[str]) -> str:
    """Return what to say of ``rules`` of a name that isn't asked for, "" if there are none.

    Functions and classes of other names are the student's own affair.
    """
    rules, names = script.names.get("rules"), [*asked]
    unknown = [name for name in rules if name not in names] if isinstance(rules, dict) else []
    if not unknown:
        return ""
    close = get_close_matches(str(unknown[0]), names, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"nobody asks for the rule {quoted(unknown[0])}{hint}"


def names_answered(script: Script) -> list[str]:
    """Return the names that a student's file may have answered."""
    rules = script.names.get("rules")
    named = [name for name in rules if isinstance(name, str)] if isinstance(rules, dict) else []
    written = [
        name.removeprefix("d_")
        for name, found in script.names.items()
        if _is_own_row(found) or is_of(script, found)
    ]
    own = _own_class(script)
    methods = [
        name
        for name, row in TABLE.items()
        if own and (hasattr(own, name) or (row.operator and hasattr(own, f"__{row.operator}__")))
    ]
    return [*named, *written, *methods]


def answer_to(task: Task, script: Script) -> Answer | None:
    """Return what a student's file says of a task, None if nothing.

    In this order: ``rules[name]``, a rule or one for each argument, ``(out, *args) -> d out /
    d arg`` as an `Op` takes them; an `Op` of that name; a function ``d_name`` that returns the
    derivative, or one for each argument; a function of Values of that name; or that operation
    of a class Value of the student's own.
    """
    name, names = task.name, script.names
    rules = names.get("rules")
    if isinstance(rules, dict) and name in rules:
        return _by_rules(rules[name])
    found = names.get(name)
    rows = [row for row in names.values() if _is_own_row(row) and row.name == name]
    if _is_own_row(found) or rows:
        return _by_graph(found if _is_own_row(found) else rows[0])
    if callable(derivative := names.get(f"d_{name}")):
        return Answer(lambda args, out: (None, _listed(derivative(*args))), _line(derivative))
    own = _own_class(script)
    if found is not None and is_of(script, found):
        return _by_own_class(found, own, _line(found)) if own else _by_graph(found)
    if own:
        called = getattr(task.function, "operator", "")
        if called:
            method = getattr(own, f"__{called}__", None)
            found = _by_own_class(getattr(operator, called), own, _line(method))
            return found._replace(own=own, operator=called)
        operation = getattr(own, name, None)
        if operation is None and not isinstance(task.function, Op):
            operation = _put_to(own, task.function)
            return _by_own_class(operation, own, "")._replace(own=own)
        if operation is not None:
            return _by_own_class(operation, own, _line(operation))
    return None


SPELLED: dict[str, Callable[..., Any]] = {
    "sqrt": lambda x: x**0.5,
    "pow": operator.pow,
    "fabs": abs,
}
"""Functions that a class may have as operators only."""


def _put_to(own: type, function: Any) -> Callable[..., Any]:
    """Return a teacher's function for a student's Values: it calls their methods for functions.

    ``exp(x)`` becomes ``x.exp()``, whether exp is math's or the engine's, and so does
    ``math.exp(x)``.
    """

    def method_or(name: str, plain: Any) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if not args or not isinstance(args[0], own):
                return plain(*args)
            if hasattr(own, name):
                return getattr(args[0], name)(*args[1:])
            if name in SPELLED:
                return SPELLED[name](*args)
            raise AttributeError(f"it has no {name}()")

        return call

    def put(*args: Any) -> Any:
        names = function.__globals__
        rows = {
            name: found
            for name, found in names.items()
            if isinstance(found, Op) or (name in TABLE and inspect.isbuiltin(found))
        }
        modules = {name: found for name, found in names.items() if found is math}
        mine = {name: getattr(math, name) for name in dir(math)}
        methods = {
            name: method_or(name, found) if callable(found) else found
            for name, found in mine.items()
        }
        names.update({name: method_or(name, found) for name, found in rows.items()})
        names.update(dict.fromkeys(modules, SimpleNamespace(**methods)))
        try:
            return function(*args)
        finally:
            names.update(rows | modules)

    return put


def _is_own_row(found: Any) -> bool:
    """Return whether something is a row that the student made; the engine's own are right."""
    return isinstance(found, Op) and not found.is_built_in


def _own_class(script: Script) -> type | None:
    own = script.names.get("Value")
    return own if isinstance(own, type) and own is not Value else None


def _by_rules(rules: Any) -> Answer:
    if callable(rules):
        return Answer(lambda args, out: (None, _listed(_ruled(rules, out, args))), _line(rules))
    if not isinstance(rules, tuple | list):
        raise TypeError(f"a rule is a function of the result and the arguments, not {rules!r:.60}")
    return Answer(
        lambda args, out: (None, [_number(_ruled(rule, out, args)) for rule in rules]),
        _line(rules[0]) if rules else "",
    )


def _ruled(rule: Callable[..., Any], out: float, args: tuple[float, ...]) -> Any:
    """Return what a rule gives, of result and arguments, or of the arguments alone."""
    try:
        taken = [parameter.kind for parameter in inspect.signature(rule).parameters.values()]
    except (TypeError, ValueError):
        taken = []
    is_any = inspect.Parameter.VAR_POSITIONAL in taken
    return rule(*args) if len(taken) == len(args) and not is_any else rule(out, *args)


def _by_graph(function: Any) -> Answer:
    def result(leaves: list[Any]) -> Any:
        found = function(*leaves)
        if not isinstance(found, Value):
            raise TypeError(
                f"it returns {quoted(found)} for Values, not a Value: use autograd's functions, "
                f"or call it d_{getattr(function, '__name__', 'name')} if it is the derivative"
            )
        return found

    return _by_backward(
        Value, result, "" if isinstance(function, Op) else _line(function), function
    )


def _by_own_class(operation: Callable[..., Any], own: type, where: str) -> Answer:
    return _by_backward(own, lambda leaves: operation(*leaves), where)


def _by_backward(
    own: Any,
    operation: Callable[[list[Any]], Any],
    where: str,
    graph: Callable[..., Any] | None = None,
) -> Answer:
    """Return what a backward pass says, on Values of the engine's or of the student's class."""

    def slopes(args: tuple[float, ...], uses: int) -> Slopes:
        leaves: list[Any] = [own(x) for x in args]
        try:
            results = [operation(leaves) for _ in range(uses)]
        except (AssertionError, TypeError):  # as x ** 2 is, of a class whose powers are numbers
            if len(args) == 1:
                raise
            leaves[1:] = args[1:]
            results = [operation(leaves) for _ in range(uses)]
        out = results[0] if uses == 1 else results[0] + results[1]
        out.backward()
        return _number(out.data), [
            _number(leaf.grad) if isinstance(leaf, own) else None for leaf in leaves
        ]

    return Answer(
        lambda args, out: slopes(args, 1), where, graph, twice=lambda args: slopes(args, 2)
    )


def _listed(given: Any) -> list[float | None]:
    plain = given.tolist() if hasattr(given, "tolist") else given  # NumPy's, of any shape
    return [_number(x) for x in (plain if isinstance(plain, tuple | list) else [plain])]


def _number(given: Any) -> float:
    """Return a number, whoever's: a Value's own is its data.

    Raises:
        TypeError: it is none.
    """
    plain = given.item() if hasattr(given, "item") else given
    data = plain if isinstance(plain, int | float) else getattr(plain, "data", plain)
    try:
        return real(data)
    except TypeError:
        raise TypeError(f"a derivative is a number, not {quoted(given)}") from None


def _line(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return f"line {code.co_firstlineno}" if code else ""
