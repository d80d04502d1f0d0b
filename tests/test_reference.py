"""The README's table is that of the rows."""

import re
from pathlib import Path

from autograd import TABLE, ops
from autograd.reference import markdown_table

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_shows_the_rows_as_they_are() -> None:
    text = README.read_text(encoding="utf-8")
    table = re.search(r"<!-- generated [^\n]*-->\n\n(.*?)\n\n<!-- end", text, re.DOTALL)
    assert table is not None
    built_in = [op for name, op in TABLE.items() if getattr(ops, name, None) is op]
    assert table[1] == markdown_table(built_in), (
        "the table changed: paste the new one into the README"
    )
