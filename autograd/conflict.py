"""Whether another project has replaced this package, and how to mend that.

HIPS autograd installs into the same folder ``autograd`` and replaces its ``__init__.py``, but
not this file, which can therefore tell. It imports nothing of the package.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version


def describe_conflict() -> str:
    """Return what has replaced the package and the commands that mend it; "" if it is intact."""
    if hasattr(import_module("autograd"), "Value"):
        return ""
    try:
        other = f"autograd {version('autograd')}"
    except PackageNotFoundError:
        other = "another project (HIPS autograd?)"
    return (
        f"{other} has replaced the package 'autograd' of chainrule (both have that name); keep "
        "the two in separate environments, or run: "
        "pip uninstall autograd && pip install --force-reinstall chainrule"
    )
