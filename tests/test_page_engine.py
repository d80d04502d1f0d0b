"""The page's JavaScript as modules, and what Python says to its engine's tests under Node."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import autograd.page
from autograd.page.linker import linked
from tests.page.golden import FOLDER, told
from tests.test_page import unpacked

SCRIPT = Path(autograd.page.__file__).parent / "script"

MODULES = sorted(path.relative_to(SCRIPT).as_posix() for path in SCRIPT.rglob("*.js"))

RELATIVE = 1e-14
"""What the exp, tanh and log of two platforms may differ by, and be carried on."""


def is_alike(found: Any, kept: Any) -> bool:
    """Return whether two contents are the same, but for the last places of numbers."""
    if isinstance(kept, dict):
        return found.keys() == kept.keys() and all(is_alike(found[k], kept[k]) for k in kept)
    if isinstance(kept, list):
        if is_column(kept) and is_column(found):  # two versions of zlib deflate differently
            return is_alike([found[0], unpacked(found)], [kept[0], unpacked(kept)])
        return len(found) == len(kept) and all(map(is_alike, found, kept))
    if isinstance(kept, float) and isinstance(found, float):
        return math.isclose(found, kept, rel_tol=RELATIVE, abs_tol=1e-300) or kept != kept
    return type(found) is type(kept) and bool(found == kept)


def is_column(part: Any) -> bool:
    return isinstance(part, list) and len(part) == 3 and part[0] in ("i", "d", "t")


@pytest.mark.long
def test_the_golden_files_are_what_python_would_write_today() -> None:
    kept = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.iterdir()}
    found = json.loads(json.dumps(told()))
    assert found.keys() == kept.keys()
    for name, content in found.items():
        for key, part in content.items():
            assert is_alike(part, kept[name][key]), f"{name}: {key}; run python -m tests.page"


def test_another_number_or_name_is_noticed() -> None:
    assert is_alike([1.0, "a", None], [1.0 + 1e-15, "a", None])
    for other in ([1.1, "a"], [1.0, "b"], [1.0], ["1.0", "a"], [1, "a"]):
        assert not is_alike(other, [1.0, "a"])


@pytest.mark.parametrize("path", MODULES)
def test_a_module_of_the_engine_knows_no_document_and_nothing_else_that_is_outside(
    path: str,
) -> None:
    text = (SCRIPT / path).read_text(encoding="utf-8")
    imported = re.findall(r'from "([^"]+)"', text)
    if path.startswith("engine/"):
        assert all(source.startswith("./") for source in imported)
        outside = r"\b(document|window|location|history|navigator|setTimeout|performance)\b[.(]"
        assert not re.search(outside, text)


@pytest.mark.parametrize("path", MODULES)
def test_the_state_is_the_only_state(path: str) -> None:
    """No other module has a name at its top that can be given another value, or be added to."""
    text = (SCRIPT / path).read_text(encoding="utf-8")
    assert not re.search(r"^(?:export )?(?:let|var)\b", text, re.MULTILINE)
    empty = r"new (?:Map|Set|WeakMap)|\[\]|\{\}"
    assert not re.search(rf"^(?:export )?const \w+ = (?:{empty})", text, re.MULTILINE)


def text_of(**modules: str) -> str:
    return linked("main.js", {f"{name}.js": text for name, text in modules.items()}.__getitem__)


def test_names_of_a_module_are_its_own() -> None:
    script = text_of(
        main='import { a } from "./one.js";\nimport "./two.js";\nconst b = a;\n',
        one="const b = 1;\nexport const a = b;\n",
        two='import { a } from "./one.js";\nexport function b() {\n  return a;\n}\n',
    )
    assert script.index("one$ =") < script.index("two$ =") < script.index("main$ =")
    assert script.count("one$ =") == 1
    assert "import" not in script
    assert "export" not in script


@pytest.mark.parametrize(
    ("modules", "problem"),
    [
        ({"main": 'import { a } from "./one.js";\n', "one": "const a = 1;\n"}, "not in one.js"),
        (
            {"main": 'import "./one.js";\n', "one": 'import "./main.js";\n'},
            "main.js > one.js > main.js",
        ),
        ({"main": "export let a = 1;\n"}, "can't be linked: export let a"),
        ({"main": "export default 1;\n"}, "export default"),
        ({"main": 'import * as all from "./one.js";\n'}, "import \\* as"),
        (
            {"main": 'import { a as b } from "./one.js";\n', "one": "export const a = 1;\n"},
            "a as b",
        ),
        ({"main": 'const one = await import("./one.js");\n'}, "import\\("),
        ({"main": 'export { a } from "./one.js";\n'}, "export { a }"),
        ({"main": 'import { a } from "react";\n'}, "react"),
    ],
)
def test_what_cannot_be_linked_is_refused(modules: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        text_of(**modules)
