"""What random graphs are put to in the tests, beyond `autograd.strategies`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from autograd.straightline import Program


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
