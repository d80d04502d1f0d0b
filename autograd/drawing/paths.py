"""Paths of modules and labels of parameters, as text: ``blocks.0.attention``, ``weight.3.1``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

DEEPEST_PATH = 1000
"""So many names a path of modules has, at most; a label may hold more dots."""


@lru_cache(maxsize=65536)
def owner_in(label: str, scope: str) -> str:
    """Return the longest path above a parameter that its label and a scope have in common.

    >>> owner_in("layers.0.w.1", "samples.7.layers.0"), owner_in("layers.0.w.1", "layers.1")
    ('layers.0', '')
    """
    return next((path for path in above(label) if f".{scope}".endswith(f".{path}")), "")


@lru_cache(maxsize=65536)
def module_of(label: str) -> str:
    """Return the module that a parameter is of by its label: the path without its name and indices.

    >>> module_of("token.weight.3.4"), module_of("x.1"), module_of("x")
    ('token', '', '')
    """
    return re.sub(r"(^|\.)[^.]*(\.\d+)*$", "", label)


@lru_cache(maxsize=4096)
def above(path: str) -> tuple[str, ...]:
    """Return the paths above one, the longest first; none if it is no path of modules.

    >>> above("layers.0.w")
    ('layers.0', 'layers')
    """
    names = path.split(".", DEEPEST_PATH)
    if len(names) > DEEPEST_PATH:
        return ()
    return tuple(".".join(names[:i]) for i in range(len(names) - 1, 0, -1))


@lru_cache(maxsize=4096)
def indexed(path: str) -> tuple[tuple[str, str, str], ...]:
    """Return each index in a path with what stands before it, and what is after, unnumbered.

    >>> indexed("samples.7.steps.0.cell")
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


@lru_cache(maxsize=4096)
def row_of(label: str) -> str:
    """Return the row that a parameter of a matrix is in; "" for others, such as those of a neuron.

    >>> row_of("weight.3.0"), row_of("w.1"), row_of("layers.0.weight.3.0")
    ('weight.3', '', '')
    """
    return label.rpartition(".")[0] if re.fullmatch(r"[^.]+\.\d+\.\d+", label) else ""


@lru_cache(maxsize=4096)
def module_at(level: str | int, path: str) -> str:
    """Return the module that stands for ``path`` at a level.

    The innermost is the neuron, what holds it the layer. A number is how many modules deep.

    >>> levels = ("neuron", "layer", "network", 1)
    >>> [module_at(level, "blocks.0.layers.1.neurons.3") for level in levels]
    ['blocks.0.layers.1.neurons.3', 'blocks.0.layers.1', 'network', 'blocks.0']
    """
    if level == "network":
        return level
    modules = modules_in(path)
    if isinstance(level, int):
        return ".".join(modules[:level])
    return path if level == "neuron" or len(modules) < 2 else ".".join(modules[:-1])


@lru_cache(maxsize=4096)
def modules_in(path: str) -> tuple[str, ...]:
    """Return the names in a path of modules, each with its index.

    >>> modules_in("blocks.0.layers.1.act")
    ('blocks.0', 'layers.1', 'act')
    """
    return tuple(re.findall(r"[^.]+(?:\.\d+)*", path))


@lru_cache(maxsize=4096)
def pattern(path: str) -> str:
    """Return a path without the index of its last module.

    >>> pattern("layers.0.neurons.3")
    'layers.0.neurons.*'
    """
    return re.sub(r"\.\d+$", ".*", path)


def merged(labels: Iterable[str]) -> str:
    """Return labels that differ only in numbers as one, a star where the numbers differ.

    >>> merged(["layers.0.neurons.3.w.1", "layers.0.neurons.4.w.1"])
    'layers.0.neurons.*.w.1'
    """
    different = dict.fromkeys(labels)
    parts = zip(*(re.split(r"(\d+)", label) for label in different), strict=True)
    return "".join(part[0] if len(set(part)) == 1 else "*" for part in parts)


def shared_end(paths: list[str]) -> str:
    """Return the names that all paths end with; a single path as it is.

    >>> shared_end(["samples.0.encoder", "samples.1.encoder"]), shared_end(["", "samples.0"])
    ('encoder', '')
    """
    shared: list[str] = []
    for column in zip(*(reversed(path.split(".")) for path in paths), strict=False):
        if len(set(column)) > 1:
            break
        shared.insert(0, column[0])
    return ".".join(shared)


def path_of(*paths: str) -> str:
    return ".".join(filter(None, paths))
