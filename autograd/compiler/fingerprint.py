"""A function's fingerprint: a digest of all that decides what it records, where that can be shown.

What a function records follows from its code and from all that it can reach, if nothing in it asks
the world outside: no file, no clock, no random number, no address of an object. That is shown by
lists of what is allowed. Code of a user's is read instruction by instruction, and all that it names
is followed: of an instance's class, the methods that some code names, and those that nobody needs
to name. Of what Python brings, and of this project, what gives the same every time is allowed.
Anything else has no fingerprint.
"""

from __future__ import annotations

import builtins
import hashlib
import itertools
import math
import operator
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce
from types import FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, NamedTuple

from autograd.compiler.instructions import PLAIN, UnknownError, asks_kinds, named_in, plain, text_of
from autograd.compiler.reach import SAID_OF_A_CLASS
from autograd.compiler.sources import is_own, sources_of, state_of
from autograd.engine import Value
from autograd.modes import current_mode
from autograd.operation import Op

MOST_THINGS = 20_000
"""So many things are looked at, besides Values and plain numbers: more are data, or a library."""

NAMED = (
    "abs all any bool bytes callable chr classmethod complex dict divmod enumerate filter float "
    "int isinstance issubclass iter len list map max min next object ord pow property range "
    "reversed round slice sorted staticmethod str sum super tuple zip"
)
"""Of Python's functions, those that give the same for the same, in this process and the next: not
`id`, `hash`, `repr` and sets, which go by addresses, nor what opens a file or runs a text."""

ALLOWED = {
    id(thing): f"{home.__name__}.{name}"
    for home, names in (
        (builtins, [*NAMED.split(), *(name for name in vars(builtins) if name.endswith("Error"))]),
        (math, vars(math)),
        (itertools, vars(itertools)),
        (operator, set(vars(operator)) - {"attrgetter", "methodcaller"}),
    )
    for name in names
    if callable(thing := vars(home).get(name)) and not isinstance(thing, FunctionType)
} | {id(reduce): "functools.reduce", id(partial): "functools.partial"}

TRUSTED = tuple(
    "autograd.engine autograd.forms autograd.functions autograd.lowering autograd.operand "
    "autograd.operation autograd.ops autograd.recorders autograd.scalar autograd.transforms "
    "nn.arguments nn.attention nn.composition nn.gpt nn.init nn.layers nn.linear nn.losses "
    "nn.module nn.norms nn.optim nn.units "
    "nn.training.masks nn.training.sample nn.training.update".split()
)
"""Modules of this project that do the same for the same Values: their code needs no reading."""

TOLD = frozenset(("grad", "label", "origin"))
"""What a Value has besides its number: part of the fingerprint where a user's code names it."""

HEAP = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: of a class that Python code has made, and of some in C."""

BEHIND_ARRAYS = frozenset(
    "@ argpartition argsort ctypes dot dump flags partition sort tofile".split()
)
"""What leads from an array to more than its numbers, or to what others make of them: a library for
matrices goes by the number of threads, and vectors sort equal numbers in an order of their own."""

CONSTRUCTORS = frozenset(("__init__", "__new__", "__post_init__"))
"""Methods that nothing runs but who makes an instance, by its class or by one of these names."""

SETTERS = frozenset(("__setattr__", "__delattr__"))
"""Methods that nothing runs but what sets an attribute, or who names them."""

DUCKS = frozenset("block_size data dtype item name shape tolist".split())
"""What this project's code asks of things that are not its own, besides special methods."""

LARGEST_ARRAY = 1_000_000
"""Arrays of more bytes are data: a digest of them takes as long as a function."""

PASSED_OVER = SAID_OF_A_CLASS | frozenset(
    "__annotate__ __annotate_func__ __annotations_cache__ __doc__ __firstlineno__ __module__ "
    "__qualname__ __replace__ __static_attributes__ __weakref__".split()
)
"""What a class has for documentation, or for what reads its fields, which is refused."""


class Fingerprint(NamedTuple):
    """What decides what a function records.

    Attributes:
        key: a digest of all of it, this project's sources included.
        held: a digest of what the function holds, which recording may have changed.
        values: the Values, in the order in which they are found; their numbers are in neither.
        is_blind: whether no code of a user's asks for a number of a Value, makes text of one, or
            asks what it is.
    """

    key: str
    held: str
    values: list[Value]
    is_blind: bool


def fingerprint_of(f: Any, leaves: Sequence[Value] = ()) -> Fingerprint | None:
    """Return the fingerprint of ``f`` and of distinct leaves; None if it has none.

    Cost: linear in what can be reached, a part of a µs for each Value.
    """
    walk = _Walk(leaves)
    try:
        walk.say(str(len(leaves)), walk.named(f))
        walk.finish()
        packages = sorted(walk.packages)
        state = [state_of(name) for name in TRUSTED if name.rpartition(".")[0] in packages]
    except UnknownError:
        return None
    held = walk.digest.hexdigest()
    sources = map(sources_of, ("autograd.compiler", *packages))
    parts = held, sys.version, current_mode().scope, *sources, *state
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return Fingerprint(key, held, walk.values, walk.is_blind)


