"""The examples of the playground, as they stand in ``examples.md``: a heading, then a program."""

from __future__ import annotations

import re
from importlib.resources import files


def _read() -> list[dict[str, str]]:
    text = (files("autograd.playground") / "examples.md").read_text(encoding="utf-8")
    found = re.findall(r"^## ([^\n]+)\n\n```python\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    return [{"title": title, "program": program} for title, program in found]


EXAMPLES = _read()
