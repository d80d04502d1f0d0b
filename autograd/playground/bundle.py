"""The one HTML file: a page with its scripts, Python and the packages inside."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import autograd
from autograd import Stepper, Value
from autograd.page import build as debugger_of
from autograd.page.document import harmless, themed
from autograd.playground.archive import zipped
from autograd.playground.examples import EXAMPLES

HERE = Path(__file__).parent

SOURCES = {
    "pyodide": "Mozilla Public License 2.0. Its source: https://github.com/pyodide/pyodide. "
    "It holds CPython, under the PSF License: https://docs.python.org/3/license.html."
}
"""Of packages that bring no licence text: the notice, and where the source is."""


def page(modules: Path) -> str:
    """Return the playground as the text of an HTML file.

    Args:
        modules: the folder ``node_modules`` with what ``package.json`` names.

    Cost: some seconds; 9 MB.
    """
    with tempfile.TemporaryDirectory() as folder:
        script, packages = _bundled("main.js", modules, Path(folder))
        worker, more = _bundled("worker.js", modules, Path(folder))
    style = themed((HERE / "style.css").read_text(encoding="utf-8"))
    pyodide = modules / "pyodide"
    parts = {
        "worker": worker.encode(),
        "wasm": (pyodide / "pyodide.asm.wasm").read_bytes(),
        "stdlib": (pyodide / "python_stdlib.zip").read_bytes(),
        "chainrule": zipped(),
    }
    nonce = hashlib.sha256(script.encode()).hexdigest()[:32]
    pieces = {
        "policy": _policy(nonce, style),
        "style": style,
        "notices": html.escape(_notices(modules, packages | more)),
        "examples": harmless(json.dumps(EXAMPLES, ensure_ascii=False)),
        "parts": "\n".join(_element(name, content) for name, content in parts.items()),
        "nonce": nonce,
        "script": script.replace("</script", r"<\/script"),
    }
    template = (HERE / "page.html").read_text(encoding="utf-8").split("%%")
    return "".join(pieces[piece] if i % 2 else piece for i, piece in enumerate(template))


def _bundled(name: str, modules: Path, folder: Path) -> tuple[str, set[str]]:
    """Return a script with all that it imports, and the packages that are in it."""
    out, meta = folder / name, folder / f"{name}.json"
    command = [
        "node", str(modules / "esbuild" / "bin" / "esbuild"), str(HERE / "script" / name),
        "--bundle", "--minify", "--format=iife", "--target=es2023", "--charset=utf8",
        "--define:import.meta.url='file:///pyodide/'", "--external:node:*", "--external:ws",
        "--log-level=error",
        f"--outfile={out}", f"--metafile={meta}",
    ]  # fmt: skip
    subprocess.run(command, check=True, env={**os.environ, "NODE_PATH": str(modules)})
    inputs = json.loads(meta.read_text(encoding="utf-8"))["inputs"]
    packages = {
        found[1]
        for path in inputs
        if (found := re.search(r"node_modules/((?:@[^/]+/)?[^/]+)", path))
    }
    return out.read_text(encoding="utf-8"), packages


def _policy(nonce: str, style: str) -> str:
    """Return what the page may do: run its script, its worker, and the debugger in its frame.

    A frame made here keeps to this policy and to its own, so that both must allow the debugger's
    script, which has the nonce, and its style, which is the same whatever it shows.
    """
    inner = re.search(r"style-src ('[^']+')", debugger_of(Stepper(Value(1.0)).recording))
    assert inner is not None
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; worker-src blob:; "
        f"style-src 'sha256-{digest}' {inner[1]}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _notices(modules: Path, packages: set[str]) -> str:
    """Return the licences of what is inside."""
    texts = [f"chainrule {autograd.__version__}: MIT"]
    for package in sorted(packages):
        about = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        head = f"{package} {about['version']}"
        if package in SOURCES:
            texts.append(f"{head}: {SOURCES[package]}")
        else:
            (licence,) = (modules / package).glob("LICENSE*")
            texts.append(f"{head}:\n{licence.read_text(encoding='utf-8').strip()}")
    texts.append("graphviz for Python: MIT. Copyright (c) 2013-2025 Sebastian Bank")
    return "\n\n".join(texts)


def _element(name: str, content: bytes) -> str:
    text = base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
    return f'<script type="text/plain" id="{name}">{text}</script>'
