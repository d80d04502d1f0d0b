"""Which nodes are in the network: those of modules, and what is done between them.

>>> from autograd.engine import Value
>>> from autograd.functions import trace
>>> from autograd.modes import scope
>>> x = Value(0.5)
>>> for name in ("first", "second"):
...     with scope(name):
...         x = x.tanh()
...     x = x * 2
>>> network_of(Structure(trace(x)[0]), None)  # what is after the last one is not
['', 'first', 'network', 'second', '']
"""

from __future__ import annotations

from collections.abc import Hashable, Set
from typing import TypeVar

from autograd.drawing.stages import Stages
from autograd.drawing.structure import Structure

Box = TypeVar("Box", bound=Hashable)


def network_of(structure: Structure, stages: Stages | None) -> list[str]:
    """Return the places of nodes in the network, "" outside.

    What a module computes and another one uses, such as a residual stream, is in the network, and
    so is what a loop does to it after its last turn through the modules, as after the others. So
    are the leaves that are used for it first, such as weights of one's own between two layers.
    """
    found = list(structure.place)
    after, before = list(map(bool, found)), list(map(bool, found))
    for i, args in enumerate(structure.args):
        after[i] = after[i] or any(after[arg] for arg in args)
    _lead_on(structure, before)
    if stages:
        runs = [stages.run[stage] if stage >= 0 else -1 for stage in stages.of]
        within = {run for run, *leads in zip(runs, after, before, strict=True) if all(leads)} - {-1}
        before = [leads_in or run in within for leads_in, run in zip(before, runs, strict=True)]
        _lead_on(structure, before)
    for i, is_between in enumerate(map(all, zip(after, before, strict=True))):
        if is_between:
            found[i] = found[i] or "network"
    leaves = {i for i, args in enumerate(structure.args) if not (args or found[i])}
    uses = [at or "before" * leads_in for at, leads_in in zip(found, before, strict=True)]
    for leaf, used_in in uses_of(leaves, structure.args, uses).items():
        if used_in - {""} == {"network"}:  # a penalty may use them, too
            found[leaf] = "network"
    return found


def uses_of(inputs: Set[int], args: list[list[int]], boxes: list[Box]) -> dict[int, set[Box]]:
    """Return the boxes in which each input is used."""
    users: dict[int, set[Box]] = {}
    for i, its in enumerate(args):
        for arg in its:
            if arg in inputs:
                users.setdefault(arg, set()).add(boxes[i])
    return users


def _lead_on(structure: Structure, before: list[bool]) -> None:
    """Mark the arguments of what is marked, and theirs."""
    for i in range(len(before) - 1, -1, -1):
        for arg in structure.args[i]:
            before[arg] = before[arg] or before[i]
