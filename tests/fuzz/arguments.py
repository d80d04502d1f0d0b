"""What is given to public functions, one argument being slightly wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

from autograd import TABLE, ChainruleError
from tests.fuzz.mangling import WRONG
from tests.fuzz.target import Target
from tests.test_messages import DOORS

Case = tuple[Callable[[Any], object], Any]

ENDLESS = {"order", "budget", "tolerance", "MLP", "seed", "schedule", "goto"}
"""Where a large number is in order, and a matter of patience."""


def case(source: random.Random) -> Case:
    door, wrong = source.choice(sorted(DOORS)), source.choice(WRONG)()
    if isinstance(wrong, int) and abs(wrong) > 100 and door in ENDLESS:
        wrong = -1
    return DOORS[door], wrong


def use(case: Case) -> None:
    door, wrong = case
    rows = dict(TABLE)
    try:
        door(wrong)
    finally:  # a row that was made is none of the next one's business
        TABLE.clear()
        TABLE.update(rows)


@cache
def targets() -> tuple[Target, ...]:
    refused = (ValueError, TypeError, IndexError, FloatingPointError, OSError, ChainruleError)
    return (Target("arguments", case, use, refused),)
