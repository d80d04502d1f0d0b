"""A function's fingerprint: a digest of all that decides what it records, where that can be shown.

What a function records follows from its code and from all that it can reach, if nothing in it asks
the world outside: no file, no clock, no random number, no address of an object. That is shown by
lists of what is allowed. Code of a user's is read instruction by instruction, and all that it names
is followed; of what Python brings, and of this project, what gives the same every time is allowed.
Anything else has no fingerprint.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import itertools
import math
import operator
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial, reduce
from pkgutil import iter_modules
from types import CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, NamedTuple

from autograd.compiler.reach import SAID_OF_A_CLASS
from autograd.engine import Value
from autograd.modes import OWN_CODE
from autograd.operation import Op

MOST_THINGS = 20_000
"""So many things are looked at, besides Values and plain numbers: more are data, or a library."""

LARGEST_DICT = 64
"""A dict of a module of this project with more items is what it has computed already."""

PLAIN = frozenset((int, float, complex, bool, str, bytes, type(None), type(...), range, slice))
"""Types whose instances are what Python prints of them, where they hold no others."""

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
    "nn.module nn.norms nn.optim nn.units nn.training.compiled".split()
)
"""Modules of this project that do the same for the same Values: their code needs no reading."""

TOLD = frozenset(("grad", "label", "origin"))
"""What a Value has besides its number: part of the fingerprint where a user's code names it."""

HEAP = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: of a class that Python code has made, and of some in C."""

ASYNCHRONOUS = 0x380
"""CO_COROUTINE, CO_ITERABLE_COROUTINE and CO_ASYNC_GENERATOR."""

REFUSED = frozenset(
    "_a _b _form _mark ag_frame cr_frame format format_map gi_code gi_frame tb_frame".split()
)
"""Attributes that lead to the age of a node, to any other variable, or to any attribute."""

SPECIAL = frozenset(
    "__call__ __class__ __getitem__ __init__ __iter__ __len__ __name__ __next__ __setattr__".split()
)
"""Attributes with two underscores that lead nowhere else."""

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
    """

    key: str
    held: str
    values: list[Value]


class UnknownError(Exception):
    """Something is not on the lists."""


class _Reading(NamedTuple):
    """What some code names, and codes inside of it.

    Attributes:
        text: all that they do.
        prints: whether they make text of anything.
    """

    globals: tuple[str, ...]
    attributes: tuple[str, ...]
    text: str
    prints: bool


def fingerprint_of(f: Any, leaves: Sequence[Value] = ()) -> Fingerprint | None:
    """Return the fingerprint of ``f`` and of distinct leaves; None if it has none.

    Cost: linear in what can be reached, a part of a µs for each Value.
    """
    walk = _Walk(leaves)
    try:
        walk.say(str(len(leaves)), walk.named(f))
        walk.finish()
        packages = sorted(walk.packages)
        state = [_state(name) for name in TRUSTED if name.rpartition(".")[0] in packages]
    except UnknownError:
        return None
    held = walk.digest.hexdigest()
    parts = held, sys.version, *map(sources_of, ("autograd.compiler", *packages)), *state
    return Fingerprint(hashlib.sha256("\0".join(parts).encode()).hexdigest(), held, walk.values)


