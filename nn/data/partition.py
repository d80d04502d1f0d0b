"""Samples in parts: for training and test, and in mini-batches."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from nn.arguments import count, generator, share


def train_test_split(
    data: tuple[Sequence[Any], Sequence[Any]],
    test: float = 0.2,
    seed: int | random.Random | None = 0,
    stratified: bool = True,
) -> tuple[tuple[list[Any], list[Any]], tuple[list[Any], list[Any]]]:
    """Return ``data`` in two: for training, and a share of it for the test, both shuffled.

    Args:
        data: inputs and targets.
        test: the share of the test, above 0 and below 1.
        seed: the same seed gives the same parts.
        stratified: whether targets that are labels must each be found in both parts in their
            share, up to rounding; those with a fraction, or that occur once, are none.

    Raises:
        ValueError: one of the parts would be empty.

    >>> from nn.data import moons
    >>> train, test = train_test_split(moons(100), test=0.2)
    >>> len(train[1]), test[1].count(0), test[1].count(1)
    (80, 10, 10)
    """
    inputs, targets = data
    if len(inputs) != len(targets):
        raise ValueError(f"as many inputs as targets: got {len(inputs)} and {len(targets)}")
    share("test", test)
    source = generator(seed)
    groups: dict[Any, list[int]] = {}
    for i, target in enumerate(targets):
        if stratified and isinstance(target, list):
            raise TypeError(f"targets[{i}] is a list, which is no label: pass stratified=False")
        # A number with a fraction is no label: together, such targets are split at random.
        is_label = stratified and not (isinstance(target, float) and target % 1)
        groups.setdefault(target if is_label else None, []).append(i)
    single = [label for label, group in groups.items() if len(group) == 1]
    if len(single) > 1:  # none of them can be in both parts
        groups[None] = groups.pop(None, []) + [groups.pop(x)[0] for x in single if x is not None]
    chosen: list[int] = []
    carried = 0.0
    for group in groups.values():
        source.shuffle(group)
        # What rounding takes from one label it gives to the next, so the whole keeps its share.
        carried += test * len(group)
        taken = round(carried)
        carried -= taken
        chosen += group[:taken]
    source.shuffle(chosen)
    picked = set(chosen)
    rest = [i for i in range(len(targets)) if i not in picked]
    source.shuffle(rest)
    if not rest or not chosen:
        raise ValueError(f"{len(targets)} samples can't be split with a test share of {test:g}")
    return (
        ([inputs[i] for i in rest], [targets[i] for i in rest]),
        ([inputs[i] for i in chosen], [targets[i] for i in chosen]),
    )


def batches(n: int, batch_size: int, seed: int = 0) -> Iterator[list[list[int]]]:
    """Yield for each epoch, without end, the places 0 to n - 1, shuffled, in mini-batches.

    The last batch of an epoch may be smaller. The k-th epoch's order follows from seed and k.

    >>> [len(batch) for batch in next(batches(10, 4))]
    [4, 4, 2]
    """
    size = count("batch_size", batch_size)
    order = list(range(count("n", n)))
    source = random.Random(seed)
    while True:
        source.shuffle(order)
        yield [order[i : i + size] for i in range(0, n, size)]
