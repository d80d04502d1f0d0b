"""The files stand in one line, the import is light, and the exports are what they claim."""

import ast
import builtins
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn

ROOT = Path(autograd.__file__).parent.parent

README = Path(__file__).parent.parent / "README.md"


def rooms_of_the_map() -> dict[str, list[str]]:
    """Return the README's rooms in their order, each with its files in theirs.

    A room is a package, by its dotted name; ``autograd.stepper``, a file that is a room of its
    own, has no files.
    """
    text = README.read_text(encoding="utf-8")
    tree = text.partition("\n## Map of the files\n")[2].partition("```text\n")[2]
    rooms: dict[str, list[str]] = {}
    for line in tree.partition("```")[0].splitlines():
        names = re.split(r"\s{2,}", line.strip())[0]
        if not line.startswith(" "):
            rooms[names.strip("/").replace("/", ".")] = files = []
        else:
            files += names.split()
    return {room: files for room, files in rooms.items() if room not in ("tests", "notebooks")}


ROOMS = rooms_of_the_map()

FACADE = list(ROOMS).index("autograd.stepper")
"""Rooms after this one import what autograd exports."""


@cache
def modules() -> list[tuple[str, Path]]:
    files = [*ROOT.glob("autograd/**/*.py"), *ROOT.glob("nn/**/*.py")]
    return sorted((".".join(f.relative_to(ROOT).with_suffix("").parts), f) for f in files)


@cache
def known() -> set[str]:
    """Return the names of all modules and rooms."""
    return {name for name, _ in modules()} | set(ROOMS)


def room_of(module: str) -> str:
    """Return the room in which a module, or a package, stands."""
    return module if module in ROOMS else module.rpartition(".")[0]


def is_nn(room: str) -> bool:
    return room.split(".")[0] == "nn"


@pytest.fixture(scope="module", autouse=True)
def _no_syntax_is_kept() -> Iterator[None]:
    yield
    nodes_of.cache_clear()  # half a million objects, which gc would go through from then on


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return the syntax of a file: the module, and all that is in it."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imports_of(path: Path) -> set[str]:
    """Return the modules of this project that a file imports, wherever it does so."""
    found = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            # "from autograd import ops" imports a module, "... import Value" a name.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & known() or {str(node.module)}
    return {name for name in found if name.split(".")[0] in ("autograd", "nn")}


def test_the_map_has_every_file_once() -> None:
    drawn = [f"{room}.{file}" for room, files in ROOMS.items() for file in files or [""]]
    drawn = [name.rstrip(".") for name in drawn]
    found = {name for name, _ in modules() if not name.endswith(("__init__", "__main__"))}
    # A wheel has the plugin beside the package.
    assert sorted(drawn) == sorted(found | {"autograd.testing.pytest_plugin"})


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "autograd.stepper"])
def test_a_room_says_in_one_sentence_what_lives_there(room: str) -> None:
    assert (importlib.import_module(room).__doc__ or "").partition("\n\n")[0].count(". ") == 0


def check_imports(module: str, path: Path) -> None:
    name = module.removesuffix(".__init__")
    own, rooms = room_of(name), list(ROOMS)
    for imported in imports_of(path):
        room = room_of(imported)
        if imported == "autograd" or is_nn(own) > is_nn(room):
            assert rooms.index(own) > FACADE, f"{module}: the core imports modules, not exports"
            if is_nn(own):
                known = ("autograd", "autograd.annotations", "autograd.conflict")
                assert imported in known, "nn imports the facade only"
        elif is_nn(room) > is_nn(own):
            assert own.startswith(("autograd.testing", "autograd.command")), (
                f"{module} imports {imported}"
            )
        elif room != own:
            assert rooms.index(room) < rooms.index(own), f"{module} imports {imported}"
        elif name != own:  # a package's own __init__ offers what its files hold
            files, file = ROOMS[own], module.rpartition(".")[2]
            above = files if file == "__main__" else files[: files.index(file)]
            assert imported.rpartition(".")[2] in above, f"{module} imports {imported}"


def test_a_file_imports_only_from_what_is_above_it() -> None:
    for module, path in modules():
        # Not the facade, which loads what is below it when it is asked for, and not the command.
        if module not in ("autograd.__init__", "autograd.__main__", "nn.__init__"):
            check_imports(module, path)


