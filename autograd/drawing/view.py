"""A graph as a picture: its boxes made into items, their edges into links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from autograd.drawing.clusters import fans_of
from autograd.drawing.levels import Folding
from autograd.drawing.paths import merged
from autograd.drawing.picture import Cluster, Item, Link, Picture, shorten, shown
from autograd.drawing.reading import Now, Reading
from autograd.drawing.structure import Structure
from autograd.engine import Value
from autograd.forms import floats_of, form_of
from autograd.operation import Op
from autograd.stepping.notation import names_of

NORMS = "‖ ‖ is the L2 norm over what leaves a box or crosses an arrow, or over parameters"
CLUSTERED = "an arrow × n stands for n of them: one for each of so many stages in its frame"

MOST_OPS = 4
"""Ops outside of any module that the title of a box names."""

MOST_NUMBERS = 12
"""Plain numbers that an op of many arguments shows one by one."""


class View:
    """One way to look at a graph.

    Args:
        structure: the graph.
        folding: the box of each node.
        shown: the boxes to show; all if None.
        reading: where the numbers come from.
        local: whether each edge tells its local derivative.
        expand: whether a weighted sum is shown term by term.
    """

    def __init__(
        self,
        structure: Structure,
        folding: Folding,
        shown: set[int] | None,
        reading: Reading,
        *,
        local: bool = False,
        expand: bool = False,
    ) -> None:
        self.structure = structure
        self.folding = folding
        self.reading = reading
        self.local = local
        self.expand = expand
        self.names = [shorten(name) for name in names_of(structure.nodes)]
        self.members: dict[int, list[int]] = {}
        for i, box in enumerate(folding.box):
            self.members.setdefault(box, []).append(i)
        self.shown = set(self.members) if shown is None else shown
        # By the last member, arguments come before what uses them, as far as that is possible.
        self.order = sorted(self.shown, key=lambda box: self.members[box][-1])
        # Of each box: the boxes its arrows come from, with the nodes that cross; and its users.
        self.crossing: dict[int, dict[int, dict[int, None]]] = {b: {} for b in self.members}
        self.users: dict[int, dict[int, None]] = {b: {} for b in self.members}
        for here, positions in zip(folding.box, structure.args, strict=True):
            for arg in positions:
                there = folding.box[arg]
                if there != here:
                    self.crossing[here].setdefault(there, {})[arg] = None
                    self.users[there][here] = None
        drawn = {box: turn for box, turn in folding.turn.items() if box in self.shown}
        self.fans = fans_of({box: self.crossing[box] for box in self.order}, drawn)

    def picture(self, rankdir: str, budget: int | None) -> Picture:
        """Return the picture."""
        items = tuple(item for box in self.order for item in self._items(box))
        used = {row.scale for item in items for row in item.rows if row.amount != 0}
        scales = tuple(pair for pair in self.reading.scales if pair[0] in used)
        notes = [*self.reading.notes, *self._size(budget)]
        if any(scale.startswith("norm") for scale in used):
            notes.append(NORMS)
        if self.local:
            notes.append("on each edge: the local derivative d node / d argument")
        clusters = self._clusters()
        notes += [CLUSTERED] * bool(clusters)
        return Picture(items, rankdir, scales, tuple(notes), clusters)

    def _clusters(self) -> tuple[Cluster, ...]:
        """Return the frames at which arrows end, each around the turns of one repetition."""
        inside: dict[int, list[str]] = {fan.run: [] for fan in self.fans.values() if fan}
        turns: dict[int, dict[int, None]] = {run: {} for run in inside}
        for box in self.order:
            run, turn = self.folding.turn.get(box, (-1, 0))
            if run in inside:
                inside[run].append(self.key(box))
                turns[run][turn] = None
        titles = {run: merged(f"stage {turn}" for turn in its) for run, its in turns.items()}
        return tuple(
            Cluster(f"f{run}", f"{titles[run]} × {len(turns[run]):,}", frozenset(keys))
            for run, keys in inside.items()
        )

    def _size(self, budget: int | None) -> list[str]:
        """Return what the legend says of the nodes that have no box of their own."""
        total = len(self.structure.nodes)
        own = sum(self._is_single(box) for box in self.order)
        if own == total:
            return []
        boxes = f"{len(self.order):,} box{'es' if len(self.order) > 1 else ''}"
        why = f" (budget {budget:,})" if budget is not None and total > budget else ""
        return [f"{total:,} nodes, {boxes}: {total - own:,} nodes are hidden{why}"]

    def _is_single(self, box: int) -> bool:
        return len(self.members[box]) == 1 and box not in self.folding.modules

    def key(self, box: int) -> str:
        """Return the key of a box's item."""
        first = self.members[box][0]
        return f"n{first}" if self._is_single(box) else f"g{first}"

    def _items(self, box: int) -> list[Item]:
        """Return the item of a box, preceded by its terms, and by what stands for hidden nodes."""
        key = self.key(box)
        item, terms = self._item(box, key)
        items = [*terms, item]
        if below := self._hidden(self.crossing[box]):
            more = Item(f"{key}below", "more", below)
            items = [more, *terms, replace(item, args=(*item.args, Link(more.key)))]
        if above := self._hidden(self.users[box]):
            items.append(Item(f"{key}above", "more", above, args=(Link(key),)))
        return items

    def _hidden(self, boxes: Iterable[int]) -> str:
        """Return how many nodes of these boxes are not shown; "" for none."""
        count = sum(len(self.members[box]) for box in boxes if box not in self.shown)
        return f"… {count:,} more" if count else ""

    def _item(self, box: int, key: str) -> tuple[Item, list[Item]]:
        members = self.members[box]
        if self._is_single(box):
            return self._value(members[0], key)
        links = tuple(
            link
            for other in self.crossing[box]
            if other in self.shown and (link := self._link(other, box))
        )
        nodes, current = self.structure.nodes, any(map(self.reading.is_current, members))
        heading = heading_of(self.structure, self.folding, box, members)
        has_root = members[-1] == len(nodes) - 1
        if box in self.folding.modules:
            outside = {i for other in self.users[box] for i in self.crossing[other][box]}
            if has_root:
                outside.add(len(nodes) - 1)
            own = [i for i in members if i not in self.structure.inputs]
            parameters = [i for i in own if nodes[i].op is None]
            rows = self.reading.rows_of_module(sorted(outside), parameters)
            item = Item(key, "module", rows=rows, args=links, current=current, **asdict(heading))
            return item, []
        members = told_of(self.structure, members)
        item = Item(
            key,
            "alike" if nodes[members[0]].op else "value",
            name=self.names[-1] if has_root else "",
            rows=(
                self.reading.rows(members[-1]) if has_root else self.reading.rows_of_alike(members)
            ),
            args=links,
            current=current,
            **asdict(heading),
        )
        return item, []

    def _link(self, other: int, box: int) -> Link | None:
        """Return the arrow for all edges from one box to another; None if another stands for it."""
        fan = self.fans.get((other, box))
        if fan is None and (other, box) in self.fans:
            return None
        positions = list(fan.values if fan else self.crossing[box][other])
        norm = self.reading.norm(positions)
        count = f"{len(positions):,} value{'s' if len(positions) > 1 else ''}"
        tip = count if norm is None else f"{count}, {self.reading.normed} {norm!r}"
        label, cluster = (f"× {fan.times:,}", f"f{fan.run}") if fan else ("", "")
        return Link(self.key(other), label, tip=tip, norm=norm, cluster=cluster)

    def _value(self, i: int, key: str) -> tuple[Item, list[Item]]:
        node, name = self.structure.nodes[i], self.names[i]
        spelled = [
            self.names[self.structure.position[arg]]
            if isinstance(arg, Value)
            else self.reading.constant(node, slot)
            for slot, arg in enumerate(node.args)
        ]
        expanded = self.expand and node.op is not None and node.op.weighted
        args, terms = self._terms(i, spelled) if expanded else (self._args(i, spelled), [])
        item = Item(
            key,
            title=node.label,
            name=name if name == f"n{i}" else "",
            path=node.origin[0] if node.origin else "",
            caption="+" if expanded else caption(node.op, node.args, spelled) if node.op else "",
            definition=f"{name} = {node.op.spell(*spelled)}" if node.op else "",
            rows=self.reading.rows(i),
            args=tuple(args),
            current=self.reading.is_current(i),
        )
        return item, terms

    def _args(self, i: int, spelled: list[str]) -> list[Link]:
        """Return the arrows of one node: of each edge, or of all that come from one box."""
        node = self.structure.nodes[i]
        locals_ = [shown(x) for x in local_derivatives(node)] if self.local else []
        links, seen = [], set()
        numbers = sum(isinstance(arg, float) for arg in node.args)
        for slot, arg in enumerate(node.args):
            if isinstance(arg, float):
                if node.op is not None and node.op.arity is None and numbers <= MOST_NUMBERS:
                    links.append(Link("", spelled[slot]))
                continue
            box = self.folding.box[self.structure.position[arg]]
            if box not in self.shown or box in seen:
                continue
            if self._is_single(box) and (box, self.folding.box[i]) not in self.fans:
                product = self.reading.product(i, slot)
                label = product or (locals_[slot] if locals_ else "")
                links.append(Link(self.key(box), label, current=bool(product)))
            else:
                seen.add(box)
                if link := self._link(box, self.folding.box[i]):
                    links.append(link)
        if node.op is not None and node.op.arity is None and numbers > MOST_NUMBERS:
            links.append(Link("", f"{numbers:,} numbers"))
        return links

    def _terms(self, i: int, spelled: list[str]) -> tuple[list[Link], list[Item]]:
        """Return the arrows and the terms of a weighted sum."""
        node = self.structure.nodes[i]
        half = len(node.args) // 2
        reading = self.reading
        assert isinstance(reading, Now)
        terms = []
        for slot in range(half):
            factors = [node.args[slot], node.args[half + slot]]
            numbers = [arg.data if isinstance(arg, Value) else arg for arg in factors]
            links = [
                self._factor(arg, spelled[s], shown(numbers[1 - k]))
                for k, (arg, s) in enumerate(zip(factors, (slot, half + slot), strict=True))
            ]
            terms.append(
                Item(
                    f"n{i}t{slot}",
                    name=f"{self.names[i]}, term {slot + 1}",
                    caption="*",
                    definition=f"{spelled[slot]} * {spelled[half + slot]}",
                    rows=reading.pair(numbers[0] * numbers[1], node.grad),
                    args=tuple(link for link in links if link),
                )
            )
        one = "1.0" if self.local else ""
        args = [Link(term.key, one) for term in terms]
        bias = [self._factor(arg, spelled[-1], "1.0") for arg in node.args[2 * half :]]
        return [*args, *(link for link in bias if link)], terms

    def _factor(self, arg: Value | float, name: str, local: str) -> Link | None:
        if isinstance(arg, float):
            return Link("", name)
        box = self.folding.box[self.structure.position[arg]]
        if box not in self.shown:
            return None
        return Link(self.key(box), local if self.local else "")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a box that stands for several nodes is called; see `Item`."""

    title: str
    path: str
    count: int
    calls: int = 1


def heading_of(structure: Structure, folding: Folding, box: int, members: list[int]) -> Heading:
    """Return how the box with these nodes is called."""
    nodes = structure.nodes
    if box in folding.modules:
        ops = Counter(str(op) for i in members if (op := nodes[i].op))
        modules = list(folding.modules[box])
        title = merged(modules)
        between = [i for i in members if nodes[i].op and not structure.place[i]]
        if between and title != "network" and any(structure.place[i] for i in members):
            title += f" and {_told(structure, between)}"
        return Heading(
            title,
            ", ".join(f"{op} × {n:,}" if n > 1 else op for op, n in ops.items()),
            len(modules),
            structure.calls(members),
        )
    members = told_of(structure, members)
    first = nodes[members[0]]
    title = _told(structure, members) or merged([nodes[i].label for i in members])
    title = title or leaves_as(structure, set(members))
    path = merged([structure.place[i] for i in members]) if first.op else ""
    return Heading(title, path, len(members))


def _told(structure: Structure, members: list[int]) -> str:
    """Return the ops of nodes, as far as a title has room for them."""
    ops = [structure.nodes[i].op for i in members]
    several = list(dict.fromkeys(str(op) for op in ops if op))
    return " ".join(several[:MOST_OPS]) + " …" * (len(several) > MOST_OPS)


def leaves_as(structure: Structure, leaves: set[int]) -> str:
    """Return what leaves without a label are, as far as samples tell, or the turns of a loop.

    >>> from autograd.functions import trace
    >>> w = [Value(1.0), Value(2.0)]
    >>> losses = [(w[0] * x + w[1] * x).tanh() for x in (Value(0.5), Value(0.2))]
    >>> structure = Structure(trace(losses[0] + losses[1])[0])
    >>> leaves = [structure.position[leaf] for leaf in w]
    >>> leaves_as(structure, set(leaves)), leaves_as(structure, structure.inputs)
    ('weights', 'inputs')
    """
    if leaves <= structure.inputs:
        return "inputs"
    roles = Counter(structure.roles[i] for i in leaves if i in structure.roles)
    if 2 * roles.total() < len(leaves):
        return "leaves"
    return next(iter(roles)) if len(roles) == 1 else "parameters"


def told_of(structure: Structure, members: list[int]) -> list[int]:
    """Return what a box that is no module is about: its ops, without the inputs they are given."""
    return [i for i in members if structure.nodes[i].op] or members


def local_derivatives(node: Value) -> list[float]:
    """Return d node / d arg for every argument; 0.0 for a plain number.

    >>> local_derivatives(Value(3.0) * Value(-2.0))
    [-2.0, 3.0]
    """
    if node.op is None:
        return []
    return list(form_of(node.op, node.args).locals(node.data, *floats_of(node.args)))


def caption(op: Op, args: tuple[Value | float, ...], names: list[str]) -> str:
    """Return what the oval of an op says: its symbol, and what the edges can't.

    That is the plain numbers among the arguments, and the arguments' ``names`` where several
    nodes meet that may not change places: ``*``, ``** 2``, ``2 -``, ``x - y``.
    """
    nodes = sum(isinstance(arg, Value) for arg in args)
    if op.arity in (None, 1) or (nodes > 1 and op.commutes):
        return str(op)
    hole = "" if op.binds else "·"
    spelled = [
        name if isinstance(arg, float) else hole if nodes == 1 else _atom(shorten(name, 12))
        for arg, name in zip(args, names, strict=True)
    ]
    return op.spell(*spelled).strip()


def _atom(name: str) -> str:
    """Return a name such that no reader takes its words, ``a + b``, for part of the formula."""
    return f"({name})" if " " in name else name
