"""Formulas as float code: what is written in Python's notation means what the row says."""

from __future__ import annotations

from autograd import TABLE
from autograd.lowering import INLINE, lower, symbols


def test_what_python_has_a_notation_for_binds_as_its_row_says() -> None:
    inline = [op for op in TABLE.values() if getattr(op.forward, "function", None) in INLINE]
    assert {op.forward.function for op in inline} == set(INLINE)
    for op in inline:
        names = symbols(op.arity)
        notation, binds = INLINE[op.forward.function]
        assert binds == op.binds
        if not op.forward.raises:  # else it is called by its name
            assert lower([op(*names)])[1] == [notation.format(*(name.name for name in names))]
