"""Largest numbers that shift exponents, as softmax's does, so that none overflows: what comes of it
doesn't depend on them, and their derivative is 0, but for the rounding errors of many products.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from autograd import ops
from autograd.engine import Value
from autograd.operation import Op


class _Share(NamedTuple):
    """How a number goes with a shift v: as ``shift * v + a``, or as ``a * exp(power * v)``.

    Attributes:
        of: the node whose number is v; ``a`` doesn't depend on it.
    """

    of: Value
    shift: float
    power: float


def shifts_of(nodes: Iterable[Value], ends: Collection[Value | float]) -> set[Value]:
    """Return the largest numbers of some that the ends don't depend on.

    Of ``exp(x - v) / sum(exp(x - v))`` and ``v + log(sum(exp(x - v)))``, it is v. That these
    cancel is shown by the rules for sums, products, `exp` and `log`; what meets another operation
    before it has cancelled is taken to depend on v.

    Args:
        nodes: each behind what it uses.

    Cost: linear.
    """
    shares: dict[Any, _Share] = {}
    found: set[Value] = set()
    for node in nodes:
        op, args = node.op, node.args
        some = [shares[arg] for arg in args if arg in shares] if shares else []
        if some:
            share = _shared(op, [shares.get(arg) for arg in args])
            of = {each.of for each in some}
            if share is None or len(of) > 1:
                found -= of
            elif share.shift or share.power:
                shares[node] = share
        if op is ops.maximum or op is ops.max:
            found.add(node)
            shares[node] = _Share(node, 1.0, 0.0)
    return found.difference([shares[end].of for end in ends if end in shares])


def _shared(op: Op | None, args: list[_Share | None]) -> _Share | None:
    """Return how a result goes with what its arguments go with; None if that can't be told."""
    shifts = [each.shift if each else 0.0 for each in args]
    powers = [each.power if each else 0.0 for each in args]
    (of, *_) = [each.of for each in args if each]
    if any(shifts):
        if any(powers):
            return None
        if op is ops.add or op is ops.sum:
            return _Share(of, sum(shifts), 0.0)
        if op is ops.sub:
            return _Share(of, shifts[0] - shifts[1], 0.0)
        return _Share(of, 0.0, shifts[0]) if op is ops.exp else None
    if op is ops.log:
        return _Share(of, powers[0], 0.0)
    if op is ops.mul:
        powers = [sum(powers)]
    elif op is ops.div:
        powers = [powers[0] - powers[1]]
    elif op is ops.dot:
        half = len(powers) // 2
        products = map(sum, zip(powers[:half], powers[half : 2 * half], strict=True))
        powers = [*products, *powers[2 * half :]]
    elif op not in (ops.add, ops.sub, ops.sum, ops.neg):
        return None
    return _Share(of, 0.0, powers[0]) if len(set(powers)) == 1 else None
