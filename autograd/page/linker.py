"""The page's JavaScript modules as one classic script: a page from disk can't import any.

Each becomes a function that is called once, after those that it imports from, and returns what it
exports; so names stay its own. Of modules there are three forms, and no others: ``import { a, b }
from "./x.js";``, ``import "./x.js";`` and ``export`` before a const, function or class.

>>> text = {"main.js": 'import { two } from "./two.js";\\nalert(two);\\n',
...         "two.js": "export const two = 2;\\n"}
>>> print(linked("main.js", text.__getitem__))
const two$ = (() => {
const two = 2;
return {two};
})();
const main$ = (() => {
const {two} = two$;
alert(two);
})();
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

IMPORT = re.compile(r'^import (?:\{(?P<names>[\w\s,$]*)\} from )?"(?P<path>\.[^"]*)";\n', re.M)
EXPORT = re.compile(r"^export (?=(?:const|function|class) ([\w$]+))", re.M)
OTHER = re.compile(r"^(?:import|export)\b.*|\bimport\s*[(.].*", re.M)

SPARED = re.compile(
    r"^ *//[^\n]*\n|^ */\*\*.*?\*/\n|^ +|^\n|(?<=[;,{(]) // [^\"'`\n]*$", re.MULTILINE | re.DOTALL
)
"""What of a module a script does without: comments and indentation.

Behind code, a comment is one if there is no quote in it: no text can end there.
"""


class ScriptModule(NamedTuple):
    """A module, taken apart.

    Attributes:
        imports: what is imported from which path, in order.
        exports: the names that others may import.
        body: the text without either, without comments and indentation.
    """

    imports: list[tuple[str, list[str]]]
    exports: list[str]
    body: str


def linked(entry: str, read: Callable[[str], str]) -> str:
    """Return a module and all that it imports, as the text of one script.

    What the entry exports are the fields of a constant that is called as `name_of` says.

    Args:
        read: gives the text of a module by its path.

    Raises:
        ValueError: modules import each other in a circle, one imports what another does not
            export, or a form is none of the three.
    """
    modules: dict[str, ScriptModule] = {}
    way: list[str] = []

    def visit(path: str) -> None:
        if path in modules:
            return
        if path in way:
            raise ValueError(f"modules in a circle: {' > '.join([*way[way.index(path) :], path])}")
        way.append(path)
        module = _taken_apart(path, read(path))
        for source, names in module.imports:
            visit(source)
            if missing := set(names) - set(modules[source].exports):
                raise ValueError(f"{path} imports {', '.join(sorted(missing))}: not in {source}")
        way.pop()
        modules[path] = module

    visit(entry)
    return "\n".join(_called(path, module) for path, module in modules.items())


def name_of(path: str) -> str:
    """Return what a module's exports are called in the script, folders by their first letters.

    >>> name_of("engine/words.js")
    'e$words$'
    """
    return re.sub(r"(\w)\w*/", r"\1$", path.removesuffix("js")).replace(".", "$")


@lru_cache(maxsize=256)
def _taken_apart(path: str, text: str) -> ScriptModule:
    folder = posixpath.dirname(path)
    imports = []
    for found in IMPORT.finditer(text):
        names = [name.strip() for name in (found["names"] or "").split(",")]
        source = posixpath.normpath(posixpath.join(folder, found["path"]))
        imports.append((source, [name for name in names if name]))
    body = SPARED.sub("", EXPORT.sub("", IMPORT.sub("", text)))
    if other := OTHER.search(body):
        raise ValueError(f"{path} has an import or export that can't be linked: {other[0]}")
    return ScriptModule(imports, EXPORT.findall(text), body)


def _called(path: str, module: ScriptModule) -> str:
    """Return a module as a function that is called once."""
    lines = [
        f"const {{{','.join(names)}}} = {name_of(source)};"
        for source, names in module.imports
        if names
    ]
    lines.append(module.body.strip("\n"))
    if module.exports:
        lines.append(f"return {{{','.join(module.exports)}}};")
    return "\n".join([f"const {name_of(path)} = (() => {{", *lines, "})();"])


@cache
def resource(name: str) -> str:
    """Return the text of a file of the page."""
    return (files("autograd.page") / name).read_text(encoding="utf-8")
