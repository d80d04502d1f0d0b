"""What may stand in a text that a user types, before anything of it is understood.

`read` is the first two gates of `autograd.command.expression`: the text goes through token by
token, whatever lies outside the alphabet or is nested so that it could trouble Python's parser is
refused, and ``ast`` builds the tree. Every refusal is one line, with the offending part marked
below.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Mapping
from typing import NamedTuple, NoReturn, cast
from unicodedata import east_asian_width

from autograd.errors import ExpressionError

MAX_CHARACTERS = 10_000
MAX_DEPTH = 100
TOO_DEEP = f"this is nested deeper than {MAX_DEPTH} levels; sum(a, b, ...) adds many terms in one"

QUOTED_WIDTH = 72
"""Columns of the text that a refusal shows."""

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


def refuse_part(source: str, node: ast.AST, problem: str) -> NoReturn:
    """Raise the error with the part that became ``node`` marked."""
    place = cast(ast.expr, node)
    encoded = source.encode()
    start, end = (
        len(encoded[:offset].decode()) for offset in (place.col_offset, place.end_col_offset)
    )
    _refuse(source, start, end, problem)


def _float(token: str) -> float:
    try:
        return float(token)
    except ValueError:
        return math.nan  # a misplaced underscore: left to the parser


def _refuse(source: str, start: int, end: int, problem: str) -> NoReturn:
    """Raise the error with the part from ``start`` to ``end`` marked, cropped around it."""
    first = max(0, min(start - QUOTED_WIDTH // 3, len(source) - QUOTED_WIDTH))
    last = first + QUOTED_WIDTH
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
