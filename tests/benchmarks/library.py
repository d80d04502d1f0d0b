"""The libraries that measurements need: what they are called, and which of them are there."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

NAMES = {
    "micrograd": "micrograd",
    "jax": "JAX",
    "ddx": "ddx-ad",
    "casadi": "CasADi",
    "torch": "PyTorch",
    "sklearn": "scikit-learn",
    "numpy": "NumPy",
    "llvmlite": "llvmlite",
    "hypothesis": "Hypothesis",
    "pandas": "pandas",
    "matplotlib": "matplotlib",
}
"""By module, as people call it."""

DISTRIBUTIONS = {"ddx": "ddx-ad", "sklearn": "scikit-learn"}
"""By module, what pip calls it, where that is another name."""

BENCH = "pip install 'chainrule[bench]'"
"""What brings all of them."""


def is_installed(module: str) -> bool:
    """Return whether a module can be found; it is not imported."""
    return find_spec(module) is not None


def missing(modules: Iterable[str]) -> list[str]:
    """Return the modules that are not installed, in the order of `NAMES`."""
    wanted = set(modules)
    return [module for module in NAMES if module in wanted and not is_installed(module)]


def named(modules: Iterable[str]) -> str:
    """Return modules as people call them.

    >>> named(["torch", "sklearn"])
    'PyTorch, scikit-learn'
    """
    return ", ".join(NAMES[module] for module in modules)


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Return the versions of those that are installed, by the names that people use."""
    wanted = set(modules)
    found = {}
    for module, name in NAMES.items():
        if module in wanted and is_installed(module):
            try:
                found[name] = version(DISTRIBUTIONS.get(module, module))
            except PackageNotFoundError:
                found[name] = "of unknown version"
    return found
