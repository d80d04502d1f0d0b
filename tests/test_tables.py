"""Data sets from CSV files; a bad file is named by line and column."""

from pathlib import Path
from typing import Any

import pytest

from nn.tables import read_csv


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "data.csv"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    return path


def test_a_table_with_names_and_words(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,kind\n1,2.5,cat\n3,-4e-1,dog\n\n5,6,cat\n")
    table = read_csv(path)
    assert table.inputs == [[1.0, 2.5], [3.0, -0.4], [5.0, 6.0]]
    assert (table.targets, table.classes, table.columns) == ([0, 1, 0], ["cat", "dog"], ["a", "b"])
    assert read_csv(path, target="kind") == table


def test_a_table_of_numbers_only(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, "0,1,10\n1,0,9\n1,1,10\n"))
    assert (table.targets, table.classes, table.columns) == ([1, 0, 1], ["9", "10"], ["x1", "x2"])
    numbers = read_csv(written(tmp_path, "0.5,1\n0.25,2\n"), target=0)
    assert (numbers.targets, numbers.inputs, numbers.classes) == ([0.5, 0.25], [[1.0], [2.0]], [])
    forced = read_csv(written(tmp_path, "0,1\n1,2\n"), classes=False)
    assert (forced.targets, forced.classes) == ([1.0, 2.0], [])


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("", {}, "is empty"),
        ("a,b\n", {}, "names of columns but no data"),
        ("1,2\n3\n", {}, "line 2: 1 columns, the first row has 2"),
        ("a,b\n1,2\nx,3\n", {}, "line 3, column a: expected a number, got 'x'"),
        ("a,b\n1,2\nnan,3\n", {}, "line 3, column a: expected a number, got 'nan'"),
        ("a,b\n1,2\n1,\n", {}, "line 3, column b: the target is missing"),
        ("1,2\n", {"target": 5}, "has 2 columns, there is no column 5"),
        ("a,b\n1,2\n", {"target": "c"}, "has no column 'c'; it has a, b"),
        ("a,b\n1,x\n", {"classes": False}, "line 2, column b: expected a number, got 'x'"),
        ("a,b\n1," + 200_000 * "2", {}, "line 2: field larger than field limit"),
        ("a,b\n1,\udcff\n", {}, r"data\.csv is no UTF-8 text: "),
    ],
)
def test_a_bad_file_is_named(
    text: str, settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        read_csv(written(tmp_path, text), **settings)
