"""Conditions typed by a user, for breakpoints: ``abs(grad) > 0.1 and op == "tanh"``.

The grammar is that of expressions, with comparisons, ``and``, ``or``, ``not`` and texts. A
number that an event does not have (the ``grad`` of a forward event, the ``local`` of a
completed node) is unknown, and so is what follows from it: such a comparison does not hold,
nor does its negation.

>>> from autograd import Stepper, Value
>>> stepper = Stepper(Value(3.0, label="x") ** 2)
>>> print(stepper.run(parse_condition('label == "x" and grad > 5')))
d n1/d x += upstream * local = 1.0 * 6.0 = 6.0   (total 6.0)   n1 = x ** 2, d n1/d x = 2 * x ** 1
>>> parse_condition("gard > 5")
Traceback (most recent call last):
    ...
autograd.errors.ExpressionError: there is no 'gard'; did you mean grad?
  gard > 5
  ^^^^
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import NoReturn

from autograd.command.expression import CONSTANTS, FUNCTIONS, Expression, Translator
from autograd.command.grammar import HINTS, OPERAND, OPERATORS, OTHER, Grammar, read, refuse_part
from autograd.errors import DomainError
from autograd.stepping import breakpoints as at
from autograd.stepping.breakpoints import Condition
from autograd.stepping.events import Event

Test = Callable[[Event], bool | None]
"""Whether something holds at an event; None where that is unknown."""

NUMBERS: dict[str, Callable[[Event], float | None]] = {
    "grad": lambda e: None if e.kind == "forward" else e.total,
    "total": lambda e: e.total,
    "product": lambda e: e.product,
    "local": lambda e: e.local,
    "upstream": lambda e: e.upstream,
    "data": lambda e: e.recording.value(e.subject),
    "contribution": lambda e: at.nth(e) or None,
    "position": lambda e: e.index + 1,
    "index": lambda e: e.index,
    "line": lambda e: e.node.origin[2] if e.node.origin else None,
}
TEXTS: dict[str, Callable[[str], Condition]] = {
    "label": at.on_label,
    "name": lambda name: Condition(lambda e: e.recording.name(e.subject) == name, f"name {name}"),
    "op": at.on_op,
    "kind": at.on_kind,
    "module": at.in_module,
}
FLAGS: dict[str, Callable[[], Condition]] = {"sign_change": at.sign_change}

ABOUT = """\
numbers  grad          the adjoint so far of the node that the event is about
         total         the number set: a value in the forward pass, else grad
         product       what an edge adds; upstream and local are its factors
         data          the value of the node
         contribution  1 for the first edge that reaches the node, and so on
         line          of the source that made the node
         position      of the event in the run; index counts from 0
texts    label  name  op  kind ("forward", "edge" or "done")
         module        "layers.0" is that module and all within it
tests    < <= > >= == !=  and  or  not  finite(grad)  sign_change"""

COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

SUMMARY = "a condition compares numbers and texts, as in abs(grad) > 0.1 and op == 'tanh'"
GRAMMAR = Grammar(
    re.compile(
        rf"""(?P<operand> {OPERAND} | "[^"\\]*" | '[^'\\]*' ) | [<>]=? | [=!]= | {OTHER}""",
        re.VERBOSE,
    ),
    OPERATORS | {"<", "<=", ">", ">=", "==", "!=", "and", "or", "not"},
    {word: hint for word, hint in HINTS.items() if word not in ("if", "else")}
    | {
        "=": "a comparison is written ==",
        "&": "write and",
        "|": "write or",
        "~": "write not",
        "!": "write not, or != between two things",
        "is": "a comparison is written ==",
        **dict.fromkeys("'\"", "a text ends with the quote it began with, without a backslash"),
        **dict.fromkeys("‘’“”", "texts stand between straight quotes"),
    },
    SUMMARY,
)


def parse_condition(source: str) -> Condition:
    """Return the condition that ``source`` spells.

    Raises:
        ExpressionError: it is not on the whitelist, or compares what can't be compared.
    """
    source, tree = read(source, GRAMMAR)
    test = _Reader(source).test(tree)
    return Condition(lambda event: test(event) is True, source)


