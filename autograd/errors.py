"""Everything that can go wrong, a tree under `ChainruleError`; a wrong type is a `TypeError`."""

from __future__ import annotations


def quoted(x: object) -> str:
    """Return the beginning of a repr, without addresses: it may be long, too deep, or fail."""
    import re  # a program without an error is loaded without it

    try:
        return f"{re.sub(r' at 0x[0-9A-Fa-f]+', '', repr(x)[:200]):.60}"
    except Exception:
        return f"<{type(x).__qualname__:.60} that can't be written>"


class ChainruleError(Exception):
    """The root: ``except ChainruleError`` catches whatever this package raises on its own."""

    def __str__(self) -> str:
        lines = super().__str__().split("\n")  # what they quote may be of any length
        return "\n".join(x if len(x) < 1000 else f"{x[:700]} ... {x[-200:]}" for x in lines)


class DomainError(ChainruleError, ValueError):
    """An op was applied where it is undefined, or its local derivative is not finite there."""


class DivisionByZeroError(DomainError, ZeroDivisionError):
    """A division by zero, or zero to a negative power."""


class CycleError(ChainruleError, ValueError):
    """A graph contains a node that is its own ancestor; only tampering can make one."""


class StaleValueError(ChainruleError, RuntimeError):
    """A node's ``.data`` was changed after other nodes had been computed from it."""


class RuleError(ChainruleError, TypeError):
    """A row of the table is malformed: its rule branches, or leaves the table."""


class CompileError(ChainruleError, TypeError):
    """A function that decides by a recorded number, or an op that no target can spell."""


class ExpressionError(ChainruleError, ValueError):
    """An expression that the whitelist refuses."""


class ScriptError(ChainruleError):
    """A file that fails, or holds no Value to step through; the message says what to do."""


class GradientError(ChainruleError, AssertionError):
    """A gradient check found a wrong derivative; ``report`` is the whole of what it found."""

    def __init__(self, message: str, report: object = None) -> None:
        super().__init__(message)
        self.report = report


class MissingExtraError(ChainruleError, ImportError):
    """An optional library is needed and not installed."""


class GraphCutWarning(UserWarning):
    """``float()`` of an inner node: what is computed from the number has no gradient."""


class StaleValueWarning(UserWarning):
    """What is drawn was computed from numbers that have been changed since."""
