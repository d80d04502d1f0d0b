"""What is built: the same bytes every time, with all that runs and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(
    not (ROOT / "autograd").is_dir(), reason="there is nothing to build where a wheel is tested"
)

BUILD = (
    "import sys; from hatchling import build; build.build_wheel('{0}'); build.build_sdist('{0}')"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of two builds, each from a copy of the files with times of its own."""
    pytest.importorskip("hatchling", reason="it comes with the dev extra")
    folders = []
    for i in range(2):
        source = tmp_path_factory.mktemp("source")
        for name in ("autograd", "nn", "tests", "notebooks", ".ci"):
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache")
            )
        for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
            shutil.copy(ROOT / name, source)
        for path in source.rglob("*"):
            os.utime(path, (1e9 + i, 1e9 + i))
        folders.append(tmp_path_factory.mktemp("built"))
        code = BUILD.format(folders[-1])
        environment = {**os.environ, "PYTHONHASHSEED": str(i), "TZ": ("UTC", "Asia/Tokyo")[i]}
        subprocess.run([sys.executable, "-c", code], cwd=source, env=environment, check=True)
    return folders


@pytest.mark.long
def test_two_builds_are_the_same_bytes(built: list[Path]) -> None:
    first, second = ({path.name: path.read_bytes() for path in f.iterdir()} for f in built)
    assert [*map(len, (first, second))] == [2, 2]
    for name, content in first.items():
        assert content == second[name], name


@pytest.mark.long
def test_a_wheel_has_what_runs_and_no_tests(built: list[Path]) -> None:
    (wheel,) = built[0].glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name.startswith(f"chainrule-{autograd.__version__}-")
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        "autograd",
        "nn",
        "chainrule_pytest.py",
        f"chainrule-{autograd.__version__}.dist-info",
    }
    here = [p for room in ("autograd", "nn") for p in (ROOT / room).rglob("*") if p.is_file()]
    files = {path.relative_to(ROOT).as_posix() for path in here if path.suffix != ".pyc"}
    made = {"autograd/_accelerator.abi3.so", "autograd/_rows.h"}  # there, or left by other installs
    is_pure = wheel.name.endswith("-py3-none-any.whl")
    assert is_pure == (not made & set(names))
    assert is_pure or "-cp311-abi3-" in wheel.name
    # The plugin stands beside the package: pytest, at every start, must not import that.
    assert (
        files - made - {"autograd/testing/pytest_plugin.py"}
        == {name for name in names if name.startswith(("autograd/", "nn/"))} - made
    )
    assert {"autograd/__init__.pyi", "autograd/py.typed", "nn/py.typed"} <= files


@pytest.mark.long
def test_a_source_distribution_has_the_tests(built: list[Path]) -> None:
    (sdist,) = built[0].glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {".ci/hatch_build.py", "autograd/_accelerator.c", "autograd/compiler/rows.py"} <= names
    assert {"pyproject.toml", "tests/test_packaging.py", "tests/benchmarks/__main__.py"} <= names
