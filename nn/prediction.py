"""`predicted`: a model's answers to many inputs, in machine code where that pays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import autograd
from autograd import CompileError, MissingExtraError, Value, no_grad, quoted, trace
from autograd.annotations import Any

ANSWERS_WORTHWHILE = 2_000_000
"""Arguments in the graphs of all answers from which on they are computed in machine code.

The eager engine takes about a second for them; the code is made in less, or is there already.
"""


def predicted(model: Callable[[Any], Any], inputs: Any) -> Any:
    """Return the answer to each input: a number, or a list of them; an array to an array.

    Raises:
        TypeError: an input is no list of numbers.
    """
    rows = inputs.to_numpy() if hasattr(inputs, "to_numpy") else inputs
    rows = rows if hasattr(rows, "__len__") else list(rows)
    if not all(hasattr(row, "__len__") for row in rows):
        raise TypeError(
            f"predict takes a list of inputs, each a list of numbers: got {quoted(inputs)}; of a "
            "single x, it is predict([x])[0]"
        )
    plain = rows.tolist() if hasattr(rows, "tolist") else [list(row) for row in rows]
    if not plain:
        return rows
    answers = _compiled(model, plain)
    if answers is None:
        with no_grad():
            answers = [numbers_of(model(row)) for row in plain]
    if plain is rows or not hasattr(rows, "tolist"):
        return answers if isinstance(answers, list) else answers.tolist()
    import numpy

    return numpy.asarray(answers)


def numbers_of(answer: Any) -> Any:
    """Return an answer as a number, or a list of them."""
    if isinstance(answer, list | tuple):
        return [numbers_of(x) for x in answer]
    return answer.data if isinstance(answer, Value) else answer


def _compiled(model: Callable[[Any], Any], rows: list[Sequence[float]]) -> Any:
    """Return the answers as an array; None where that doesn't pay, or can't be done."""
    answer = model(rows[0])
    several = answer if isinstance(answer, list) else [answer]
    outs = [out for out in several if isinstance(out, Value)]
    # Below their sum, what they have in common is walked once.
    nodes = trace(autograd.sum(outs))[0] if outs else []
    if len(rows) * sum(len(node.args) for node in nodes) < ANSWERS_WORTHWHILE:
        return None
    try:
        import numpy

        return autograd.compile(model, rows[0], backend="llvm")(numpy.array(rows, dtype=float))
    except (CompileError, ImportError, MissingExtraError, ValueError):
        return None