class _Walk:
    """Tells things one by one; what one holds stands by its number, in the order of discovery.

    Args:
        leaves: the Values that come first.

    Attributes:
        packages: those of this project whose code is asked for.
        is_told: whether a user's code names what a Value has besides its number.
        is_printed: whether it makes text of what it holds.
    """

    def __init__(self, leaves: Sequence[Value]) -> None:
        self.digest = hashlib.sha256()
        self.values = [*leaves]
        self.packages = {"autograd"}
        self.is_told = self.is_printed = False
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
        kind = type(thing)
        if kind in PLAIN:
            return _plain(thing)
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
            if thing is self._waiting[-1] and self.is_printed:
                self.say(*map(self.named, self._printing))
        for leaf in self.values if self.is_told or self.is_printed else ():
            self.say(*map(_plain, (leaf.label, leaf.grad)), repr(leaf.origin))
            if self.is_printed:  # it may go by a number's digits
                self.say(_plain(leaf.data))

    def _told(self, thing: Any) -> Iterator[str]:
        """Yield what a thing is, and what it holds."""
        kind, named = type(thing), self.named
        if kind is list or kind is tuple:
            yield kind.__name__
            known: list[Any] = [*map(self._names.get, map(id, thing))]  # as most Values are
            yield from map(named, thing) if None in known else known
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
        else:
            yield from self._instance(thing)

    def _function(self, f: FunctionType) -> Iterator[str]:
        # Of __module__, functools.wraps makes another's.
        module = f.__globals__.get("__name__")
        attributes: tuple[str, ...] = ()
        if _is_own(module):
            self._trust(module)
            yield f"function {module}.{f.__qualname__} {f.__code__.co_firstlineno}"
        else:
            reading = _reading(f.__code__)
            attributes = reading.attributes
            self.is_told |= not TOLD.isdisjoint(attributes)
            self.is_printed |= reading.prints
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
                public = vars(thing).get("__all__", ()) if _is_own(thing.__name__) else ()
                if "__getattr__" in vars(thing) and not public:
                    raise UnknownError
                found = [each for each in attributes if each in vars(thing) or each in public]
                waiting += [(each, getattr(thing, each)) for each in found]

    def _class(self, kind: type) -> Iterator[str]:
        yield f"class {kind.__module__}.{kind.__qualname__} {kind.__name__}"
        if _is_own(kind.__module__):
            self._trust(kind.__module__)
            if vars(sys.modules[kind.__module__]).get(kind.__qualname__) is not kind:
                raise UnknownError
            return
        # Of one in C, there are methods below that are on no list.
        yield from map(self.named, kind.__bases__)
        for name, part in vars(kind).items():
            if name in ("__repr__", "__str__"):
                self._printing.append(part)
            elif name not in PASSED_OVER:
                yield from (name, self.named(part))

    def _instance(self, thing: Any) -> Iterator[str]:
        kind = type(thing)
        kinds = kind.__mro__[:-1]
        is_made = type(kind) is type and all(each.__flags__ & HEAP for each in kinds)
        if not is_made or any(id(each) in ALLOWED for each in kinds):
            raise UnknownError  # in C; or a list, say, with more to it
        yield from ("instance", self.named(kind))
        slots = [
            name
            for each in kinds
            for name, part in vars(each).items()
            if type(part) is MemberDescriptorType and not _is_own(each.__module__)
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


def _plain(thing: Any) -> str:
    """Return a thing that holds no others as text, with its type.

    Raises:
        UnknownError: it holds others.
    """
    kind = type(thing)
    if kind not in PLAIN:
        raise UnknownError
    if kind is range or kind is slice:
        return f"{kind.__name__} {[*map(_plain, (thing.start, thing.stop, thing.step))]}"
    return f"{kind.__name__} {thing!r}"


@lru_cache(maxsize=4096)
def _reading(code: CodeType) -> _Reading:
    """Return what some code names.

    Raises:
        UnknownError: it does what is not allowed.
    """
    globals: dict[str, None] = {}
    attributes: dict[str, None] = {}
    operators: set[str] = set()
    texts, codes, prints = [], [code], False
    for code in codes:  # which grows
        if code.co_flags & ASYNCHRONOUS:
            raise UnknownError
        for instruction in dis.get_instructions(code):
            name = instruction.opname
            if instruction.opcode in dis.hasname:
                if name == "LOAD_GLOBAL":
                    globals[instruction.argval] = None
                elif name.endswith(("_ATTR", "_METHOD")):
                    attributes[instruction.argval] = None
                else:
                    raise UnknownError  # an import, a global that is set
            elif name in ("BUILD_SET", "SET_ADD", "SET_UPDATE", "LOAD_BUILD_CLASS"):
                raise UnknownError
            elif name.startswith("FORMAT"):
                prints = True
            elif name == "BINARY_OP":
                operators.add(instruction.argrepr.removesuffix("="))
        texts.append(_text_of(code))
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    special = {name for name in attributes if name.startswith("__")}
    makes_sets = attributes.keys() & {"keys", "items"} and operators & {"-", "&", "|", "^"}
    if special - SPECIAL or makes_sets or not REFUSED.isdisjoint(attributes):
        raise UnknownError
    prints = prints or "str" in globals or "%" in operators
    return _Reading(tuple(globals), tuple(attributes), "\n".join(texts), prints)


def _text_of(code: CodeType) -> str:
    """Return what some code does, short of what codes inside of it do."""
    parts = (
        (code.co_code, code.co_exceptiontable, code.co_flags, [*map(_constant, code.co_consts)]),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
    )
    return repr(parts)


def _constant(constant: Any) -> str:
    """Return a constant of some code as text.

    Raises:
        UnknownError: it is a set, which has the order of its elements' hashes.
    """
    if type(constant) is tuple:
        return f"({', '.join(map(_constant, constant))})"
    return "code" if isinstance(constant, CodeType) else _plain(constant)


def _is_own(module: Any) -> bool:
    return type(module) is str and module.partition(".")[0] in OWN_CODE


@cache
def sources_of(package: str) -> str:
    """Return a digest of the files of a package, without those in packages inside of it.

    Read by way of Python's importer: what is installed may be byte code, or in a zip file.
    """
    digest = hashlib.sha256()
    for finder, name, is_package in iter_modules(sys.modules[package].__path__, f"{package}."):
        if not is_package:
            spec: Any = finder.find_spec(name, None)
            digest.update(spec.loader.get_data(spec.origin))
    return digest.hexdigest()


IMPORTED_BY = frozenset(("__builtins__", "__loader__", "__spec__"))
"""Names in a module that are of what has imported it, such as pytest: no code of ours asks them."""

_states: dict[str, tuple[list[int], list[Any], str]] = {}
"""By a module's name: what its names stood for when they were looked at, kept so that no address
is used again, and what was said."""


def _state(module: str) -> str:
    """Return what the names in a module of this project stand for, which anybody may have set.

    Raises:
        UnknownError: one of them is somebody else's.
    """
    if module not in sys.modules:
        return ""
    names = vars(sys.modules[module]).items()
    homes: list[Mapping[str, Any]] = [{k: x for k, x in names if k not in IMPORTED_BY}]
    homes += [vars(x) for x in homes[0].values() if isinstance(x, type) and x.__module__ == module]
    things = [thing for home in homes for thing in home.values()]
    tables = [thing for thing in things if type(thing) is dict and len(thing) <= LARGEST_DICT]
    things += [x for table in tables for x in table.values()]
    found = [*map(id, things)]
    known = _states.get(module)
    if known and known[0] == found:
        return known[2]
    if not all(map(_is_pristine, things)):
        raise UnknownError
    said = [
        f"{name} {_plain(thing) if type(thing) in PLAIN else type(thing).__name__}"
        for home in homes
        for name, thing in home.items()
        if not name.startswith("__")
    ]
    _states[module] = found, things, "\n".join(said)
    return _states[module][2]


def _is_pristine(thing: Any) -> bool:
    """Return whether a thing is made of this project's code, or of Python's own."""
    if type(thing) is FunctionType:
        home = thing.__globals__.get("__name__")
        if home == f"namedtuple_{thing.__qualname__.partition('.')[0]}":
            return True  # `__new__`, which Python has made
    else:
        home = (thing if isinstance(thing, type) else type(thing)).__module__
        for name in ("__func__", "__wrapped__", "fget", "func"):
            inner = getattr(thing, name, None) if type(thing) is not ModuleType else None
            if callable(inner) and inner is not thing and not _is_pristine(inner):
                return False
    return _is_own(home) or str(home).partition(".")[0] in sys.stdlib_module_names
