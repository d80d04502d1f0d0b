"""Which op is to blame for a wrong gradient: every edge of the graph checked on its own."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from autograd.checking.claim import Claim, Comparison
from autograd.checking.differences import Sampler, compare
from autograd.checking.line import Line, Sample
from autograd.checking.linearization import Linearization, branch, is_same_piece, total
from autograd.contexts import unchecked
from autograd.engine import Value
from autograd.forms import floats_of
from autograd.formula import rule, rule_symbols, text
from autograd.lowering import value_function
from autograd.operation import Op
from autograd.place import place_of
from autograd.transforms import descendants

NEAR_KINK = 1e-12
"""A kink is at hand if it is no farther than this, relative to the input if that is above 1."""

MANY_EDGES = 32
"""A node with more edges is first checked along one direction, for its edges all at once."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """The edge whose local derivative is wrong.

    Attributes:
        op: the name of the row.
        slot: which of its arguments; ``parameter`` is the rule's name for it.
        rule: the row's rule as a formula.
        position: where the node stands in topological order.
        formula: the node in terms of its arguments, with their numbers.
        where: file (or cell of a notebook) and line that computed the node, "" if not known.
        local: the local derivative by the rule.
        numeric: the local derivative by differences.
    """

    op: str
    slot: int
    parameter: str
    rule: str
    position: int
    formula: str
    where: str
    local: float
    numeric: float

    def __str__(self) -> str:
        at = f" at {self.where}" if self.where else ""
        return (
            f"{self.op}: d/d{self.parameter} = {self.rule} gives {self.local:.9g}, differences "
            f"give {self.numeric:.9g}; node n{self.position} = {self.formula}{at}"
        )


def first_culprit(graph: Linearization, leaf: Value | None = None) -> Culprit | None:
    """Return the first edge between ``leaf`` and the root whose local derivative is wrong.

    First in topological order: no node that it depends on is at fault. Without a leaf, every
    edge counts. None if each rule is right.

    Cost: up to 30 evaluations of one op per edge, or per node if it is right in many edges.
    """
    concerned = set(graph.order) if leaf is None else descendants(graph.order, [leaf])
    judged: dict[tuple[Op, int, tuple[float, ...]], Comparison] = {}
    for position, node in enumerate(graph.order):
        if node.op is None or node.op.by_hand:  # the rows' rules are judged by their forward
            continue
        floats, locals_ = tuple(floats_of(node.args)), graph.locals[node]
        slots = [
            slot
            for slot, arg in enumerate(node.args)
            if isinstance(arg, Value) and arg in concerned
        ]
        if len(slots) > MANY_EDGES and check_edges(node.op, slots, floats, locals_).verdict == "ok":
            continue
        for slot in slots:
            local = locals_[slot]
            if not (math.isfinite(local) or all(map(math.isfinite, floats))):
                continue  # NaN from infinities is IEEE 754's doing, not the rule's
            key = (node.op, slot, floats)
            if key not in judged:
                judged[key] = check_edges(node.op, [slot], floats, locals_)
            if judged[key].verdict == "wrong":
                return _describe(node, slot, position, local, judged[key].numeric)
    return None


def check_edges(
    op: Op, slots: list[int], args: tuple[float, ...], locals_: tuple[float, ...]
) -> Comparison:
    """Return the verdict on local derivatives: the row's own forward against its rules.

    Several at once are checked along one direction, with speeds that no accident cancels.
    """
    leaves = [Value(x) for x in args]
    with unchecked():
        node = op(*leaves)
    function = value_function(op, len(args))
    single = len(slots) == 1
    draw = random.Random(0)
    speeds = {slot: 1.0 if single else draw.uniform(0.5, 1.5) for slot in slots}
    x = args[slots[0]] if single else 0.0

    def moved(t: float) -> Sample | None:
        floats = list(args)
        for slot, speed in speeds.items():
            floats[slot] = t if single else args[slot] + t * speed
        if op.violation(floats):
            return None
        try:
            piece = None
            if op.kinks:
                with unchecked():
                    piece = branch(op(*map(Value, floats)))
            return Sample(function(*floats), piece)
        except (ArithmeticError, ValueError):
            return None

    alone = Linearization(node)
    noise = alone.noise
    if not single:
        noise += total(math.ulp(args[slot]) * abs(locals_[slot]) for slot in slots)
    line = Line(moved, x, Sample(node.data, branch(node) if op.kinks else None), is_same_piece)
    direction = {leaves[slot]: speed for slot, speed in speeds.items()}
    claim = Claim(total(locals_[slot] * speed for slot, speed in speeds.items()))
    return compare_along(alone, direction, line, noise, claim)


def compare_along(
    graph: Linearization, direction: Mapping[Value, float], line: Line, noise: float, claim: Claim
) -> Comparison:
    """Return the verdict on a claimed derivative of a graph's root in one direction.

    Args:
        line: the root along that direction.
        noise: a bound on the rounding error of a sample.
    """
    near = NEAR_KINK * max(1.0, abs(line.x))
    motion = graph.along(direction, near)
    return compare(
        Sampler(line, noise),
        claim._replace(doubt=motion.doubt),
        first_steps(motion.radius, line.x),
        radius=motion.radius,
        near=near if motion.kink <= near else 0.0,
    )


def first_steps(radius: float, x: float) -> list[float]:
    """Return where sweeps start: as the graph advises, then by the size of the input.

    Where nothing is known, large steps come first: they show a kink that is near.
    """
    steps = [radius / 8, abs(x) / 8, 1 / 8] if radius else [max(abs(x), 1) / 8, abs(x) / 8, 1 / 8]
    usable = [h for h in steps if 0 < h < math.inf]
    kept: list[float] = []
    for h in usable:
        if all(not 0.2 < h / other < 5 for other in kept):
            kept.append(h)
    return kept


def _describe(node: Value, slot: int, position: int, local: float, numeric: float) -> Culprit:
    op = node.op
    assert op is not None
    out, symbols = rule_symbols(op, node.args)
    formula = text(rule(op, slot, out, symbols))
    parameter = op.parameters[slot] if op.arity else f"x{slot + 1}"
    spelled = op.spell(*[f"{x:.6g}" for x in floats_of(node.args)])
    return Culprit(
        op.name, slot, parameter, formula, position, f"{spelled} = {node.data:.6g}",
        place_of(node.origin), local, numeric,
    )  # fmt: skip
