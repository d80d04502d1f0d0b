"""Modules that note which of their lines are run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import TypeVar

NAME = "__reached__"
"""The global by which a module with probes knows the array that they write to."""

Scope = TypeVar("Scope", ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Probe:
    """A place in a function that tells when it is passed.

    Attributes:
        first, last: the lines that are run then.
    """

    file: str
    first: int
    last: int


def probed(path: Path, probes: list[Probe]) -> CodeType:
    """Return a module whose functions write 1 at a probe's place in an array when they pass it.

    A statement of its own costs less than a trace: a suite takes a little longer, not five times.

    Args:
        probes: is appended to.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree = ast.fix_missing_locations(_Prober(str(path), probes).visit(tree))
    return compile(tree, str(path), "exec", dont_inherit=True)


class _Prober(ast.NodeTransformer):
    def __init__(self, file: str, probes: list[Probe]) -> None:
        self.file = file
        self.probes = probes
        self.depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._inside(node)

    def _inside(self, node: Scope) -> Scope:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self.generic_visit(node)
        place = self._place(node.body.lineno, node.body.end_lineno or node.body.lineno)
        note = ast.parse(f"{NAME}.__setitem__({place}, 1)", mode="eval").body
        body = ast.BoolOp(ast.Or(), [note, node.body])  # None, or the body
        node.body = ast.copy_location(body, node.body)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if self.depth and isinstance(statements, list):
                setattr(node, field, self._with_probes(statements))
        return super().generic_visit(node)

    def _with_probes(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        found = []
        for node in statements:
            if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                body = getattr(node, "body", None) or getattr(node, "cases", None)
                inner = body[0].pattern if isinstance(node, ast.Match) else body and body[0]
                last = inner.lineno - 1 if inner else node.end_lineno or node.lineno
                place = self._place(node.lineno, max(last, node.lineno))
                note = ast.parse(f"{NAME}[{place}] = 1").body[0]
                found += [ast.copy_location(note, node)]
            found.append(node)
        return found

    def _place(self, first: int, last: int) -> int:
        self.probes.append(Probe(self.file, first, last))
        return len(self.probes) - 1