@pytest.mark.parametrize("package", [autograd, nn])
def test_exports_exist_and_spare_the_builtins(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    for name in names:
        assert hasattr(package, name), name
        assert not hasattr(builtins, name), name
    assert set(names) <= set(dir(package))


@pytest.mark.parametrize(
    ("package", "kept"),
    [
        (
            autograd,
            {"Descent", "breakpoints", "drawing", "strategies"}
            | {"counted", "json_data", "nested", "padded", "quoted", "read_regular", "rectangle"}
            | {"as_it_was", "call_in_scopes", "topological_order", "values_within"},
        ),
        (nn, {"estimators"}),
    ],
    ids=["autograd", "nn"],
)
def test_public_names_are_listed_once(package: Any, kept: set[str]) -> None:
    """In the stub that type checkers read, each as ``X as X``, which exports it to them."""
    folder = ROOT / package.__name__
    stub = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8"))
    listed: list[str] = []
    for node in stub.body:
        if isinstance(node, ast.AnnAssign):
            continue  # __version__
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            if alias.name == "*":
                listed += importlib.import_module(str(node.module)).__all__
            else:
                assert alias.asname == alias.name
                listed.append(alias.name)
    assert len(set(listed)) == len(listed)
    assert set(listed) <= set(dir(package))
    kept = kept | {n for n in listed if hasattr(builtins, n)}
    assert set(package.__all__) == set(listed) - kept
    assert all(hasattr(package, name) for name in listed)
    source = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    said = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
    assert not said & set(listed), "a name is said again in __init__.py"


def test_an_unknown_export_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gradient'"):
        autograd.gradient  # noqa: B018


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement loads, in an interpreter that has nothing else."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = {{*sys.modules}}; {statement}; "
        "print(*{*sys.modules} - before)"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    return {*subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()}


def test_import_brings_the_standard_library_only() -> None:
    names = {name.partition(".")[0] for name in loaded_by("import autograd, nn")}
    others = {name for name in names - sys.stdlib_module_names if not name.startswith("_")}
    assert others == {"autograd", "nn"}


@pytest.mark.parametrize("statement", ["import autograd", "from nn import MLP"])
def test_what_a_short_program_imports_is_loaded_in_little_time(statement: str) -> None:
    """`typing` alone, with what it needs, takes longer to load than the engine does."""
    slow = {
        "typing",
        "threading",
        "re",
        "enum",
        "dataclasses",
        "inspect",
        "traceback",
        "hashlib",
        "json",
    }
    if "nn" in statement:  # random, for the weights, needs it
        slow -= {"hashlib"}
    assert not loaded_by(statement) & slow


def test_a_star_import_of_nn_leaves_compiler_and_stepper_alone() -> None:
    assert not loaded_by("from nn import *") & {"autograd.compiler", "autograd.stepper"}


def test_no_module_is_named_like_a_function_it_holds() -> None:
    for module, _ in modules():
        if not module.endswith(("__init__", "__main__")):
            loaded = importlib.import_module(module)
            assert not callable(getattr(loaded, module.split(".")[-1], None)), module


def questions_of_name(path: Path) -> list[str]:
    """Return where a file compares an op, or its name, with something."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    found = []
    for node in nodes_of(path):
        if not isinstance(node, ast.Compare | ast.MatchValue):
            continue
        sides = [node.value] if isinstance(node, ast.MatchValue) else [node.left, *node.comparators]
        texts = list(map(ast.unparse, sides))
        # A table by name, such as the spellings of a target, is looked up, not asked.
        tables = [text for text in texts if isinstance(getattr(module, text, None), dict)]
        asks_name = any(re.search(r"\bop\.(name|symbol)$", text) for text in texts)
        if (asks_name and not tables) or any(re.match(r"ops\.\w+$", text) for text in texts):
            found.append(f"{path.name}:{sides[0].lineno}: {' | '.join(texts)}")
    return found


def test_nothing_outside_the_table_asks_for_an_op_by_its_name() -> None:
    """What it wants to know is a column, or derived; the compiler may name rows it spells."""
    found: list[str] = []
    for module, path in modules():
        if path.name not in ("__main__.py", "pytest_plugin.py"):
            spells = room_of(module) == "autograd.compiler"
            found += [q for q in questions_of_name(path) if not spells or "name" in q]
    assert not found


def test_a_question_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "asking_for_names.py"
    path.write_text(
        "TABLE = {}\n"
        "def f(node, op, ops):\n"
        "    a = node.op.name == 'dot' or op.name in ('mul', 'add')\n"
        "    b = op is ops.relu\n"
        "    return op.name in TABLE, op is node.op\n"
    )
    assert len(questions_of_name(path)) == 3


def test_the_core_can_be_read_in_one_sitting() -> None:
    files = ROOMS["autograd"]
    lines = {
        name: len((ROOT / "autograd" / f"{name}.py").read_text(encoding="utf-8").splitlines())
        for name in files[: files.index("engine") + 1]
    }
    assert sum(lines.values()) < 2000, "as README says, in two places"
    assert lines["ops"] < 250
    assert lines["engine"] < 300


def test_no_two_classes_share_a_name() -> None:
    """A word has one meaning in the whole house: a stranger who searches for a class finds one."""
    places: dict[str, list[str]] = {}
    for module, path in modules():
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_no_two_bounds_share_a_name() -> None:
    """A number at the top of a module is called by what it bounds: MANY, MOST or FEW of what?"""
    places: dict[str, list[str]] = {}
    for module, path in modules():
        if module.endswith(("__main__", "pytest_plugin")):
            continue
        values = vars(importlib.import_module(module.removesuffix(".__init__")))
        top = nodes_of(path)[0]
        assert isinstance(top, ast.Module)
        for node in top.body:
            targets = node.targets if isinstance(node, ast.Assign) else ()
            for name in (n for target in targets for n in ast.walk(target)):
                if isinstance(name, ast.Name) and type(values[name.id]) in (int, float):
                    places.setdefault(name.id, []).append(module)
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_the_top_level_is_as_it_was_fixed() -> None:
    if not (ROOT / ".gitignore").exists():
        pytest.skip("not a clone")
    files = {path.name for path in ROOT.iterdir() if path.is_file() and path.name[0] != "."}
    assert files <= {"pyproject.toml", "README.md", "LICENSE", "CITATION.cff"}
