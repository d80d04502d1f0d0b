"""Hypothesis strategies made from the table: arguments of rows, and random expression graphs."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from autograd import TABLE, Op, Value
from autograd.domain import REAL, Joint

MARGIN = 0.05
"""How far smooth arguments keep away from kinks, poles and the ends of a domain."""

UNLIMITED = st.floats(width=64)
ORDINARY = st.floats(-4, 4).map(lambda x: round(x, 3))  # few digits: they shrink and read well


class Step(NamedTuple):
    """A row applied to earlier results, given by number (inputs first), and to plain floats."""

    name: str
    args: tuple[int | float, ...]


class Program(NamedTuple):
    """A computation as data; its result is that of the last step."""

    inputs: tuple[float, ...]
    steps: tuple[Step, ...]

    def floats(self, inputs: tuple[float, ...] | None = None) -> list[float]:
        """Return every result, by IEEE 754."""
        results = list(self.inputs if inputs is None else inputs)
        for name, args in self.steps:
            results.append(TABLE[name].ieee(*(pick(results, arg) for arg in args)))
        return results

    def values(self, order: list[int] | None = None) -> list[Value]:
        """Return every result as a node, created in the given order of steps."""
        results: dict[int, Value] = {i: Value(x) for i, x in enumerate(self.inputs)}
        n = len(self.inputs)
        for i in range(len(self.steps)) if order is None else order:
            name, args = self.steps[i]
            results[n + i] = TABLE[name](*(pick(results, arg) for arg in args))
        return [results[i] for i in sorted(results)]

    def __repr__(self) -> str:
        lines = [f"v{i} = Value({x!r})" for i, x in enumerate(self.inputs)]
        for i, (name, args) in enumerate(self.steps, len(self.inputs)):
            texts = [f"v{arg}" if isinstance(arg, int) else repr(arg) for arg in args]
            lines.append(f"v{i} = TABLE[{name!r}]({', '.join(texts)})")
        return "\n" + "\n".join(lines)


def pick(results: Any, arg: int | float) -> Any:
    """Return the result that ``arg`` refers to; a plain float stands for itself."""
    return results[arg] if isinstance(arg, int) else arg


def is_smooth(op: Op, args: list[float]) -> bool:
    """Return whether ``op`` is defined and smooth in a neighbourhood of ``args``."""
    if op.violation(args) or (op.kinks and any(abs(k) < MARGIN for k in op.kinks(*args))):
        return False
    undefined_at_origin = isinstance(op.domain, Joint) and op.violation([0.0] * len(args))
    if undefined_at_origin and max(map(abs, args)) < MARGIN:
        return False
    shifts = [
        [x + shift * (i == slot) for i, x in enumerate(args)]
        for slot in range(len(args))
        for shift in (-MARGIN, MARGIN)
    ]
    poles = () if isinstance(op.domain, Joint) else zip(args, op.domain, strict=False)
    return not any(map(op.violation, shifts)) and not any(
        abs(x - pole) < MARGIN for x, domain in poles for pole in domain.excluded
    )


@st.composite
def arguments(draw: Any, op: Op) -> tuple[float, ...]:
    """Return ordinary arguments where ``op`` is smooth, from its declared domain."""
    if isinstance(op.domain, Joint) or not op.domain:
        domains = [REAL] * (op.arity or draw(st.integers(1, 5)))
    else:
        domains = list(op.domain)
    bounds = [(max(d.low, -4.0), min(d.high, max(4.0, d.low + 4))) for d in domains]
    # Six digits: where numbers are subnormal, differences have no digits at all.
    numbers = (st.floats(low, high).map(lambda x: round(x, 6)) for low, high in bounds)
    tuples = st.tuples(*numbers)
    return draw(tuples.filter(lambda args: is_smooth(op, list(args))))


@st.composite
def programs(draw: Any, *, smooth: bool) -> Program:
    """Return a random graph with sharing and fan-out, every result of which reaches the last.

    Args:
        smooth: whether to keep to moderate numbers away from kinks and poles, so that
            difference quotients make sense; else any floats are tried.
    """
    numbers = ORDINARY if smooth else UNLIMITED
    inputs = tuple(draw(st.lists(numbers, min_size=1, max_size=4)))
    results, steps, used = list(inputs), [], set()
    for _ in range(draw(st.integers(1, 14))):
        op = TABLE[draw(st.sampled_from(list(TABLE)))]
        arity = op.arity or draw(st.integers(1, 5))
        # Counted from the newest result, so that shrinking leads to chains.
        ages = st.integers(0, len(results) - 1)
        refs = [draw(ages | numbers) for _ in range(arity)]
        args = tuple(len(results) - 1 - r if isinstance(r, int) else r for r in refs)
        floats = [pick(results, arg) for arg in args]
        if all(isinstance(arg, float) for arg in args) or op.violation(floats):
            continue
        out = op.ieee(*floats)
        if smooth and not (is_smooth(op, floats) and abs(out) < 100):
            continue
        used |= {arg for arg in args if isinstance(arg, int)}
        results.append(out)
        steps.append(Step(op.name, args))
    ends = tuple(i for i in range(len(results)) if i not in used)
    if len(ends) > 1 or not steps:
        steps.append(Step("sum", ends))
    return Program(inputs, tuple(steps))


@st.composite
def creation_orders(draw: Any, program: Program) -> list[int]:
    """Return another order in which the steps of ``program`` can be carried out."""
    first = len(program.inputs)
    waiting = {
        i: {arg - first for arg in step.args if isinstance(arg, int) and arg >= first}
        for i, step in enumerate(program.steps)
    }
    order: list[int] = []
    while waiting:
        ready = [i for i, needs in waiting.items() if needs <= set(order)]
        chosen = draw(st.sampled_from(ready[::-1]))
        order.append(chosen)
        del waiting[chosen]
    return order
