"""Formulas as float code: what is written in Python's notation means what the row says."""

from __future__ import annotations

from typing import Any

import pytest

from autograd import TABLE, lowering, precedence
from autograd.graph import topological_order
from autograd.lowering import INLINE, UNROLLED, lower, symbols
from autograd.operation import Symbol


def test_what_python_has_a_notation_for_binds_as_its_row_says() -> None:
    inline = [op for op in TABLE.values() if getattr(op.forward, "function", None) in INLINE]
    assert {op.forward.function for op in inline} == set(INLINE)
    for op in inline:
        names = symbols(op.arity)
        notation, binds = INLINE[op.forward.function]
        assert binds == op.binds
        if not op.forward.raises:  # else it is called by its name
            assert lower([op(*names)])[1] == [notation.format(*(name.name for name in names))]


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.pullback])
def test_what_many_share_is_walked_over_and_written_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules of a row of many arguments share most of what they compute."""
    walked: list[Symbol] = []

    def noted(*roots: Symbol, **limits: Any) -> list[Symbol]:
        walked.extend(order := topological_order(*roots, **limits))
        return order

    out, args = Symbol("out"), symbols(UNROLLED)
    locals_ = TABLE[name].locals(out, args)
    parts = len(topological_order(*(each for each in locals_ if isinstance(each, Symbol))))
    for module in (lowering, precedence):
        monkeypatch.setattr(module, "topological_order", noted)
    lines, texts = lower(locals_)
    assert len(walked) <= 3 * parts + 2 * UNROLLED
    assert sum(map(len, lines + texts)) <= 100 * UNROLLED
