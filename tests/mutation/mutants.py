"""Modules with one mistake in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}

SPARED_FIELDS = {"annotation", "returns", "decorator_list", "type_params", "keywords_of_class"}
"""Parts of a node that say what something is, not what it does."""

SPARED_NODES = (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom, ast.Raise)
"""What is said to people or to type checkers. A `raise` is taken out as a whole."""

MAX_TEXT = 90
"""Characters of a change that are shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """A module with one change.

    Attributes:
        module: its dotted name.
        scope: the function or class that is changed, by its path in the module; "" for none.
        kind: what sort of change it is.
        lines: the first and the last line of what is changed.
        before, after: the source of that, and what takes its place.
        is_called: whether it runs when a function is called, not when the module is imported; a
            function that has lost its ``super()`` is another one, so that it is imported.
    """

    module: str
    path: Path
    scope: str
    kind: str
    lines: tuple[int, int]
    before: str
    after: str
    is_called: bool
    tree: ast.Module
    parent: ast.AST
    field: str
    index: int | None
    replacement: ast.AST

    @property
    def name(self) -> str:
        """What it is called in ``equivalent.toml``: it stays while the code around it changes."""
        return f"{self.module}:{self.scope}: {self.before} -> {self.after}"

    @property
    def place(self) -> str:
        """What tells it from all others of this very code."""
        return f"{self.name} @{self.lines[0]}:{getattr(self.replacement, 'col_offset', 0)}"

    def code(self) -> CodeType:
        """Return the changed module, compiled."""
        with _put(self.parent, self.field, self.index, self.replacement):
            return compile(self.tree, str(self.path), "exec", dont_inherit=True)


@contextmanager
def _put(parent: ast.AST, field: str, index: int | None, replacement: ast.AST) -> Iterator[None]:
    """Have another node in its place for a while."""
    siblings = getattr(parent, field)
    if index is None:
        setattr(parent, field, replacement)
    else:
        original, siblings[index] = siblings[index], replacement
    try:
        yield
    finally:
        if index is None:
            setattr(parent, field, siblings)
        else:
            siblings[index] = original


def mutants_of(path: Path, module: str) -> list[Mutant]:
    """Return every mutant of a file, in the order of its lines.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "m.py")
    ...     _ = file.write_text("rule = lambda y, x: 1 - y")
    ...     [f"{m.kind}: {m.before} -> {m.after}" for m in mutants_of(file, "m")]
    ['arithmetic: 1 - y -> 1 + y', 'constant: 1 - y -> 2 - y']
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    called = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for statement in function.body
        for node in ast.walk(statement)
    }
    for parent, field, index, node, scope in _places(tree, ""):
        for kind, replacement in _changes(node):
            ast.copy_location(replacement, node)
            ast.fix_missing_locations(replacement)
            before, after = _text(node), _text(replacement)
            if kind == "constant":  # a number on its own says little
                whole = _text(parent)
                with _put(parent, field, index, replacement):
                    changed = _text(parent)
                before, after = (before, after) if whole == changed else (whole, changed)
            if before == after:
                continue
            lines = (node.lineno, node.end_lineno or node.lineno)
            is_called = id(node) in called and "super()" not in before
            found.append(
                Mutant(
                    module, path, scope, kind, lines, before, after, is_called,
                    tree, parent, field, index, replacement,
                )
            )  # fmt: skip
    return found


def _places(parent: ast.AST, scope: str) -> Iterator[tuple[ast.AST, str, int | None, Any, str]]:
    """Yield every expression and statement below a node, with where it stands and its scope."""
    for field, value in ast.iter_fields(parent):
        if field in SPARED_FIELDS:
            continue
        children = value if isinstance(value, list) else [value]
        for i, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_spared(child):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield parent, field, i if isinstance(value, list) else None, child, scope
            inner = scope
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{scope}.{child.name}".lstrip(".")
            if not isinstance(child, ast.Raise):
                yield from _places(child, inner)


def _is_spared(node: ast.AST) -> bool:
    match node:
        case ast.Raise():
            return False
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.keyword(arg="strict"):  # of zip: an assertion
            return True
        case ast.Assign(targets=[ast.Name(id="__slots__" | "__all__" | "__match_args__")]):
            return True
    return isinstance(node, SPARED_NODES)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the kinds of mistakes that can be made in a node itself, and what it is then."""
    match node:
        case ast.Compare(ops=[sign, *more]):
            changed = deepcopy(node)
            changed.ops = [COMPARISONS[type(sign)](), *more]
            yield "comparison", changed
        case ast.BinOp(op=sign) if type(sign) in ARITHMETIC:
            changed = deepcopy(node)
            changed.op = ARITHMETIC[type(sign)]()
            yield "arithmetic", changed
        case ast.AugAssign(op=sign) if type(sign) in ARITHMETIC:
            changed = deepcopy(node)
            changed.op = ARITHMETIC[type(sign)]()
            yield "arithmetic", changed
            yield "statement", ast.Pass()
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield "sign", deepcopy(operand)
        case ast.BoolOp(op=word, values=values):
            other = ast.Or() if isinstance(word, ast.And) else ast.And()
            yield "boolean", ast.BoolOp(other, deepcopy(values))
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield "constant", ast.Constant(value + 1 if value + 1 != value else 0.5 * value)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            changed = deepcopy(node)
            changed.test = ast.UnaryOp(ast.Not(), deepcopy(test))
            yield "condition", changed
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "return", ast.Return(ast.Constant(None))
        case ast.Call(func=ast.Name(id="max" | "min")):
            return  # the order of two numbers is the same to them
        case ast.Call(args=[ast.expr() as a, ast.expr() as b, *more]) if not isinstance(
            a, ast.Starred
        ) and not isinstance(b, ast.Starred):
            changed = deepcopy(node)
            changed.args = [deepcopy(b), deepcopy(a), *deepcopy(more)]
            yield "order", changed
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue() | ast.Break():
            yield "statement", ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.Delete():
            yield "statement", ast.Pass()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
