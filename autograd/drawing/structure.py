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

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from functools import cached_property, lru_cache
from typing import NamedTuple

from autograd.drawing.samples import Graph, are_similar, samples_of
from autograd.engine import Value
from autograd.graph import node_args

DEEPEST_PATH = 1000
"""So many names a path of modules has, at most; a label may hold more dots."""


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
        owned = self._place_parameters()
        self._fold_siblings({path for place in owned for path in _above(place)})
        self.samples = samples_of(Graph(nodes, self.args, self.turn))
        if owned:
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
        """Whether the modules are the neurons of a layer: alike in name, none only after another.

        What a layer gives may be fed to it again, as in a recurrent network; each of its neurons
        is then run at first on what none of the others gave.
        """
        place = self.place
        names = set(filter(None, place))
        stems = {re.sub(r"\.\d+$", "", name) for name in names}
        if len(names) < 2 or len(stems) > 1 or "." in "".join(stems):
            return False
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

    def _place_parameters(self) -> set[str]:
        """Find the places of parameters, and what repeats them; return these places."""
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
                self.place[i] = _joined(split[first[i]].name, owner[i])
            else:
                self.place[i], self.turn[i] = known[scope]
        self._tell_twins_apart(owner)
        return {self.place[i] for i in owner}

    def _place_what_is_looked_up(self) -> None:
        """Place parameters that no operation of their own module uses: rows of an embedding.

        Such a module has its label to tell, and a row that is no sample's own.
        """
        module = {i: module_of(node.label) for i, node in enumerate(self.nodes)
                  if node.op is None and not self.place[i]}  # fmt: skip
        shared = {path for i, path in module.items() if self.samples.of[i] < 0}
        for i, path in module.items():
            if path in shared:
                self.place[i] = path

    def _tell_twins_apart(self, parameters: Iterable[int]) -> None:
        """Give models of equal paths, such as two networks in two variables, names of their own.

        What tells that there are several are parameters that are called alike. A node belongs to
        the model of its parameters, if others are called so; else to that of its arguments.
        """
        count: Counter[tuple[str, str]] = Counter()
        model: dict[int, int] = {}
        for i in parameters:
            name = self.place[i], self.nodes[i].label
            count[name] += 1
            model[i] = count[name]
        root = [place.partition(".")[0] for place in self.place]
        twinned = {root[i] for i, number in model.items() if number > 1}
        if not twinned:
            return
        own: dict[int, list[int]] = {}
        beside: dict[tuple[str, int], int] = {}  # who is given the same is in the same layer
        for i, args in enumerate(self.args):
            if self.nodes[i].op is not None and root[i] in twinned:
                own[i] = [arg for arg in args if arg in model and self.nodes[arg].op is None]
                for leaf in own[i]:
                    if count[self.place[leaf], self.nodes[leaf].label] > 1:
                        model[i] = model[leaf]
                        layer = self.place[i].rpartition(".")[0]
                        beside.update(((layer, arg), model[i]) for arg in args if arg not in own[i])
                        break
        for i, leaves in own.items():
            if i not in model:
                layer = self.place[i].rpartition(".")[0]
                given = [arg for arg in self.args[i] if arg not in leaves]
                known = [beside[layer, arg] for arg in given if (layer, arg) in beside]
                known += [model[arg] for arg in given if arg in model]
                model[i] = (known or [1])[0]
            for leaf in leaves:
                if count[self.place[leaf], self.nodes[leaf].label] == 1:
                    model[leaf] = model[i]
        for i, number in model.items():
            if root[i] in twinned:
                self.place[i] = f"model{number}.{self.place[i]}"

    def _fold_siblings(self, owned: set[str]) -> None:
        """Take what is no part of the model, and repeats, out of the places."""
        done: dict[str, dict[str, tuple[set[tuple[str, str]], set[int]]]] = {}
        for i, node in enumerate(self.nodes):
            if node.op is not None:
                for stem, index, rest in _indexed(self.place[i]):
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
            turns = [(s, index) for s, index, _ in _indexed(place) if s in repeated]
            for stem, index in reversed(turns):
                rest = self.place[i][len(f"{stem}.{index}") :].lstrip(".")
                self.place[i] = _joined(stem.rpartition(".")[0], rest)
                self.turn[i] = _joined(f"{stem.rpartition('.')[2]}.{index}", self.turn[i])


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
            name = _shared_end(group)
            name = first if name in taken else name  # another model, repeated elsewhere
            taken.add(name)
            for head in group:
                rest = head.removesuffix(name).rstrip(".")
                found[head] = _Split(name, rest if len(group) > 1 else "")
        return found