class _Reader:
    """Turns a tree into a test of events."""

    def __init__(self, source: str) -> None:
        self.source = source

    def test(self, node: ast.expr) -> Test:  # noqa: RET503 - the last branch refuses
        match node:
            case ast.BoolOp(op=word, values=values):
                return _combined([self.test(value) for value in values], isinstance(word, ast.Or))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _negated(self.test(operand))
            case ast.Compare(left=left, ops=signs, comparators=others):
                sides = [left, *others]
                tests = [
                    self.comparison(node, a, sign, b)
                    for a, sign, b in zip(sides, signs, others, strict=False)
                ]
                return _combined(tests, False)
            case ast.Call(func=ast.Name(id="finite"), args=[arg], keywords=[]):
                return _applied(math.isfinite, self.number(arg))
            case ast.Call(func=ast.Name(id="finite")):
                self.refuse(node, "finite(x) takes one number")
            case ast.Name(id=name) if name in FLAGS:
                return FLAGS[name]()
            case ast.Name(id=name) if name in TEXTS:
                self.refuse(node, f'{name} is a text: compare it, as in {name} == "..."')
            case ast.Constant(value=str()):
                self.refuse(node, 'a text on its own is no condition: write, say, label == "x"')
            case _:
                self.number(node)  # refuses with a better reason what isn't a number either
                written = ast.get_source_segment(self.source, node) or ""
                self.refuse(node, f"this is a number: compare it, as in {written:.40} > 0.1")

    def comparison(self, node: ast.expr, a: ast.expr, sign: ast.cmpop, b: ast.expr) -> Test:
        if any(isinstance(x, ast.Constant) and isinstance(x.value, str) for x in (a, b)):
            return self.equality(node, a, sign, b)
        for one, other in ((a, b), (b, a)):
            if isinstance(one, ast.Name) and one.id in TEXTS:
                quoted = ast.unparse(other) if isinstance(other, ast.Name) else "..."
                self.refuse(other, f'{one.id} is a text: write {one.id} == "{quoted}"')
        compare = COMPARISONS.get(type(sign))
        if compare is None:
            self.refuse(node, SUMMARY)
        return _applied(compare, self.number(a), self.number(b))

    def equality(self, node: ast.expr, a: ast.expr, sign: ast.cmpop, b: ast.expr) -> Test:
        """Return the test of ``label == "x"`` or ``"x" != label``."""
        variable, text = (b, a) if isinstance(a, ast.Constant) else (a, b)
        if not isinstance(sign, ast.Eq | ast.NotEq):
            self.refuse(node, "texts are compared with == and !=")
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            self.refuse(text, "this is a number where a text is needed")
        if not (isinstance(variable, ast.Name) and variable.id in TEXTS):
            if isinstance(variable, ast.Name) and variable.id not in NUMBERS:
                self.refuse(variable, _unknown(variable.id))
            self.refuse(variable, f"only {', '.join(TEXTS)} are compared with a text")
        try:
            test = TEXTS[variable.id](text.value)
        except ValueError as error:
            self.refuse(text, str(error))
        return test if isinstance(sign, ast.Eq) else _negated(test)

    def number(self, node: ast.expr) -> Expression:
        return _Number(self.source).expression(node)

    def refuse(self, node: ast.AST, problem: str) -> NoReturn:
        refuse_part(self.source, node, problem)


class _Number(Translator):
    """Translates the numbers of a condition: its variables are those of an event."""

    def call(self, node: ast.Call, name: str, args: list[ast.expr]) -> int:
        if name == "finite":
            self.refuse(node.func, "finite is a test where a number is needed")
        return super().call(node, name, args)

    def variable(self, node: ast.AST, name: str) -> None:
        if name in TEXTS:
            self.refuse(node, f"{name} is a text where a number is needed")
        if name in (*FLAGS, "finite"):
            self.refuse(node, f"{name} is a test where a number is needed")
        if name in FUNCTIONS:
            self.refuse(
                node,
                f"{name} is a function: of a number, as in {name}(grad) > 0; where it is "
                f'computed, op == "{name}" holds',
            )
        if name not in NUMBERS and name not in CONSTANTS:
            self.refuse(node, _unknown(name))
        super().variable(node, name)


def _applied(test: Callable[..., bool], *numbers: Expression) -> Test:
    """Return the test of numbers; unknown where one of them is, or is undefined."""

    def apply(event: Event) -> bool | None:
        floats = []
        for number in numbers:
            values = {name: NUMBERS[name](event) for name in number.names}
            known = {name: float(value) for name, value in values.items() if value is not None}
            if len(known) < len(values):
                return None
            try:
                floats.append(number.evaluate(known))
            except DomainError:
                return None
        return test(*floats)

    return apply


def _combined(tests: list[Test], decisive: bool) -> Test:
    """Return the test that is ``decisive`` as soon as one of ``tests`` is: or, and."""

    def combine(event: Event) -> bool | None:
        unknown = False
        for test in tests:
            outcome = test(event)
            if outcome is decisive:
                return decisive
            unknown = unknown or outcome is None
        return None if unknown else not decisive

    return combine


def _negated(test: Test) -> Test:
    def negate(event: Event) -> bool | None:
        outcome = test(event)
        return None if outcome is None else not outcome

    return negate


def _unknown(name: str) -> str:
    known = [*NUMBERS, *TEXTS, *FLAGS]
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"a condition knows {', '.join(known)}"
    return f"there is no {name!r:.60}; {hint}"
