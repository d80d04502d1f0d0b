"""What arguments must be: each function returns its argument, or raises the error that names it.

And how such errors list several names.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral, Real

from autograd import Value, quoted


def leaves(parameters: Iterable[Value]) -> list[Value]:
    """Return the parameters, each once."""
    if not isinstance(parameters, Iterable):
        raise TypeError(
            f"parameters must be a list, as model.parameters(): got {quoted(parameters)}"
        )
    found = list(parameters)
    for leaf in found:
        if not isinstance(leaf, Value) or leaf.op is not None:
            raise TypeError(f"a parameter must be a leaf Value: got {quoted(leaf)}")
    return list(dict.fromkeys(found))


def listed(names: Sequence[str], most: int = 3, mark: str = ", ", width: int = 60) -> str:
    """Return the first of several names, cut to ``width``, and how many more there are.

    >>> listed(["w", "b", "c", "d"])
    'w, b, c and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return mark.join(name[:width] for name in names[:most]) + more


ELSEWHERE = {"swish": "silu", "logistic": "sigmoid", "identity": "linear"}
"""What PyTorch, Keras and scikit-learn call activations that have another name here."""


def meant(given: object, known: Iterable[str]) -> str:
    """Return which name is meant by one that is nearly it, as the end of a message; "" if none.

    >>> meant("tahn", ["relu", "tan", "tanh"]), meant("sigmoid", ["relu"])
    ('; did you mean tan or tanh?', '')
    >>> meant("swish", ["silu", "sinh"])
    '; did you mean silu?'
    """
    from difflib import get_close_matches

    names, word = list(known), ELSEWHERE.get(given, given) if isinstance(given, str) else ""
    close = [word] if word in names else get_close_matches(word, names, n=2)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def bare(name: str) -> str:
    """Return what tells a name from others, however it is typed.

    >>> bare("Petal width (cm)")
    'petalwidthcm'
    """
    return "".join(c for c in name.lower() if c.isalnum())


def count(name: str, given: object) -> int:
    """Return a positive whole number.

    >>> count("nin", 0)
    Traceback (most recent call last):
    ValueError: nin must be a whole number, at least 1: got 0
    """
    return _count(name, given, 1)


def whole(name: str, given: object) -> int:
    """Return a whole number, at least 0.

    >>> whole("steps", 1.5)
    Traceback (most recent call last):
    ValueError: steps must be a whole number, at least 0: got 1.5
    """
    return _count(name, given, 0)


def number(name: str, given: object, *, positive: bool = False) -> float:
    """Return a finite number, at least 0, or above 0 if it must be ``positive``.

    >>> number("learning_rate", float("nan"), positive=True)
    Traceback (most recent call last):
    ValueError: learning_rate must be finite and above 0: got nan
    """
    must = f"finite and {'above' if positive else 'at least'} 0"
    return _float(name, given, must, lambda x: 0 < x < math.inf or (x == 0 and not positive))


def real(name: str, given: object) -> float:
    """Return any real number as a float.

    >>> real("layers.0.w", "1")
    Traceback (most recent call last):
    TypeError: layers.0.w must be a number: got '1'
    """
    if isinstance(given, float):  # as all of a model's parameters are
        return float(given)
    return _float(name, given, "a number", lambda _: True)


def finite(name: str, given: object) -> float:
    """Return any real number but an infinity or NaN.

    >>> finite("means[0]", float("inf"))
    Traceback (most recent call last):
    ValueError: means[0] must be a finite number: got inf
    """
    return _float(name, given, "a finite number", math.isfinite)


def share(name: str, given: object) -> float:
    """Return a number from 0 up to, but not including, 1.

    >>> share("rate", 1)
    Traceback (most recent call last):
    ValueError: rate must be at least 0 and below 1: got 1
    """
    return _float(name, given, "at least 0 and below 1", lambda x: 0 <= x < 1)


def seed_of(name: str, given: object) -> int:
    """Return a whole number of at most 64 bits, which files can hold.

    >>> seed_of("seed", 10**5000)
    Traceback (most recent call last):
    ValueError: seed must be a whole number of at most 64 bits
    """
    if not isinstance(given, Integral) or isinstance(given, bool):
        raise TypeError(f"{name} must be a whole number: got {quoted(given)}")
    if int(given).bit_length() > 64:  # too many digits, perhaps, to be shown
        raise ValueError(f"{name} must be a whole number of at most 64 bits")
    return int(given)


def generator(seed: int | random.Random | None) -> random.Random:
    """Return the source of random numbers: seeded, the one given, or Python's global one."""
    if seed is None:
        return random  # type: ignore[return-value]
    if isinstance(seed, random.Random):
        return seed
    if isinstance(seed, Integral):
        return random.Random(seed_of("seed", seed))
    raise TypeError(f"seed must be a whole number, a random.Random or None: got {quoted(seed)}")


def length(taker: object, given: object, what: str) -> int:
    """Return how many there are in a list that something takes.

    >>> length("Linear(2, 1)", None, "a list of 2 numbers")
    Traceback (most recent call last):
    TypeError: Linear(2, 1) takes a list of 2 numbers, got None
    """
    try:
        if not isinstance(given, dict | set | frozenset):  # which have a length, and no order
            return len(given)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise TypeError(f"{taker} takes {what}, got {quoted(given)}")


def check_inputs(taker: object, given: object, wanted: int | None) -> None:
    """Raise unless this is a list of so many.

    >>> check_inputs("Linear(2, 1)", [1.0], 2)
    Traceback (most recent call last):
    ValueError: Linear(2, 1) takes 2 inputs, got 1
    """
    found = length(taker, given, f"a list of {wanted} numbers")
    if found != wanted:
        raise wrong_length(taker, given, wanted)  # type: ignore[arg-type]


def wrong_length(taker: object, given: Sequence[object], wanted: int | None) -> ValueError:
    """Return the error to raise where a list is longer or shorter than what is wanted.

    >>> wrong_length("Linear(2, 1)", [[1.0, 2.0]], 2)
    ValueError('Linear(2, 1) takes 2 inputs, got 1 row: model.predict(rows) takes many at once')
    """
    if hasattr(next(iter(given), None), "__len__"):
        from autograd import counted

        rows = f"{counted(len(given), 'row')}: model.predict(rows) takes many at once"
        return ValueError(f"{taker} takes {wanted} inputs, got {rows}")
    return ValueError(f"{taker} takes {wanted} inputs, got {len(given)}")


def _count(name: str, given: object, least: int) -> int:
    if isinstance(given, Integral) and not isinstance(given, bool) and int(given) >= least:
        return int(given)
    kind = ValueError if isinstance(given, Real) and not isinstance(given, bool) else TypeError
    raise kind(f"{name} must be a whole number, at least {least}: got {quoted(given)}")


def _float(name: str, given: object, must: str, is_right: Callable[[float], bool]) -> float:
    """Return a number that is right; of any other, the error says what it ``must`` be."""
    wanted = f"{name} must be {must}: got {quoted(given)}"
    if not isinstance(given, Real) or isinstance(given, bool):
        raise TypeError(wanted)
    try:
        x = float(given)
    except OverflowError:  # a whole number beyond all floats
        raise ValueError(wanted) from None
    if not is_right(x):
        raise ValueError(wanted)
    return x
