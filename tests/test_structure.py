"""The files stand in one line, the import is light, and the exports are what they claim."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn

ROOT = Path(autograd.__file__).parent.parent

LINE = """
conflict usage errors files domain ieee operand operation ops functions graph formula place kernels
modes pickling engine debugging transforms linearization differences culprit check straightline
compiler events ledger derivation experiment breakpoints mistakes quiz
drawing page stepper reference expression condition script nn terminal demo debugger
assignments settings learning training inspection strategies bench cli __main__
artifacts pytest_plugin
""".split()
"""Every file imports only from files before it; a package counts as one file here.

What is imported for the type checker alone doesn't count: it never runs.
"""


def modules() -> list[tuple[str, Path]]:
    files = [*ROOT.glob("autograd/**/*.py"), *ROOT.glob("nn/**/*.py")]
    return sorted((".".join(f.relative_to(ROOT).with_suffix("").parts), f) for f in files)


def place(module: str) -> str:
    """Return the name under which a module stands in the line."""
    parts = module.split(".")
    return "nn" if parts[0] == "nn" else parts[1] if len(parts) > 1 else "autograd"


def imports_of(path: Path) -> set[str]:
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if "TYPE_CHECKING" not in ast.unparse(node)[:20]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # "from autograd import ops" imports a module, "... import Value" a name.
            if node.module in ("autograd", "nn"):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {n for n in names if n.split(".")[1] in LINE} or {node.module}
            else:
                found.add(node.module)
    return {name for name in found if name.split(".")[0] in ("autograd", "nn")}


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda x: str(x) if x else "")
def test_a_file_imports_only_from_files_above_it(module: str, path: Path) -> None:
    if module in ("autograd.__init__", "nn.__init__"):
        return
    own = place(module)
    assert own in LINE, f"{module} has no place in the line"
    for imported in imports_of(path):
        if own == "nn" and place(imported) != "nn":
            assert imported == "autograd", "nn imports only what autograd exports"
        elif imported == "autograd":
            assert LINE.index(own) > LINE.index("stepper"), "the core imports modules, not exports"
        elif place(imported) != own:
            assert LINE.index(place(imported)) < LINE.index(own), f"{module} imports {imported}"


@pytest.mark.parametrize("package", [autograd, nn])
def test_exports_exist_and_spare_the_builtins(package: object) -> None:
    import builtins

    names = package.__all__  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    for name in names:
        assert hasattr(package, name), name
        assert not hasattr(builtins, name), name
    assert set(names) <= set(dir(package))


def test_an_unknown_export_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gradient'"):
        autograd.gradient  # noqa: B018


def test_import_brings_the_standard_library_only() -> None:
    code = (
        "import sys, autograd, nn; "
        "print(sorted(m.split('.')[0] for m in sys.modules if '.' not in m "
        "and m not in sys.stdlib_module_names and not m.startswith('_')))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['autograd', 'nn']"


def test_no_module_is_named_like_a_function_it_holds() -> None:
    for module, _ in modules():
        if not module.endswith(("__init__", "__main__")):
            loaded = importlib.import_module(module)
            assert not callable(getattr(loaded, module.split(".")[-1], None)), module
