"""The files stand in one line, the import is light, and the exports are what they claim."""

import ast
import builtins
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn

ROOT = Path(autograd.__file__).parent.parent

README = Path(__file__).parent.parent / "README.md"


def files_of_the_map() -> list[str]:
    """Return the files in the order of the README's map; a package counts as one file."""
    text = README.read_text(encoding="utf-8")
    table = text.partition("\n## Map of the files\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"(\w+)(?:\.py|/)`", cell)]


LINE = files_of_the_map()


def modules() -> list[tuple[str, Path]]:
    files = [*ROOT.glob("autograd/**/*.py"), *ROOT.glob("nn/**/*.py")]
    return sorted((".".join(f.relative_to(ROOT).with_suffix("").parts), f) for f in files)


def place(module: str) -> str:
    """Return the name under which a module stands in the line."""
    parts = module.split(".")
    return "nn" if parts[0] == "nn" else parts[1] if len(parts) > 1 else "autograd"


def is_for_the_type_checker(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports_of(path: Path) -> set[str]:
    """Return the modules of this project that a file imports, wherever it does so."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not is_for_the_type_checker(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            # "from autograd import ops" imports a module, "... import Value" a name.
            if node.module in ("autograd", "nn"):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {n for n in names if n.split(".")[1] in LINE} or {node.module}
            else:
                found.add(node.module)
    return {name for name in found if name.split(".")[0] in ("autograd", "nn")}


def test_the_map_has_every_file_once() -> None:
    found = {place(module) for module, _ in modules()} - {"__init__"}
    # A wheel has the plugin beside the package.
    assert sorted(LINE) == sorted(found | {"pytest_plugin"})


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda x: str(x) if x else "")
def test_a_file_imports_only_from_files_above_it(module: str, path: Path) -> None:
    if module in ("autograd.__init__", "nn.__init__"):
        return
    own = place(module)
    for imported in imports_of(path):
        if own == "nn" and place(imported) != "nn":
            assert imported == "autograd", "nn imports only what autograd exports"
        elif imported == "autograd":
            assert LINE.index(own) > LINE.index("stepper"), "the core imports modules, not exports"
        elif place(imported) != own:
            assert LINE.index(place(imported)) < LINE.index(own), f"{module} imports {imported}"


@pytest.mark.parametrize("package", [autograd, nn])
def test_exports_exist_and_spare_the_builtins(package: object) -> None:
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
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import autograd, nn; "
        "print(sorted(m.split('.')[0] for m in sys.modules if '.' not in m "
        "and m not in sys.stdlib_module_names and not m.startswith('_')))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
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
