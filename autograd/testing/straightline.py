"""A computation as a straight-line program: inputs, then one op after the other.

Between a graph and a text: random expressions are drawn in this form, and a recorded graph can
be turned into it, so that a failing example is a file to run.

>>> steps = Assignment("mul", (0, 1)), Assignment("sin", (2,)), Assignment("pow", (3, 2.0))
>>> program = StraightLine((0.5, 2.0), steps)
>>> print(program)
from autograd import ops
<BLANKLINE>
<BLANKLINE>
def f(v0, v1):
    v2 = v0 * v1
    v3 = ops.sin(v2)
    v4 = v3 ** 2.0
    return v4
<BLANKLINE>
<BLANKLINE>
point = (0.5, 2.0)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd.engine import Value
from autograd.graph import topological_order
from autograd.operation import TABLE, Op


class Assignment(NamedTuple):
    """A row applied to earlier results, given by number (inputs first), and to plain floats."""

    name: str
    args: tuple[int | float, ...]


class StraightLine(NamedTuple):
    """A computation as data; its result is that of the last step.

    Printed, it is Python that defines the function ``f`` and the tuple ``point``.
    """

    inputs: tuple[float, ...]
    steps: tuple[Assignment, ...]

    def run(self, *inputs: Any) -> list[Any]:
        """Return every result, inputs first: floats for floats, Values for Values."""
        results = list(inputs)
        for name, args in self.steps:
            results.append(TABLE[name](*(pick(results, arg) for arg in args)))
        return results

    def __call__(self, *v: Any) -> Any:
        """Return the last result."""
        return self.run(*v)[-1]

    def floats(self, inputs: Sequence[float] | None = None) -> list[float]:
        """Return every result at ``inputs``, its own by default, by IEEE 754."""
        results = list(self.inputs if inputs is None else inputs)
        for name, args in self.steps:
            results.append(TABLE[name].ieee(*(pick(results, arg) for arg in args)))
        return results

    def values(self, order: Sequence[int] | None = None) -> list[Value]:
        """Return every result as a node, created in the given order of steps."""
        results: dict[int, Value] = {i: Value(x, f"v{i}") for i, x in enumerate(self.inputs)}
        n = len(self.inputs)
        for i in range(len(self.steps)) if order is None else order:
            name, args = self.steps[i]
            results[n + i] = TABLE[name](*(pick(results, arg) for arg in args))
        return [results[i] for i in sorted(results)]

    def __str__(self) -> str:
        n = len(self.inputs)
        body = [
            f"v{i} = {_spell(TABLE[step.name], step.args)}" for i, step in enumerate(self.steps, n)
        ]
        foreign = dict.fromkeys(s.name for s in self.steps if not TABLE[s.name].is_built_in)
        names = ["ops"] + (["TABLE"] if foreign else [])
        point = ", ".join(map(_literal, self.inputs)) + ("," if n == 1 else "")
        lines = [
            *(["from math import inf, nan", ""] if self._has_special_numbers() else []),
            f"from autograd import {', '.join(sorted(names))}",
            *(f"# import the module that defines the row {name!r}" for name in foreign),
            "",
            "",
            f"def f({', '.join(f'v{i}' for i in range(n))}):",
            *(f"    {line}" for line in body),
            f"    return v{n + len(self.steps) - 1}",
            "",
            "",
            f"point = ({point})",
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"\n{self}\n"

    def _has_special_numbers(self) -> bool:
        numbers = [*self.inputs, *(arg for step in self.steps for arg in step.args)]
        return not all(map(math.isfinite, numbers))


def program_of(root: Value) -> StraightLine:
    """Return the program that computes a recorded graph, its leaves as inputs."""
    order = topological_order(root)
    leaves = [node for node in order if node.op is None]
    inner = [node for node in order if node.op is not None]
    number = {node: i for i, node in enumerate([*leaves, *inner])}
    steps = []
    for node in inner:
        assert node.op is not None
        args = tuple(number[arg] if isinstance(arg, Value) else arg for arg in node.args)
        steps.append(Assignment(node.op.name, args))
    return StraightLine(tuple(leaf.data for leaf in leaves), tuple(steps))


def pick(results: Any, arg: int | float) -> Any:
    """Return the result that ``arg`` refers to; a plain float stands for itself."""
    return results[arg] if isinstance(arg, int) else arg


def _spell(op: Op, args: tuple[int | float, ...]) -> str:
    texts = [f"v{arg}" if isinstance(arg, int) else _literal(arg) for arg in args]
    if op.binds and op.is_built_in:
        return op.spell(*texts)
    owner = f"ops.{op.name}" if op.is_built_in else f"TABLE[{op.name!r}]"
    return f"{owner}({', '.join(texts)})"


def _literal(x: float) -> str:
    return "-inf" if x == -math.inf else repr(x)
