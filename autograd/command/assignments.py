"""What follows an expression on the command line: words such as ``x=2``."""

from __future__ import annotations

from difflib import get_close_matches
from unicodedata import normalize

from autograd.command.expression import CONSTANTS, Expression, number_of
from autograd.command.usage import UsageError
from autograd.engine import Value
from autograd.errors import ExpressionError


def values_of(expression: Expression, words: list[str]) -> dict[str, Value]:
    """Return a leaf for each variable, from words such as ``x=2``.

    Raises:
        UsageError: a word is malformed, or a variable has no value, two, or is not there.
    """
    given = pairs(words)
    for name in given:
        if name in CONSTANTS:
            raise UsageError(f"{name} is the constant {CONSTANTS[name]:.6g}; rename the variable")
    if not expression.names:
        raise UsageError(
            "the expression has no variables, so there is nothing to differentiate; name one, as "
            'in "x*3" x=2'
        )
    unused = [name for name in given if name not in expression.names]
    unbound = [name for name in expression.names if name not in given]
    if unused:
        close = get_close_matches(unused[0], unbound, n=1)
        has = f"did you mean {close[0]}" if close else f"it has {', '.join(expression.names)}"
        raise UsageError(f"{unused[0]} is not in the expression; {has}")
    if unbound:
        more = " ".join(f"{name}=1" for name in unbound)
        raise UsageError(f"no value for {', '.join(unbound)}; add, say, {more}")
    return {name: Value(given[name], label=name) for name in expression.names}


def pairs(words: list[str]) -> dict[str, float]:
    """Return the numbers that words such as ``x=2`` give to names.

    Raises:
        UsageError: a word is malformed, or a name is given twice.
    """
    given: dict[str, float] = {}
    for word in map(str.strip, words):
        written, equals, number = word.partition("=")
        # Python's parser spells every name this way: µ and μ are one variable.
        name = normalize("NFKC", written)
        if not equals or not name.isidentifier():
            raise UsageError(
                f"{word!r:.60} is not name=value; write x=2 without blanks, "
                "the expression in quotes"
            )
        if name in given:
            raise UsageError(f"{name:.60} is given twice: {given[name]} and {number:.60}")
        try:
            given[name] = number_of(number)
        except ExpressionError as error:
            raise UsageError(f"the value of {word!r:.60} can't be read: {error}") from None
    return given
