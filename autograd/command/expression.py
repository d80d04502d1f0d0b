"""Expressions typed by a user: checked against a whitelist, never evaluated by Python.

The text passes three gates. `autograd.command.grammar` has the first two: no unknown token, no
deep nesting, and a tree; a `Translator` turns the node types it knows into a postfix program over
the rows of the table, and refuses the rest. `autograd.command.condition` reads the conditions of
breakpoints through the same gates.

>>> parse("a * sin(b)").names
('a', 'b')
>>> parse("a * sin(b)").evaluate({"a": 2.0, "b": 0.0})
0.0
>>> parse("a * sine(b)")
Traceback (most recent call last):
    ...
autograd.errors.ExpressionError: there is no function 'sine'; did you mean sin?
  a * sine(b)
      ^^^^
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from operator import itemgetter
from typing import Any, NamedTuple, NoReturn, overload

from autograd import functions, ops
from autograd.command.grammar import GRAMMAR, SUMMARY, read, refuse_part
from autograd.engine import Value
from autograd.errors import ExpressionError
from autograd.operation import TABLE, Op

CONSTANTS = {"pi": math.pi, "e": math.e}

BINARY: dict[type[ast.operator], Op] = {
    ast.Add: ops.add,
    ast.Sub: ops.sub,
    ast.Mult: ops.mul,
    ast.Div: ops.div,
    ast.Pow: ops.pow,
}

NUMBER = 0
"""The size of a number; that of a list is its length, known before anything is evaluated."""


class Builtin(NamedTuple):
    """A function that expressions may call.

    Attributes:
        usage: how a message shows the call.
        takes: one letter per argument: n for a number, l for a list, * for numbers or one list.
        required: how many of them must be given.
        gives_list: whether the result is a list, as long as the one it takes.
    """

    apply: Callable[..., Any]
    usage: str
    takes: str
    required: int
    gives_list: bool = False


def _row(op: Op) -> Builtin:
    parameters = op.parameters
    return Builtin(op, f"{op.name}({', '.join(parameters)})", "n" * len(parameters), op.arity or 0)


def _of_list(function: Callable[..., Any], *, gives_list: bool = False) -> Builtin:
    return Builtin(function, f"{function.__name__}(x, y, ...)", "*", 1, gives_list)


# mul_no_nan is a row for the rules of others; it has no public name.
FUNCTIONS: dict[str, Builtin] = {
    **{op.name: _row(op) for op in TABLE.values() if op.arity and not op.binds},
    "leaky_relu": Builtin(functions.leaky_relu, "leaky_relu(x, slope=0.01)", "nn", 1),
    "elu": Builtin(functions.elu, "elu(x, alpha=1)", "nn", 1),
    "sum": _of_list(functions.sum),
    "mean": _of_list(functions.mean),
    "max": _of_list(functions.max),
    "min": _of_list(functions.min),
    "logsumexp": _of_list(functions.logsumexp),
    "softmax": _of_list(functions.softmax, gives_list=True),
    "log_softmax": _of_list(functions.log_softmax, gives_list=True),
    "dot": Builtin(functions.dot, "dot([w, ...], [x, ...], bias)", "lln", 2),
}
del FUNCTIONS["mul_no_nan"]

FOREIGN_NAMES = {"ln": "log", "sgn": "sign", "norm": "hypot"}
"""What other languages call a function; for the rest, the closest spelling is suggested."""


class Expression:
    """A parsed expression.

    Attributes:
        source: the text, without surrounding blanks.
        names: the variables, in order of appearance.
    """

    __slots__ = ("_program", "names", "source")

    def __init__(self, source: str, names: tuple[str, ...], program: tuple[Any, ...]) -> None:
        self.source = source
        self.names = names
        self._program = program

    @overload
    def evaluate(self, values: Mapping[str, float]) -> float: ...
    @overload
    def evaluate(self, values: Mapping[str, Value | float]) -> Value | float: ...
    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Return the value: a float if ``values`` are floats, a node if one of them is.

        Raises:
            ExpressionError: a variable has no value.
            DomainError: an op is undefined at these numbers.
        """
        unbound = [name for name in self.names if name not in values]
        if unbound:
            raise ExpressionError(f"no value for {', '.join(unbound)} in {self.source:.60}")
        stack: list[Any] = []
        for step in self._program:
            if isinstance(step, float):
                stack.append(step)
            elif isinstance(step, str):
                stack.append(values[step])
            else:
                function, count = step
                first = len(stack) - count
                stack[first:] = [function(*stack[first:])]
        return stack.pop()

    def __repr__(self) -> str:
        return f"<expression {self.source}>"


def parse(source: str) -> Expression:
    """Return the expression that ``source`` spells.

    Raises:
        ExpressionError: it is longer than 10,000 characters, nested deeper than 100 levels, or
            has something in it that is not on the whitelist.

    Cost: linear in the length.
    """
    source, tree = read(source, GRAMMAR)
    return Translator(source).expression(tree)


