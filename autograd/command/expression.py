"""Expressions typed by a user: checked against a whitelist, never evaluated by Python.

The text passes three gates. `_scan` reads it token by token, and refuses what lies outside the
alphabet and any nesting that could trouble Python's parser; ``ast`` builds the tree; a
`Translator` turns the node types it knows into a postfix program over the rows of the table,
and refuses the rest. Every refusal is one line, with the offending part marked below.
`autograd.command.condition` reads the conditions of breakpoints through the same gates.

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
import keyword
import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from operator import itemgetter
from typing import Any, NamedTuple, NoReturn, cast, overload
from unicodedata import east_asian_width

from autograd import functions, ops
from autograd.engine import Value
from autograd.errors import ExpressionError
from autograd.operation import TABLE, Op

MAX_CHARACTERS = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"this is nested deeper than {MAX_DEPTH} levels; sum(a, b, ...) adds many terms in one"

WIDTH = 72
"""Columns of the text that a refusal shows."""

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
    "logsumexp": _of_list(functions.logsumexp),
    "softmax": _of_list(functions.softmax, gives_list=True),
    "log_softmax": _of_list(functions.log_softmax, gives_list=True),
    "dot": Builtin(functions.dot, "dot([w, ...], [x, ...], bias)", "lln", 2),
}
del FUNCTIONS["mul_no_nan"]

FOREIGN_NAMES = {"ln": "log", "max": "maximum", "min": "minimum", "sgn": "sign", "norm": "hypot"}
"""What other languages call a function; for the rest, the closest spelling is suggested."""

HINTS = {
    "^": "a power is written **",
    "=": "arguments go by position, and values follow the expression as name=value",
    ".": "a function goes by its plain name: exp(x), not math.exp(x)",
    **dict.fromkeys(
        ["<", ">", "<=", ">=", "==", "!=", "if", "else"], "where(c, a, b) is a if c > 0, else b"
    ),
    **dict.fromkeys("−–—", "a minus is written -"),
    **dict.fromkeys("×·⋅∗", "a product is written *"),
    **dict.fromkeys("÷∕", "a quotient is written /"),
}
SUMMARY = "an expression has numbers, names, + - * / **, functions and lists"

OPERAND = r"""(?P<number> (?: [0-9][0-9_]*\.?[0-9_]* | \.[0-9][0-9_]* ) (?:[eE][+-]?[0-9]+)? )
    | (?P<name> [^\W0-9]\w* )"""
OTHER = r"(?P<other> // | [<>=!]= | [^-+*/(),\[\]\ ] ) | \*\* | ."
SIGNS = {"+", "-"}
OPERATORS = frozenset(["", "+", "-", "*", "/", "**", ",", "(", "["])


class Grammar(NamedTuple):
    """What the scan lets through.

    Attributes:
        token: splits the text; its groups are ``operand``, ``number``, ``name`` and ``other``,
            which is refused.
        operators: the tokens after which an operand is due.
        hints: what a message says of a refused token.
        summary: what it says of any other.
    """

    token: re.Pattern[str]
    operators: frozenset[str]
    hints: Mapping[str, str]
    summary: str


GRAMMAR = Grammar(
    re.compile(rf"(?P<operand> {OPERAND} ) | {OTHER}", re.VERBOSE), OPERATORS, HINTS, SUMMARY
)
CLOSING = {"(": ")", "[": "]"}


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


def read(source: str, grammar: Grammar) -> tuple[str, ast.expr]:
    """Return the text without surrounding blanks, and its tree, after the first two gates.

    Raises:
        ExpressionError: as `parse`.
    """
    if len(source) > MAX_CHARACTERS:
        raise ExpressionError(
            f"the expression has {len(source):,} characters; at most {MAX_CHARACTERS:,} are read"
        )
    source = "".join(" " if char.isspace() else char for char in source).strip()
    if not source:
        raise ExpressionError("the expression is empty")
    _scan(source, grammar)
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        start = (error.offset or 1) - 1
        problem = "this can't be read; a number is written like 7, 0.5 or 1e-3"
        _refuse(source, start, start + 1, problem)
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError(TOO_DEEP) from None
    _check_depth(source, tree)
    return source, tree


def _scan(source: str, grammar: Grammar) -> None:
    """Refuse what Python's parser should never see.

    Python's parser recurses at brackets, signs and powers. ``nested`` counts these: per open
    bracket, how many signs and powers the present operand is under. It recurs at ``not`` too,
    which reaches further than one operand, so these are counted over the whole text.
    """
    brackets: list[tuple[str, int]] = []
    nested = [0]
    negations = 0
    before = ""  # the token before this one: an operand's last, an operator, or none
    for match in grammar.token.finditer(source):
        token, span = match[0], match.span()
        after_operand = before not in grammar.operators
        word = token in grammar.operators and token.isalpha()
        if token == " ":
            continue
        if match["other"] or (keyword.iskeyword(token) and not word):
            hint = grammar.hints.get(token, grammar.summary)
            _refuse(source, *span, f"{token!r} is not allowed: {hint}")
        if word and re.match(r"[\w.]", source[span[0] - 1 : span[0]]):
            _refuse(source, *span, f"a blank is missing before this {token!r}")
        if (match["operand"] and not word) or (token == "not" and after_operand):
            if after_operand:
                _refuse(source, *span, f"an operator is missing between {before!r:.40} and this")
            if match["number"] and math.isinf(_float(token)):
                _refuse(source, *span, "this number is too large for a float (at most 1.8e308)")
            if match["name"] and not token.isidentifier():
                _refuse(source, *span, f"{token!r:.40} is not a name")
        elif token in CLOSING:
            brackets.append((token, span[0]))
            nested.append(0)
        elif not (after_operand or token in SIGNS or token == "not") and not (
            before in CLOSING and token in ")]"
        ):
            _refuse(source, *span, f"a number or a name is missing before this {token!r}")
        elif token in CLOSING.values():
            if not brackets or CLOSING[brackets[-1][0]] != token:
                _refuse(source, *span, f"this {token!r} closes nothing")
            brackets.pop()
            nested.pop()
        elif token == "not":
            negations += 1
        elif token == "**" or not after_operand:
            nested[-1] += 1
        else:
            nested[-1] = 0
        if len(brackets) + sum(nested) + negations > MAX_DEPTH:
            _refuse(source, *span, TOO_DEEP)
        before = token
    if brackets:
        bracket, start = brackets[-1]
        _refuse(source, start, start + 1, f"this {bracket!r} is never closed")
    if before in grammar.operators:
        _refuse(source, len(source), len(source), "a number or a name is missing at the end")


def _check_depth(source: str, tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.expr)
        ]
    if level:
        refuse_part(source, level[0], TOO_DEEP)


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


def refuse_part(source: str, node: ast.AST, problem: str) -> NoReturn:
    """Raise the error with the part that became ``node`` marked."""
    place = cast(ast.expr, node)
    encoded = source.encode()
    start, end = (
        len(encoded[:offset].decode()) for offset in (place.col_offset, place.end_col_offset)
    )
    _refuse(source, start, end, problem)


def _list(*xs: Any) -> list[Any]:
    return list(xs)


def _float(token: str) -> float:
    try:
        return float(token)
    except ValueError:
        return math.nan  # a misplaced underscore: left to the parser


def _suggestion(name: str) -> str:
    close = FOREIGN_NAMES.get(name) or next(iter(get_close_matches(name, FUNCTIONS, n=1)), "")
    return f"did you mean {close}?" if close else "if it is a variable, write * for the product"


def _refuse(source: str, start: int, end: int, problem: str) -> NoReturn:
    """Raise the error with the part from ``start`` to ``end`` marked, cropped around it."""
    first = max(0, min(start - WIDTH // 3, len(source) - WIDTH))
    last = first + WIDTH
    shown = [char if char.isprintable() else "�" for char in source[first:last]]
    end = min(max(end, start + 1), last)
    blanks = "".join(map(_blank, shown[: start - first]))
    marks = "^" * sum(len(_blank(char)) for char in shown[start - first : end - first])
    line = f"{'…' * (first > 0)}{''.join(shown)}{'…' * (last < len(source))}"
    marked = f"{' ' * (first > 0)}{blanks}{marks or '^'}"
    raise ExpressionError(f"{problem}\n  {line}\n  {marked}") from None


def _blank(char: str) -> str:
    """Return as many blanks as a terminal gives to the character."""
    return "  " if east_asian_width(char) in "WF" else " "