@lru_cache(maxsize=65536)
def owner_in(label: str, scope: str) -> str:
    """Return the longest path above a parameter that its label and a scope have in common.

    >>> owner_in("layers.0.w.1", "samples.7.layers.0"), owner_in("layers.0.w.1", "layers.1")
    ('layers.0', '')
    """
    return next((path for path in _above(label) if f".{scope}".endswith(f".{path}")), "")


@lru_cache(maxsize=65536)
def module_of(label: str) -> str:
    """Return the module that a parameter is of by its label: the path without its name and indices.

    >>> module_of("token.weight.3.4"), module_of("x.1"), module_of("x")
    ('token', '', '')
    """
    return re.sub(r"(^|\.)[^.]*(\.\d+)*$", "", label)


def _split_at(scope: str, heads: dict[str, _Split]) -> tuple[str, str]:
    """Return the place of the model that a scope names, and its repetition."""
    for head in (scope, *_above(scope), ""):
        if head in heads:
            name, turn = heads[head]
            return _joined(name, scope[len(head) :].lstrip(".")), turn
    return scope, ""


@lru_cache(maxsize=4096)
def _above(path: str) -> tuple[str, ...]:
    """Return the paths above one, the longest first; none if it is no path of modules.

    >>> _above("layers.0.w")
    ('layers.0', 'layers')
    """
    names = path.split(".", DEEPEST_PATH)
    if len(names) > DEEPEST_PATH:
        return ()
    return tuple(".".join(names[:i]) for i in range(len(names) - 1, 0, -1))


@lru_cache(maxsize=4096)
def _indexed(path: str) -> tuple[tuple[str, str, str], ...]:
    """Return each index in a path with what stands before it, and what is after, unnumbered.

    >>> _indexed("samples.7.steps.0.cell")
    (('samples', '7', 'steps.*.cell'), ('samples.7.steps', '0', 'cell'))
    """
    names = path.split(".", DEEPEST_PATH)
    if len(names) > DEEPEST_PATH:
        return ()
    unnumbered = ["*" if name.isdecimal() else name for name in names]
    return tuple(
        (".".join(names[:i]), name, ".".join(unnumbered[i + 1 :]))
        for i, name in enumerate(names)
        if i and name.isdecimal()
    )


@lru_cache(maxsize=4096)
def starred(label: str) -> str:
    """Return a label without its numbers, which tell apart what is alike: x1 and x2.

    >>> starred("layers.0.neurons.3.w.1"), starred("x1")
    ('layers.*.neurons.*.w.*', 'x*')
    """
    return re.sub(r"\d+", "*", label)


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


def _shared_end(paths: list[str]) -> str:
    """Return the names that all paths end with; a single path as it is.

    >>> _shared_end(["samples.0.encoder", "samples.1.encoder"]), _shared_end(["", "samples.0"])
    ('encoder', '')
    """
    shared: list[str] = []
    for column in zip(*(reversed(path.split(".")) for path in paths), strict=False):
        if len(set(column)) > 1:
            break
        shared.insert(0, column[0])
    return ".".join(shared)


def _joined(*paths: str) -> str:
    return ".".join(filter(None, paths))