class _Walk:
    """Tells things one by one; what one holds stands by its number, in the order of discovery.

    Args:
        leaves: the Values that come first.

    Attributes:
        packages: those of this project whose code is asked for.
        is_blind: whether no user's code names what a Value has, makes text, or asks for types.
        named_in_code: attributes and operators that a user's code names.
        called: classes that code may call, and those below them.
        has_arrays: whether there is one of NumPy's, or one of its numbers.
        is_told: whether a user's code names what a Value has besides its number.
        is_printed: whether it makes text of what it holds.
    """

    def __init__(self, leaves: Sequence[Value]) -> None:
        self.digest = hashlib.sha256()
        self.values = [*leaves]
        self.packages = {"autograd"}
        self.is_told = self.is_printed = False
        self.is_blind, self.has_arrays = True, False
        self.named_in_code: set[str] = set()
        self.called: set[type] = set()
        self._unasked: list[tuple[type, str, Any]] = []
        self._printing: list[Any] = []
        self._names = {id(leaf): f"v{i}" for i, leaf in enumerate(leaves)}
        self._waiting: list[Any] = []

    def say(self, *words: str) -> None:
        self.digest.update(f"{words!r}\n".encode("utf-8", "surrogatepass"))

    def named(self, thing: Any) -> str:
        """Return what stands for a thing where another one holds it.

        Raises:
            UnknownError: it is a node that was computed.
        """
        if type(thing) is type:
            self.called.update(thing.__mro__)
        return self._name_of(thing)

    def _name_of(self, thing: Any) -> str:
        """Return the same where a class is but what an instance is of, or another class."""
        kind = type(thing)
        if kind in PLAIN:
            return plain(thing)
        name = self._names.get(id(thing)) or ALLOWED.get(id(thing))
        if name is None:
            if thing.__class__ is Value:
                if thing._form is not None:
                    raise UnknownError
                name = f"v{len(self.values)}"
                self.values.append(thing)
            else:
                name = f"#{len(self._waiting)}"
                self._waiting.append(thing)
            self._names[id(thing)] = name
        return name

    def finish(self) -> None:
        """Tell all that is waiting, and what that leads to.

        Raises:
            UnknownError: some of it is not on the lists.
        """
        for thing in self._waiting:  # which grows
            if len(self._waiting) > MOST_THINGS:
                raise UnknownError
            self.say(*self._told(thing))
            if thing is self._waiting[-1]:
                if self.is_printed:
                    self.say(*map(self.named, self._printing))
                self.say(*self._asked_for())
        # Text of an array is as long as a setting of NumPy's says.
        if self.has_arrays and (
            self.is_printed or not BEHIND_ARRAYS.isdisjoint(self.named_in_code)
        ):
            raise UnknownError
        for leaf in self.values if self.is_told or self.is_printed else ():
            self.say(*map(plain, (leaf.label, leaf.grad)), repr(leaf.origin))
            if self.is_printed:  # it may go by a number's digits
                self.say(plain(leaf.data))

    def _told(self, thing: Any) -> Iterator[str]:
        """Yield what a thing is, and what it holds."""
        kind, named = type(thing), self.named
        if kind is list or kind is tuple:
            yield kind.__name__
            known: list[Any] = [*map(self._names.get, map(id, thing))]  # as most Values are
            yield from map(named, thing) if None in known else (" ".join(known),)
        elif kind is dict:
            yield "dict"
            for key, item in thing.items():
                yield from (named(key), named(item))
        elif kind is FunctionType:
            yield from self._function(thing)
        elif kind is MethodType:
            yield from ("method", named(thing.__self__), named(thing.__func__))
        elif kind is partial:
            yield from ("partial", named(thing.func), named(thing.args), named(thing.keywords))
        elif kind is Op and thing.is_built_in:
            yield f"row {thing.name}"
        elif kind is property:
            yield from ("property", *map(named, (thing.fget, thing.fset, thing.fdel)))
        elif kind is staticmethod or kind is classmethod:
            yield from (kind.__name__, named(thing.__func__))
        elif kind is MemberDescriptorType:
            yield f"slot {thing.__name__}"
        elif kind is type:
            yield from self._class(thing)
        elif kind.__module__ == "numpy":
            yield from self._array(thing)
        else:
            yield from self._instance(thing)

    def _function(self, f: FunctionType) -> Iterator[str]:
        # Of __module__, functools.wraps makes another's.
        module = f.__globals__.get("__name__")
        attributes: tuple[str, ...] = ()
        if is_own(module):
            self._trust(module)
            yield f"function {module}.{f.__qualname__} {f.__code__.co_firstlineno}"
        else:
            reading = named_in(f.__code__)
            attributes = reading.attributes
            self.is_told |= not TOLD.isdisjoint(attributes)
            self.is_printed |= reading.prints
            self.named_in_code.update(attributes, reading.operators)
            self.is_blind &= not (reading.prints or self.is_told or "data" in attributes)
            self.is_blind &= not asks_kinds(f.__code__)
            yield f"function {f.__name__} {reading.text}"
            for name in reading.globals:
                home = f.__globals__ if name in f.__globals__ else _builtins_of(f)
                yield from self._variable(name, home.get(name), attributes)
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                held = cell.cell_contents
            except ValueError:
                yield f"{name} is empty"
            else:
                yield from self._variable(name, held, attributes)
        yield from map(self.named, (f.__defaults__, f.__kwdefaults__))
        for name, held in vars(f).items():
            yield from (name, self.named(held))

    def _variable(self, name: str, thing: Any, attributes: Iterable[str]) -> Iterator[str]:
        """Yield what a name stands for; of modules, what code with these attributes may ask."""
        waiting, known = [(name, thing)], set()
        while waiting:
            name, thing = waiting.pop()
            if type(thing) is not ModuleType:
                yield from (name, self.named(thing))
            elif id(thing) not in known:
                known.add(id(thing))
                yield f"{name} is the module {thing.__name__}"
                public = vars(thing).get("__all__", ()) if is_own(thing.__name__) else ()
                if "__getattr__" in vars(thing) and not public:
                    raise UnknownError
                found = [each for each in attributes if each in vars(thing) or each in public]
                waiting += [(each, getattr(thing, each)) for each in found]

    def _class(self, kind: type) -> Iterator[str]:
        yield f"class {kind.__module__}.{kind.__qualname__} {kind.__name__}"
        if is_own(kind.__module__):
            self._trust(kind.__module__)
            if vars(sys.modules[kind.__module__]).get(kind.__qualname__) is not kind:
                raise UnknownError
            return
        # Of one in C, there are methods below that are on no list.
        yield from map(self._name_of, kind.__bases__)
        # This project's code goes by any part of what it is a base of.
        has_all = any(is_own(each.__module__) for each in kind.__mro__)
        for name, part in vars(kind).items():
            if name in ("__repr__", "__str__"):
                self._printing.append(part)
            elif name in PASSED_OVER:
                continue
            elif name == "__hash__" and _is_of_parts(part):
                yield from (name, text_of(part.__code__))
            elif has_all or (name[:2] == "__" and name not in CONSTRUCTORS | SETTERS):
                yield from (name, self.named(part))
            else:
                self._unasked.append((kind, name, part))

    def _asked_for(self) -> Iterator[str]:
        """Yield the parts of classes that code is found to name by now, and have not been told."""
        unasked, self._unasked = self._unasked, []
        names = self.named_in_code | DUCKS
        for kind, name, part in unasked:
            is_made = kind in self.called or not names.isdisjoint(("__init__", "__class__"))
            is_run = (name in CONSTRUCTORS and is_made) or (name in SETTERS and "=" in names)
            if is_run or name in names:
                yield from (kind.__qualname__, name, self.named(part))
            else:
                self._unasked.append((kind, name, part))

    def _array(self, thing: Any) -> Iterator[str]:
        """Yield an array of numbers, or one of NumPy's own numbers.

        Raises:
            UnknownError: it is neither, it is large, or its memory is somebody else's.
        """
        numpy, kind = sys.modules["numpy"], type(thing)
        if not (kind is numpy.ndarray or issubclass(kind, numpy.generic)):
            raise UnknownError
        if thing.dtype.kind not in "biuf" or thing.nbytes > LARGEST_ARRAY:
            raise UnknownError
        self.has_arrays = True
        yield f"NumPy {numpy.__version__}: {kind.__name__} {thing.dtype.str} {thing.shape}"
        yield f"{thing.strides} {hashlib.sha256(thing.tobytes()).hexdigest()}"
        if (base := thing.base) is not None:  # what is set in one is set in the other
            if type(base) is not numpy.ndarray:
                raise UnknownError
            yield f"{self.named(base)} from {_memory_of(thing) - _memory_of(base)}"

    def _instance(self, thing: Any) -> Iterator[str]:
        kind = type(thing)
        kinds = kind.__mro__[:-1]
        is_made = type(kind) is type and all(each.__flags__ & HEAP for each in kinds)
        if not is_made or any(id(each) in ALLOWED for each in kinds):
            raise UnknownError  # in C; or a list, say, with more to it
        yield from ("instance", self._name_of(kind))
        slots = [
            name
            for each in kinds
            if not is_own(each.__module__)
            for name, part in vars(each).items()
            if type(part) is MemberDescriptorType
        ]
        for name in slots:
            held = getattr(thing, name, self)
            yield from (name, "empty" if held is self else self.named(held))
        for name, held in getattr(thing, "__dict__", {}).items():
            yield from (name, self.named(held))

    def _trust(self, module: Any) -> None:
        if module not in TRUSTED:
            raise UnknownError
        self.packages.add(module.rpartition(".")[0])


def _builtins_of(f: Any) -> dict[str, Any]:
    found: dict[str, Any] = f.__builtins__
    return found


def _memory_of(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _is_of_parts(part: Any) -> bool:
    """Return whether a ``__hash__`` is made of attributes' alone: a dict goes by equality then."""
    return type(part) is FunctionType and named_in(part.__code__).globals == ("hash",)
