"""Where in the model each node of a run belongs, and which repetition of it the node is part of.

A scope says where a node was recorded: in a place of the model (``layers.0``), in a repetition of
it (``samples.7``), or in both (``samples.7.layers.0``). What tells them apart are the parameters:
paths under which the same one is used lead to one place, met again. Where there are none, it is
what is done: siblings that apply the same operations, and share a leaf, are repetitions.

>>> from autograd.functions import trace
>>> from autograd.modes import scope
>>> w, loss = Value(2.0, label="layers.0.w"), Value(0.0)
>>> for i in range(3):
...     with scope(f"samples.{i}.layers.0"):
...         loss = loss + w * i
>>> structure = Structure(trace(loss)[0])
>>> structure.place[-1], structure.turn[-1], structure.calls([structure.position[w]])
('layers.0', 'samples.2', 3)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Set
from functools import cached_property
from typing import NamedTuple

from autograd.drawing.paths import (
    above,
    indexed,
    module_of,
    owner_in,
    path_of,
    pattern,
    row_of,
    shared_end,
    starred,
)
from autograd.drawing.roles import roles_of
from autograd.drawing.samples import Graph, are_similar, samples_of
from autograd.drawing.twins import Parts, told_apart
from autograd.engine import Value
from autograd.graph import node_args

MATRIX = "weight"
"""What a module calls its matrix that has no other, as in PyTorch: it is called by what it does."""


class Structure:
    """The nodes below a root as parts of a model.

    Attributes:
        nodes: the graph in topological order, the root last.
        position: where each node stands in ``nodes``.
        args: the positions of each node's arguments, in order, duplicates kept.
        place: the path of the module of the model that each node belongs to; "" for none. A
            parameter belongs where its label says, whoever used it first; without such a label,
            where it is used, if each module has some that are used in the same way.
        does: what each node does, which tells what is alike: its op, a square apart from a product
            of two; "" for a leaf.
        turn: the repetition that each node is part of, such as ``samples.7``; "" for none.
        samples: the repetitions that share nothing but parameters.
        inputs: the leaves that one sample alone uses, as others use others; none of the model's.

    Cost: linear in nodes and edges.
    """

    def __init__(self, nodes: list[Value]) -> None:
        self.nodes = nodes
        self.position = {node: i for i, node in enumerate(nodes)}
        self.args = [[self.position[arg] for arg in node_args(node)] for node in nodes]
        self.does = [_what_is_done(node, args) for node, args in zip(nodes, self.args, strict=True)]
        self.place = [node.origin[0] if node.origin else "" for node in nodes]
        self.turn = [""] * len(nodes)
        parameters = self._place_parameters()
        owned = {self.place[i] for i in parameters}
        self._fold_siblings({path for place in owned for path in above(place)})
        self.samples = samples_of(Graph(nodes, self.args, self.turn))
        parameters += self._place_matrices()
        self.place = told_apart(Parts(nodes, parameters, self.place))
        self._gather_neurons()
        if parameters:
            self._place_what_is_looked_up()
        self._users: dict[int, Counter[tuple[str, int, str]]] = {}
        for i, node in enumerate(nodes):
            for slot, arg in enumerate(node.args):
                if isinstance(arg, Value) and arg.op is None and node.op is not None:
                    role = slot if node.op.arity else 0
                    leaf, user = self.position[arg], (node.op.name, role, self.place[i])
                    self._users.setdefault(leaf, Counter())[user] += 1
        self._place_leaves()
        self.inputs = self._find_inputs()

    @cached_property
    def roles(self) -> dict[int, str]:
        """What leaves are, by what is done with them, as far as that can be told."""
        shared = {i for i, node in enumerate(self.nodes)
                  if node.op is None and self.samples.names and self.samples.of[i] < 0}  # fmt: skip
        return roles_of(self.nodes, shared)

    def users(self, leaf: int) -> frozenset[tuple[str, int, str]]:
        """Return what a leaf is used for: the ops, the slot in those of few, and the modules."""
        return frozenset(self._users.get(leaf, ()))

    def calls(self, members: Iterable[int]) -> int:
        """Return how often the modules with these nodes were run, as far as it shows.

        That is how often most of their parameters are used there; without any, in how many
        repetitions the nodes are.
        """
        members = list(members)
        uses = [self._uses(i) for i in members]
        counts = Counter(filter(None, uses))
        if counts:
            return max(counts, key=lambda uses: (counts[uses], -uses))
        return len({self.turn[i] for i in members if self.nodes[i].op is not None}) or 1

    def _uses(self, leaf: int) -> int:
        """Return how often a leaf is used in the module where it belongs."""
        if not (place := self.place[leaf]) or leaf not in self._users:
            return 0
        return sum(times for (*_, used), times in self._users[leaf].items() if used == place)

    @cached_property
    def is_one_layer(self) -> bool:
        """Whether the modules are the neurons of a layer: alike in name, and side by side."""
        names = set(filter(None, self.place))
        return len({pattern(name) for name in names}) == 1 and self._is_layer(names)

    def _is_layer(self, modules: Set[str]) -> bool:
        """Return whether modules are side by side: neurons, none run only on what another gave.

        What a layer gives may be fed to it again, as in a recurrent network; each of its neurons
        is then run at first on what none of the others gave.
        """
        if len(modules) < 2 or "." in "".join(name.rpartition(".")[0] for name in modules):
            return False
        place = [name if name in modules else "" for name in self.place]
        computed = {path for path, args in zip(place, self.args, strict=True) if path and args}
        fed: list[bool] = []  # whether another module is on the way to a node
        first: set[str] = set()
        for i, args in enumerate(self.args):
            given = [arg for arg in args if place[arg] not in ("", place[i]) and self.args[arg]]
            first.update(place[arg] for arg in given if not fed[arg])
            fed.append(bool(given) or any(fed[arg] for arg in args))
        return first == computed

    def _find_inputs(self) -> set[int]:
        alike: dict[Hashable, list[int]] = {}
        for i, sample in enumerate(self.samples.of):
            if sample >= 0 and self.nodes[i].op is None and not self.place[i]:
                alike.setdefault((starred(self.nodes[i].label), self.users(i)), []).append(i)
        return {
            i
            for leaves in alike.values()
            if len({self.samples.of[i] for i in leaves}) > 1
            for i in leaves
        }

    def _place_leaves(self) -> None:
        """Place leaves in the only module that uses them, where others are used so elsewhere.

        An input, which one module alone may have, stays outside.
        """
        alike: dict[Hashable, dict[int, str]] = {}
        for leaf, users in self._users.items():
            places = {place for *_, place in users}
            if not self.place[leaf] and self.samples.of[leaf] < 0 and len(places) == 1:
                roles = frozenset((op, slot) for op, slot, _ in users)
                kind = starred(self.nodes[leaf].label), roles
                alike.setdefault(kind, {})[leaf] = places.pop()
        for place in alike.values():
            if len(set(place.values())) > 1:
                for leaf in place:
                    self.place[leaf] = place[leaf]

    def _place_parameters(self) -> list[int]:
        """Find the places of parameters, and what repeats them; return the parameters."""
        owner: dict[int, str] = {}
        first: dict[int, str] = {}
        heads = _Heads()
        for i, positions in enumerate(self.args):
            scope = self.place[i]
            for arg in positions if scope else ():
                if self.nodes[arg].op is None and "." in self.nodes[arg].label:
                    found = owner_in(self.nodes[arg].label, scope)
                    if found:
                        owner.setdefault(arg, found)
                        head = scope[: -len(found)].rstrip(".")
                        heads.join(first.setdefault(arg, head), head)
        split = heads.split()
        known = {scope: _split_at(scope, split) for scope in dict.fromkeys(self.place)}
        for i, scope in enumerate(self.place):
            if i in owner:
                self.place[i] = path_of(split[first[i]].name, owner[i])
            else:
                self.place[i], self.turn[i] = known[scope]
        return list(owner)

    def _place_matrices(self) -> list[int]:
        """Place sums weighted by rows of a matrix that is in no module, and return its parameters.

        They are a module by themselves, as those of a bare `Linear` are, whose call has no path.
        """
        found: dict[int, str] = {}
        for i, node in enumerate(self.nodes):
            if node.op is not None and node.op.weighted and not self.place[i]:
                half = len(node.args) // 2
                weights, biases = node.args[:half], node.args[2 * half :]
                leaves = [self.position[arg] for arg in (*weights, *biases) if arg in self.position]
                rows = {row_of(arg.label if isinstance(arg, Value) else "") for arg in weights}
                if len(rows) == 1 and "" not in rows and all(map(self._is_shared, leaves)):
                    name = rows.pop().partition(".")[0]
                    self.place[i] = "linear" if name == MATRIX else name
                    found.update(dict.fromkeys(leaves, self.place[i]))
        for leaf, place in found.items():
            self.place[leaf] = place
        return list(found)

    def _is_shared(self, i: int) -> bool:
        """Return whether a node is a leaf that no module has, and no sample for itself."""
        return self.nodes[i].op is None and not self.place[i] and self.samples.of[i] < 0

    def _gather_neurons(self) -> None:
        """Place neurons of a layer that is in no module in it, if they are not all there is."""
        places = set(filter(None, self.place))
        layers: dict[str, set[str]] = {}
        for name in places:
            layers.setdefault(pattern(name), set()).add(name)
        matrices = {name for name, node in zip(self.place, self.nodes, strict=True)
                    if node.op is None and row_of(node.label.removeprefix(f"{name}."))}  # fmt: skip
        for neurons in layers.values():
            if neurons < places and not neurons & matrices and self._is_layer(neurons):
                self.place = [f"layer.{at}" if at in neurons else at for at in self.place]

    def _place_what_is_looked_up(self) -> None:
        """Place parameters that no operation of their own module uses: rows of an embedding.

        Such a module has its label to tell, and a row that is no sample's own. One that is in no
        module has a matrix, and a row that something is done to together with others: a penalty is
        computed of each by itself.
        """
        used_with: dict[int, bool] = {}
        for args in self.args:
            for arg in args:
                used_with[arg] = used_with.get(arg, False) or len({*args}) > 1
        module: dict[int, str] = {}
        for i, node in enumerate(self.nodes):
            if node.op is None and not self.place[i]:
                is_row = row_of(node.label).partition(".")[0] == MATRIX and used_with.get(i)
                module[i] = "embedding" if is_row else module_of(node.label)
        shared = {path for i, path in module.items() if self.samples.of[i] < 0}
        for i, path in module.items():
            if path in shared:
                self.place[i] = path

    def _fold_siblings(self, owned: set[str]) -> None:
        """Take what is no part of the model, and repeats, out of the places."""
        done: dict[str, dict[str, tuple[set[tuple[str, str]], set[int]]]] = {}
        for i, node in enumerate(self.nodes):
            if node.op is not None:
                for stem, index, rest in indexed(self.place[i]):
                    if stem not in owned:
                        siblings = done.setdefault(stem, {})
                        ops, leaves = siblings.setdefault(index, (set(), set()))
                        ops.add((node.op.name, rest))
                        leaves.update(arg for arg in self.args[i] if self.nodes[arg].op is None)
        repeated = {
            stem
            for stem, siblings in done.items()
            if _are_alike(list(siblings.values()), is_known=bool(owned))
        }
        if not repeated:
            return
        for i, place in enumerate(self.place):
            turns = [(s, index) for s, index, _ in indexed(place) if s in repeated]
            for stem, index in reversed(turns):
                rest = self.place[i][len(f"{stem}.{index}") :].lstrip(".")
                self.place[i] = path_of(stem.rpartition(".")[0], rest)
                self.turn[i] = path_of(f"{stem.rpartition('.')[2]}.{index}", self.turn[i])


def _what_is_done(node: Value, args: list[int]) -> str:
    if node.op is None:
        return ""
    is_square = node.op.arity == 2 and len(args) == 2 and args[0] == args[1]
    return f"{node.op.name} twice" if is_square else node.op.name


class _Split(NamedTuple):
    """What is a place of the model in a path, and what is a repetition of it."""

    name: str
    turn: str


class _Heads:
    """Beginnings of scopes, put together where they lead to the same place of the model."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}

    def join(self, a: str, b: str) -> None:
        """Note that the same parameter is used under ``a`` and under ``b``."""
        a, b = self._first(a), self._first(b)
        self._of[b] = a

    def _first(self, head: str) -> str:
        self._of.setdefault(head, head)
        while self._of[head] != head:
            self._of[head] = head = self._of[self._of[head]]
        return head

    def split(self) -> dict[str, _Split]:
        """Return each head as the name that all of its place share, and the rest of it."""
        groups: dict[str, list[str]] = {}
        for head in self._of:
            groups.setdefault(self._first(head), []).append(head)
        found: dict[str, _Split] = {}
        taken: set[str] = set()
        for first, group in groups.items():
            name = shared_end(group)
            name = first if name in taken else name  # another model, repeated elsewhere
            taken.add(name)
            for head in group:
                rest = head.removesuffix(name).rstrip(".")
                found[head] = _Split(name, rest if len(group) > 1 else "")
        return found


def _split_at(scope: str, heads: dict[str, _Split]) -> tuple[str, str]:
    """Return the place of the model that a scope names, and its repetition."""
    for head in (scope, *above(scope), ""):
        if head in heads:
            name, turn = heads[head]
            return path_of(name, scope[len(head) :].lstrip(".")), turn
    return scope, ""


def _are_alike(siblings: list[tuple[set[tuple[str, str]], set[int]]], *, is_known: bool) -> bool:
    """Return whether siblings repeat each other: they apply the same operations.

    Unless the places of the model are known, they also have to share a leaf: the layers of a
    network that has no paths do the same, too, but with weights of their own. Who shares one may
    differ in a few operations, as samples do whose loss depends on their label.
    """
    done = [ops for ops, _ in siblings]
    leaves = [found for _, found in siblings]
    if len(siblings) == 1 or not are_similar(done):
        return False
    if all(ops == done[0] for ops in done) and (is_known or not any(leaves)):
        return True
    return bool(set.intersection(*leaves))
