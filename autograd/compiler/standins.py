"""Stand-ins for what is another in each run of a function: who asks one what it is, is refused.

They may be counted on, added to, handed on and written anew, as what a function leaves behind
without going by it.
"""

from __future__ import annotations

import operator
from ast import literal_eval
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any

from autograd.compiler.readings import is_on
from autograd.compiler.rehearsal import Rehearsal
from autograd.compiler.telling import is_about_telling, is_only_told
from autograd.engine import Value
from autograd.errors import CompileError

CONTAINERS = (list, dict, set, deque, defaultdict, OrderedDict, Counter)

ANSWERS = (
    "__len__ __iter__ __reversed__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __or__ __ror__ "
    "__and__ __sub__ __xor__ __add__ __mul__ copy count difference index intersection items keys "
    "most_common pop popitem popleft remove reverse rotate sort total union values"
).split()
"""What of a container tells what is in it; an item that has a key is a place of its own."""

SHIFTS = "append extend insert pop remove reverse sort __delitem__ __iadd__ __imul__".split()
"""What of a list puts items in other places."""

SPECIAL = (
    "abs add and bool bytes call contains delitem divmod enter eq exit float floordiv format ge "
    "getitem gt hash index int invert iter le len lshift lt matmul mod mul ne neg next or pos pow "
    "radd rand rdivmod repr reversed rfloordiv rlshift rmatmul rmod rmul ror round rpow rrshift "
    "rshift rsub rtruediv rxor setitem str sub truediv trunc xor"
).split()


class Inspection(Rehearsal):
    """A rehearsal with stand-ins; what is refused stays so, caught or not.

    Args:
        name: of the function.
        is_strict: whether a number may not even become text or a key, nor a list be added to.
    """

    def __init__(
        self, arguments: Iterable[Value], name: str, *, keeps_loops: bool, is_strict: bool
    ) -> None:
        super().__init__(arguments, keeps_loops=keeps_loops)
        self.name, self.is_strict = name, is_strict
        self.has_keys = is_strict
        """Whether something may have a number for its key, and it matters which is looked up."""
        self.refusals: list[CompileError] = []

    def refused(self, message: str) -> CompileError:
        self.refusals.append(super().refused(message))
        return self.refusals[-1]


class LeftNumber:
    """A number that is another in each run.

    Args:
        origin: numbers of one origin are apart by as much in every run.
    """

    __slots__ = ("number", "origin", "run", "told")
    __array_ufunc__ = None

    def __init__(self, number: Any, told: str, run: Inspection, origin: object = None) -> None:
        self.number, self.told, self.run = number, told, run
        self.origin = origin or object()

    def __hash__(self) -> int:
        return hash(_known(self) if self.run.has_keys else self.number)

    def __repr__(self) -> str:
        return repr(self._shown())

    def __format__(self, spec: str) -> str:
        return format(self._shown(), spec)

    def _shown(self) -> Any:
        return self.number if not self.run.is_strict and is_only_told() else _known(self)


def _known(number: LeftNumber, others: Sequence[Any] = ()) -> Any:
    """Return a number to be compared with others; raise if that may be otherwise another time."""
    if is_on(number.run) and not any(map(partial(_is_akin, number), others)):
        raise number.run.refused(number.told)
    return number.number


def _is_akin(number: LeftNumber, other: Any) -> bool:
    return type(other) is LeftNumber and other.origin is number.origin


def _comparing(name: str) -> Callable[..., Any]:
    """Return the method of this name, which is the number's."""

    def method(self: LeftNumber, *others: Any) -> Any:
        is_told = not self.run.is_strict and is_on(self.run) and is_about_telling()
        known = self.number if is_told else _known(self, others)
        numbers = [x.number if type(x) is LeftNumber else x for x in others]
        return bool(known) if name == "__bool__" else getattr(known, name)(*numbers)

    return method


def _following(name: str, op: Callable[..., Any], *, is_reflected: bool) -> Callable[..., Any]:
    """Return the method of this name, whose result is as unknown as the number is."""

    def method(self: LeftNumber, *others: Any) -> Any:
        if any(type(x) not in (int, float, bool, LeftNumber) for x in others):
            return NotImplemented
        if name == "__sub__" and _is_akin(self, others[0]):
            return self.number - others[0].number
        numbers = [x.number if type(x) is LeftNumber else x for x in (self, *others)]
        is_moved = name in ("__add__", "__radd__", "__sub__") and numbers[1] is others[0]
        number = op(*reversed(numbers)) if is_reflected else op(*numbers)
        return LeftNumber(number, self.told, self.run, self.origin if is_moved else None)

    return method


