"""A user's code between two steps of a training: whether it can see or change what they go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import autograd
from autograd import Value
from nn.optim import Optimizer


def has_onlookers(
    optimizer: Optimizer, *functions: Callable[..., Any] | None, others: Iterable[Value] = ()
) -> bool:
    """Return whether code that runs between steps can reach the parameters or the optimiser.

    It is to find both as the last step has left them, and what it sets there counts. Compiled
    steps keep them elsewhere meanwhile.

    Args:
        functions: called between steps, such as a schedule; the optimiser's own `rates` is, too.
        others: parameters that the optimiser doesn't hold, and steps go by.
    """
    leaves = {*optimizer.parameters, *others}
    is_own = type(optimizer).rates.__module__ == Optimizer.__module__
    reach = autograd.values_within
    return not is_own or any(not leaves.isdisjoint(reach(f)) for f in functions if f)
