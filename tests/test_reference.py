"""The README's table is that of the rows."""

from pathlib import Path

import pytest

from tests.reference import with_table

README = Path(__file__).parent.parent / "README.md"


def test_the_readme_shows_the_rows_as_they_are() -> None:
    text = README.read_text(encoding="utf-8")
    # A plain if: pytest would print both texts.
    if with_table(text) != text:
        pytest.fail("the rows have changed: python -m tests.reference mends the README's table")


def test_an_old_table_is_replaced_and_the_text_around_it_kept() -> None:
    old = "before\n\n<!-- generated -->\n\n| old |\n\n<!-- end -->\n\nafter\n"
    new = with_table(old)
    assert "| `tanh(x)` |  | `1 - y * y` |" in new
    assert "old" not in new
    assert new.startswith("before\n") and new.endswith("after\n")  # noqa: PT018
    with pytest.raises(ValueError, match="no <!-- end"):
        with_table("<!-- generated -->")