for _name in "eq ne lt le gt ge bool float int index round trunc floor ceil".split():
    setattr(LeftNumber, f"__{_name}__", _comparing(f"__{_name}__"))
for (
    _name
) in "add sub mul truediv floordiv mod pow neg pos abs lshift rshift and_ or_ xor invert".split():
    for _prefix in ("", "r"):
        _way = _following(
            _method := f"__{_prefix}{_name.strip('_')}__",
            getattr(operator, _name),
            is_reflected=_prefix == "r",
        )
        setattr(LeftNumber, _method, _way)


class LeftThing:
    """Something that is no number and another in each run."""

    __slots__ = ("_run", "_thing", "_told")

    def __init__(self, thing: Any, told: str, run: Inspection) -> None:
        for name, part in (("_thing", thing), ("_told", told), ("_run", run)):
            object.__setattr__(self, name, part)

    def __getattribute__(self, name: str) -> Any:
        return getattr(_thing(self), name)

    def __setattr__(self, name: str, part: Any) -> None:
        setattr(_thing(self), name, part)


def _thing(left: LeftThing, *, is_asked: bool = True) -> Any:
    """Return what this stands for; raise if a run asks."""
    run, thing, told = (object.__getattribute__(left, x) for x in LeftThing.__slots__)
    if is_asked and is_on(run):
        raise run.refused(told)
    return thing


def _asking(name: str) -> Callable[..., Any]:
    if name == "__bool__":  # most things have none
        return lambda self: bool(_thing(self))
    return lambda self, *args: getattr(_thing(self), name)(*args)


for _name in SPECIAL:
    setattr(LeftThing, f"__{_name}__", _asking(f"__{_name}__"))


def row(items: list[Any], told: str, run: Inspection) -> Any:
    """Return a list whose items may be set one by one; who shifts them is refused."""

    def shifting(name: str) -> Callable[..., Any]:
        def method(self: Any, *args: Any) -> Any:
            is_shift = name != "__setitem__" or _is_shift(self, *args)
            if is_shift and not vars(self) and is_on(run):
                raise run.refused(told)
            return getattr(list, name)(self, *args)

        return method

    def clear(self: Any) -> None:
        vars(self)["is_new"] = True
        list.clear(self)

    methods = {name: shifting(name) for name in (*SHIFTS, "__setitem__")}
    return type("list", (list,), {**methods, "clear": clear})(items)


def _is_shift(things: list[Any], place: Any, given: Any) -> bool:
    return isinstance(place, slice) and not {*map(id, things)}.isdisjoint(map(id, given))


def container(thing: Any, told: str, run: Inspection) -> Any:
    """Return a container that may be added to; who asks what was in it before is refused."""

    def asking(kind: Any, name: str) -> Callable[..., Any]:
        def method(self: Any, *args: Any) -> Any:
            if not vars(self) and is_on(run):
                raise run.refused(told)
            return getattr(kind, name)(self, *args)

        return method

    def clear(self: Any) -> None:
        vars(self)["is_new"] = True
        type(thing).clear(self)

    kind = type(thing)
    methods = {name: asking(kind, name) for name in ANSWERS if hasattr(kind, name)}
    if not issubclass(kind, dict | set):
        methods |= {name: asking(kind, name) for name in ("__getitem__", "__contains__")}
    made = type(kind.__name__, (kind,), {**methods, "clear": clear})
    if kind is deque:
        return made(thing, thing.maxlen)
    return made(thing.default_factory, thing) if kind is defaultdict else made(thing)


def stand_in(thing: Any, told: str, run: Inspection) -> Any:
    if type(thing) in (int, float, bool):
        return LeftNumber(thing, told, run)
    return _counted(thing, told, run) if type(thing) is count else LeftThing(thing, told, run)


def _counted(numbers: Any, told: str, run: Inspection) -> Iterator[LeftNumber]:
    begin: Any = literal_eval(repr(numbers)[len("count") :])
    number, step = begin if isinstance(begin, tuple) else (begin, 1)
    number = LeftNumber(number, told, run)
    while True:
        yield number
        number += step


def is_stand_in(thing: Any) -> bool:
    return type(thing) in (LeftNumber, LeftThing)


def without_stand_in(thing: Any) -> Any:
    if type(thing) is LeftNumber:
        return thing.number
    return _thing(thing, is_asked=False) if type(thing) is LeftThing else thing
