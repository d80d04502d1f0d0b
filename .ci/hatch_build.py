"""Builds the accelerator into the wheel where a C compiler is; without one the wheel is pure."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = "_accelerator.abi3.so"

FLAGS = "-std=c11 -O3 -fPIC -fvisibility=hidden -ffp-contract=off -fno-builtin".split()
"""No product is fused with a sum, and libm's functions are called: the bits are Python's."""


class AcceleratorHook(BuildHookInterface[Any]):
    """Compiles ``autograd/_accelerator.c`` with the compiler that Python was built with, or $CC.

    Whatever goes wrong, the package works as well without it.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the extension to a wheel; of an editable install, put it beside its source."""
        self._folder = tempfile.TemporaryDirectory()
        try:
            built = compiled(Path(self.root), Path(self._folder.name))
        except (OSError, subprocess.SubprocessError):
            return
        if built is None:
            return
        if version == "editable":
            place = Path(self.root, "autograd", NAME)
            place.unlink(missing_ok=True)  # a process may have loaded the one that is there
            place.write_bytes(built.read_bytes())
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["force_include"][str(built)] = f"autograd/{NAME}"
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only needed meanwhile."""
        self._folder.cleanup()


def compiled(root: Path, folder: Path) -> Path | None:
    """Return the extension, built in ``folder``; None where Python isn't one that it is for.

    Raises:
        OSError, SubprocessError: there is no compiler, or it refuses.
    """
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC")
    is_free_threaded = sysconfig.get_config_var("Py_GIL_DISABLED")
    is_unwanted = os.environ.get("AUTOGRAD_PURE", "") not in ("", "0")
    if sys.implementation.name != "cpython" or is_free_threaded or is_unwanted or not compiler:
        return None
    rows = subprocess.run(
        [sys.executable, "-B", "-m", "autograd.compiler.rows"],
        cwd=root,
        env={**os.environ, "AUTOGRAD_PURE": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        check=True,
        timeout=300,
    )
    (folder / "_rows.h").write_bytes(rows.stdout)
    (folder / "_accelerator.c").write_bytes((root / "autograd" / "_accelerator.c").read_bytes())
    how = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    include = sysconfig.get_paths()["include"]
    subprocess.run(
        [*shlex.split(compiler), *FLAGS, *how, f"-I{include}", "_accelerator.c", "-o", NAME, "-lm"],
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return folder / NAME
