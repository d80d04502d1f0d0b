"""Whether another project has replaced this package, and how to mend that.

HIPS autograd installs into the same folder ``autograd`` and replaces its ``__init__.py``, but
not this file, which can therefore tell. It imports nothing of the package.
"""

from __future__ import annotations

from importlib import import_module


def describe_conflict() -> str:
    """Return what has replaced the package and the commands that mend it; "" if it is intact."""
    if hasattr(import_module("autograd"), "Value"):
        return ""
    from importlib.metadata import PackageNotFoundError, version

    try:
        other = f"autograd {version('autograd')}"
    except PackageNotFoundError:
        other = "another project (HIPS autograd?)"
    return (
        f"{other} has replaced the package 'autograd' of chainrule (both have that name); keep "
        f"the two in separate environments, or run: pip uninstall autograd{_reinstall()}"
    )


def _reinstall() -> str:
    """Return the command that installs this project again, from where it was installed.

    Source: PEP 610, direct_url.json.
    """
    import json
    import shlex
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        recorded = distribution("chainrule").read_text("direct_url.json")
    except PackageNotFoundError:
        return ""  # run from a clone: there is nothing to put back
    again = " && pip install --force-reinstall --no-deps "
    if recorded is None:
        return f"{again}chainrule"
    origin = json.loads(recorded)
    url = origin["url"]
    if vcs := origin.get("vcs_info"):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    if subdirectory := origin.get("subdirectory"):
        url += f"#subdirectory={subdirectory}"
    editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
    return f"{again}{editable}{shlex.quote(url)}"
