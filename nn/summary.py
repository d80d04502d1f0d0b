"""`rows_of` and `table_of`: a model's modules, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from autograd.annotations import Any

HEAD = ("module", "what", "outputs", "parameters", "share")


def table_of(named: Mapping[str, Any]) -> str:
    """Return the table of modules by path, as text: see `rows_of`."""
    from autograd import padded

    rows = padded([HEAD, *rows_of(named)], "<<>")
    return "\n".join(f"{path}   {'  '.join(cells)}".rstrip() for path, *cells in rows)


def rows_of(named: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each module by path, the model first: outputs, parameters, their share.

    Equal neighbours, such as the neurons of a layer, take one row together; a parameter counts
    in every module that holds it. What is frozen is said.
    """
    total = len(named[""].named_parameters())
    for path, alike in _folded(named):
        size = len({p for module in alike for p in module.named_parameters().values()})
        what = repr(alike[0]).partition("(")[0].partition(" ")[0]
        if alike[0].frozen:
            what += ", frozen"
        yield (
            path or "(all)",
            f"{len(alike)} × {what}" if len(alike) > 1 else what,
            "" if alike[0].nout is None else str(alike[0].nout),
            str(size),
            f"{size / total:.1%}".replace("%", " %") if total else "",
        )


def _folded(named: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield modules by path, neighbours without modules of their own and of one repr as one."""
    holders = {path[:i] for path in named for i, c in enumerate(path) if c == "."} | {""}

    def kind(path: str) -> object:
        module = named[path]
        alike = path.rpartition(".")[0], repr(module), module.frozen
        return path if path in holders else alike

    for _, group in groupby(named, kind):
        first, *others = group
        path = f"{first.rpartition('.')[0]}.*".lstrip(".") if others else first
        yield path, [named[each] for each in (first, *others)]