def number_of(text: str) -> float:
    """Return the number that ``text`` spells, as Python does or by a constant expression.

    Raises:
        ExpressionError: it is neither.
        DomainError: an op is undefined at its numbers.

    >>> number_of("1e-3"), number_of("pi / 4"), number_of("-inf")
    (0.001, 0.7853981633974483, -inf)
    """
    try:
        return float(text)
    except ValueError:
        expression = parse(text)
    if expression.names:
        raise ExpressionError(f"this needs a number, but {expression.names[0]:.60} is a name")
    return expression.evaluate({})


class Translator:
    """Turns a tree into a postfix program; a method returns the size of what it has translated."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.names: dict[str, None] = {}
        self.program: list[Any] = []

    def expression(self, tree: ast.expr) -> Expression:
        """Return the expression that ``tree`` spells; a translator is good for one."""
        self.number(tree)
        return Expression(self.source, tuple(self.names), tuple(self.program))

    def number(self, node: ast.expr) -> None:
        """Translate what must be a number."""
        if self.translate(node) != NUMBER:
            self.refuse(node, "this is a list where a number is needed")

    def translate(self, node: ast.AST) -> int:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                self.program.append(float(value))
            case ast.Name(id=name):
                self.variable(node, name)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in BINARY:
                self.number(left)
                self.number(right)
                self.program.append((BINARY[type(sign)], 2))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self.number(operand)
                self.program.append((ops.neg, 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                self.number(operand)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self.call(node, name, args)
            case ast.Call(func=function) if not isinstance(function, ast.Name):
                self.refuse(function, "this is called like a function; a product is written *")
            case ast.List(elts=elements) if elements:
                for element in elements:
                    self.number(element)
                self.program.append((_list, len(elements)))
                return len(elements)
            case ast.Subscript(value=of, slice=index):
                self.element(of, index)
            case _:
                self.refuse(node, f"this is not allowed: {SUMMARY}")
        return NUMBER

    def variable(self, node: ast.AST, name: str) -> None:
        if name in FUNCTIONS:
            self.refuse(node, f"{name} is a function: write {FUNCTIONS[name].usage}")
        if name in CONSTANTS:
            self.program.append(CONSTANTS[name])
        else:
            self.names[name] = None
            self.program.append(name)

    def call(self, node: ast.Call, name: str, args: list[ast.expr]) -> int:
        function = FUNCTIONS.get(name)
        if function is None:
            self.refuse(node.func, f"there is no function {name!r:.60}; {_suggestion(name)}")
        sizes = [self.translate(arg) for arg in args]
        if function.takes == "*":
            return self.call_of_list(node, function, sizes)
        most = len(function.takes)
        if not function.required <= len(args) <= most:
            self.refuse(node, f"{function.usage} got {len(args)} argument(s)")
        for arg, size, kind in zip(args, sizes, function.takes, strict=False):
            if (size == NUMBER) != (kind == "n"):
                wanted, got = ("number", "list") if kind == "n" else ("list", "number")
                self.refuse(arg, f"{function.usage} needs a {wanted} here, not a {got}")
        lengths = {size for size in sizes if size != NUMBER}
        if len(lengths) > 1:
            self.refuse(node, f"{function.usage} needs two lists of one length")
        self.program.append((function.apply, len(args)))
        return NUMBER

    def call_of_list(self, node: ast.Call, function: Builtin, sizes: list[int]) -> int:
        """Translate a call of numbers, or of one list of them."""
        if not sizes:
            self.refuse(node, f"{function.usage} got no arguments")
        length = sizes[0] or len(sizes)
        if sizes != [length]:
            for arg, size in zip(node.args, sizes, strict=True):
                if size != NUMBER:
                    self.refuse(arg, f"{function.usage} takes numbers or one list, not both")
            self.program.append((_list, length))
        self.program.append((function.apply, 1))
        return length if function.gives_list else NUMBER

    def element(self, of: ast.expr, index: ast.expr) -> None:
        length = self.translate(of)
        if length == NUMBER or isinstance(of, ast.List):
            self.refuse(of, "only softmax(...) and log_softmax(...) are followed by [position]")
        if not (isinstance(index, ast.Constant) and type(index.value) is int):
            self.refuse(index, "the position in a list must be a whole number, counted from 0")
        if index.value >= length:
            self.refuse(index, f"the list has {length} element(s), counted from 0")
        self.program.append((itemgetter(index.value), 1))

    def refuse(self, node: ast.AST, problem: str) -> NoReturn:
        refuse_part(self.source, node, problem)


def _list(*xs: Any) -> list[Any]:
    return list(xs)


def _suggestion(name: str) -> str:
    close = FOREIGN_NAMES.get(name) or next(iter(get_close_matches(name, FUNCTIONS, n=1)), "")
    return f"did you mean {close}?" if close else "if it is a variable, write * for the product"
