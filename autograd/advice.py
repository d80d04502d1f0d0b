"""What `debug` says of an op that broke: the cause, and what to write instead, as tables.

>>> from autograd import Value, sigmoid
>>> instead(ops.log, (sigmoid(Value(-1000.0)),))
'-softplus(-x), which is log(sigmoid(x)) for any x'
"""

from __future__ import annotations

from typing import Any

from autograd import ops
from autograd.engine import Value
from autograd.operation import Op, Symbol
from autograd.ops import exp, log, sigmoid, sqrt

x, y = Symbol("x"), Symbol("y")

LOGSUMEXP = "logsumexp(xs), which shifts by the largest x first"
ACTIVATION = "softmax, logsumexp, sigmoid or softplus, which are right for any finite x"
SOFTMAX = "softmax(xs) or sigmoid(x), which are right for any finite x"
HYPOT = "hypot(x, y), whose derivative at (0, 0) is 0 by convention"
ROOT = "sqrt(x + 1e-12), or maximum(x, 0.0) under the root"

INSTEAD: list[tuple[Symbol, str]] = [
    (log(exp(x) / y), "log_softmax(xs), which never forms the probabilities"),
    (log(sigmoid(x)), "-softplus(-x), which is log(sigmoid(x)) for any x"),
    (log(exp(x) + y), LOGSUMEXP),
    (log(y + exp(x)), LOGSUMEXP),
    (log(ops.sum(exp(x))), LOGSUMEXP),
    (log(exp(x)), "x itself: log(exp(x)) is x"),
    (log(x), "clamp(x, 1e-12, inf), or a loss on logits (log_softmax, softplus)"),
    *((function(x), ACTIVATION) for function in (exp, ops.expm1, ops.sinh, ops.cosh)),
    *((quotient, SOFTMAX) for quotient in (exp(x) / y, x / ops.sum(y), x / (x + y))),
    (x / y, "where(c, a, b) with a safe divisor in both branches, or a small constant added"),
    *((sqrt(squares), HYPOT) for squares in (x + y, ops.sum(x), ops.dot(x, y))),
    *((squares**0.5, HYPOT) for squares in (x + y, ops.sum(x), ops.dot(x, y))),
    (sqrt(x), ROOT),
    (x**0.5, ROOT),
    (x**y, "exp(y * log(x)) for x > 0, or an integer exponent"),
]
"""What to write in place of a formula; its symbols stand for anything, the first that fits holds.

Of an op of any number of arguments, one that fits is enough.
"""

OPPOSITE = ": infinities of opposite sign"
ZERO = ": 0 times infinity"
INDEFINITE = {
    ops.add: OPPOSITE, ops.sub: OPPOSITE, ops.sum: OPPOSITE,
    ops.mul: ZERO, ops.dot: ZERO, ops.div: ": infinity over infinity",
}  # fmt: skip
"""How an op makes NaN of infinities."""


def instead(op: Op, args: tuple[Any, ...]) -> str:
    """Return what to write in place of an op that broke on these arguments; "" if unknown."""
    return next((advice for formula, advice in INSTEAD if _fits(formula, op, args)), "")


def cause_of_nan(op: Op, floats: list[float]) -> str:
    """Return which indefinite form made NaN of infinities; "" if unknown."""
    cause = INDEFINITE.get(op, "")
    return OPPOSITE if cause == ZERO and 0 not in floats else cause


def _fits(formula: Symbol, op: Op | None, args: tuple[Any, ...]) -> bool:
    if op is None or formula.op is not op:
        return False
    if op.arity is None:
        return any(_is(formula.args[0], arg) for arg in args)
    return all(map(_is, formula.args, args))


def _is(part: Any, arg: Any) -> bool:
    if not isinstance(part, Symbol):
        return bool(arg == part)
    return part.op is None or (isinstance(arg, Value) and _fits(part, arg.op, arg.args))
