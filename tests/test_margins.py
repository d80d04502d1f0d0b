"""What stands in a file beside its table, or in place of one, and cells that only look like it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("pandas", reason="comes with the extra data")
pytest.importorskip("sklearn", reason="comes with the extra data")

from nn.tables import Table, read


def table_in(tmp_path: Path, content: str, name: str = "t.csv", **options: str) -> Table:
    path = tmp_path / name
    path.write_bytes(content.encode())
    return read(path, **options)  # type: ignore[arg-type]


def cells(table: Table) -> dict[str, list[object]]:
    return {column.name: column.values.tolist() for column in [*table.columns, table.target]}


ROWS = [(1, 5, "p"), (2, 7, "q"), (4, 6, "p"), (3, 9, "q")]
WHOLE = {"a": [1, 2, 4, 3], "b": [5, 7, 6, 9], "y": list("pqpq")}


@pytest.mark.parametrize(
    ("head", "row", "foot", "said"),
    [
        ("a,b,y\n", "{},{},{}\n", "Total,27,\n", "the last row, 'Total', left out"),
        ("a,b,y\n", "{},{},{}\n", "\nSource: us\nas of May\n", "2 lines below the table skipped"),
        ("a,b,y\ncm,kg,\n", "{},{},{}\n", "", "a line of units skipped"),
        ("Group 1,,Group 2\na,b,y\n", "{}*,{},{}\n", "", "titles above them"),
        (
            'Source:,us\nNote:,"of\n\ntwo"\n\na,b,y,\n',
            "{},{},{},\n",
            "",
            "5 lines above the table skipped",
        ),
        ("| a | b | y |\n|---|:-:|---|\n", "| {} | {} | {} |\n", "", "bars"),
        ("+---+---+\na|b|y\n--+--+--\n===\n", "{}|{}|{}\n", "", "bars"),
        ("a     b   y\n", "{}     {}   {}\n", "", "blanks"),
        ("'a','b','y'\n", "'{}','{}','{}'\n", "", "commas"),
        (
            "% by me\n@RELATION r\n@attribute a numeric\n@attribute 'b' real\n"
            "@attribute y {p,q}\n\n@DATA\n",
            "{},{},{}\n",
            "% end\n",
            "ARFF",
        ),
    ],
)
def test_only_the_table_is_read(tmp_path: Path, head: str, row: str, foot: str, said: str) -> None:
    table = table_in(tmp_path, head + "".join(row.format(*each) for each in ROWS) + foot)
    assert cells(table) == WHOLE
    assert said in table.how


@pytest.mark.parametrize("rest", [",,,,,", ""])
def test_what_is_said_of_all_the_table_is_no_row(tmp_path: Path, rest: str) -> None:
    """As the World Bank and statistical offices begin their files."""
    rows = "".join(f"Land {i},L{i},{i / 2},{i % 3},{i % 5},{i % 7},{i}\n" for i in range(9))
    head = f"Data Source,Indicators{rest}\n\nLast Updated,2023-07-25{rest}\n\n"
    table = table_in(tmp_path, f"{head}Country,Code,1990,1991,1992,1993,1994\n{rows}")
    assert table.how[2] == "4 lines above the table skipped"
    assert table.rows == 9
    assert cells(table)["1991"] == [i % 3 for i in range(9)]


@pytest.mark.parametrize("first", ["1,2", "1,2,,,,,", "a,b,,", "a,,,d,,,"])
def test_rows_with_two_cells_alone_stay(tmp_path: Path, first: str) -> None:
    width = max(4, first.count(",") + 1)
    rows = "".join(",".join(str(i % (j + 2)) for j in range(width)) + "\n" for i in range(9))
    assert not any("above" in said for said in table_in(tmp_path, f"{first}\n{rows}").how)


def test_a_row_that_only_begins_like_a_total_stays(tmp_path: Path) -> None:
    rows = "".join(f"{word},{i}\n" for i, word in enumerate(["sum", "total", "sum", "total"]))
    table = table_in(tmp_path, f"what,n\n{rows}", target="what")
    assert table.targets == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ('{"a": [1, 2], "b": [3, 4]}', "read_json('t.csv')"),
        ('[["a", "b"], [1, 2]]', "read_json('t.csv')"),
        ("<!DOCTYPE html><table></table>", "read_html('t.csv')[0]"),
        ('<?xml version="1.0"?><a/>', "read_html"),
        ("+1 1:0.5 3:2e-3\n-1 2:1\n", "load_svmlight_file('t.csv')"),
    ],
)
def test_other_formats_are_refused_with_the_way_out(
    tmp_path: Path, content: str, hint: str
) -> None:
    with pytest.raises(ValueError, match="makes a table") as caught:
        table_in(tmp_path, content)
    assert hint in str(caught.value)


JSON = [{"a": a, "b": b, "y": y} for a, b, y in ROWS]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(JSON),
        json.dumps(JSON, indent=2),
        "\n".join(map(json.dumps, JSON)) + "\n",
        "\ufeff" + "\r\n\r\n".join(map(json.dumps, JSON)),
        json.dumps({"count": 4, "rows": JSON, "next": []}),
    ],
)
def test_records_of_json_are_a_table(tmp_path: Path, text: str) -> None:
    table = table_in(tmp_path, text)
    assert cells(table) == WHOLE
    assert table.how == ["JSON"]


def test_what_records_lack_is_missing_and_what_is_nested_is_named_by_its_path(
    tmp_path: Path,
) -> None:
    records = [{"a": i, "at": {"x": i * i % 5, "city": "Wien"}, "y": "pq"[i % 2]} for i in range(9)]
    del records[3]["at"]
    records[5]["at"]["x"] = None
    found = table_in(tmp_path, json.dumps(records))
    assert [(column.name, column.missing) for column in found.columns] == [
        ("a", 0), ("at.x", 2), ("at.city", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1, "y": [1, 2]}]', r"has a list in record 1, 'y': a cell is a number, a word or"),
        ('{"a": 1}\n{"a": }\n', "damaged in line 2: Expecting value"),
        ('[{"a": 1},\n{"a": 2}', "damaged in line 2: Expecting ',' delimiter"),
        ('[{"a": ' + "[" * 100_000, "nested too deep"),
    ],
)
def test_records_that_are_no_table_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        table_in(tmp_path, text)


NUMBERS, WORDS = "{0},1{0},{1},c{2}\n", "a{0},b{1},c{2},d{2}\n"


@pytest.mark.parametrize(
    ("head", "row", "names"),
    [
        ("body,,mind,\nheight,weight,iq,class\n", NUMBERS, "height/weight/iq/class"),
        ("body,,mind,\nheight,weight,iq,class\n", WORDS, "height/weight/iq/class"),
        ("b,b,c,class\nm,kg,iq,class\n", NUMBERS, "b m/b kg/c iq/class"),
        ("Q1,,Q2,\nmin,max,min,max\n", NUMBERS, "Q1 min/Q1 max/Q2 min/Q2 max"),
    ],
)
def test_columns_below_titles_of_several(tmp_path: Path, head: str, row: str, names: str) -> None:
    rows = "".join(row.format(i * 7 % 11, i % 3, i % 2) for i in range(12))
    found = table_in(tmp_path, head + rows)
    assert [column.name for column in [*found.columns, found.target]] == names.split("/")
    assert "titles above them" in found.how


def test_times_are_hours(tmp_path: Path) -> None:
    rows = "".join(f"{i}:30,0:{i:02d}:36,{i / 2}\n" for i in range(1, 9))
    table = table_in(tmp_path, f"start,lasts,y\n{rows}")
    assert cells(table)["start"] == [i + 0.5 for i in range(1, 9)]
    assert cells(table)["lasts"] == pytest.approx([(60 * i + 36) / 3600 for i in range(1, 9)])
    assert [column.what for column in table.used] == ["times", "times"]


def test_what_is_no_answer_among_numbers_is_said(tmp_path: Path) -> None:
    numbers = "".join(f"{i},{i % 9},{i * 10000 % 100000:05d},{i / 2}\n" for i in range(1, 20))
    table = table_in(
        tmp_path, f"a,b,zip,y\n{numbers}" + "none,-999,00501,1\nInf,-999,00501,2\n" * 3
    )
    a, b, code = table.columns
    assert (a.missing, a.said) == (6, "6 cells 'none' and 'Inf' count as missing")
    assert b.said == "-999, 6 times, looks like no answer: if so, empty those cells"
    assert (code.what, code.said) == ("words", "")  # not the number 501
    # Among words, none may be an answer.
    table = table_in(tmp_path, "pain,y\n" + "none,1\nmild,2\nnone,3\nsevere,4\n" * 2, target="pain")
    assert table.classes == ["mild", "none", "severe"]


def test_a_name_alone_makes_no_numbering(tmp_path: Path) -> None:
    rows = "".join(f"{1000 + 3 * i},{90 * i % 97},{i}\n" for i in range(1, 12))
    table = table_in(tmp_path, f"'case','smoker_no','y'\n{rows}")
    assert [(column.name, column.reason) for column in table.columns] == [
        ("case", "numbers the rows"),
        ("smoker_no", ""),
    ]


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        ("x,y\n1,2\n", {}, "has 1 row of data: there is nothing to learn"),
        (
            "x,day,y\n1,2020-01-01,5\n2,2020-01-03,5\n3,2020-01-09,5\n4,2020-01-11,5\n",
            {},
            "x (numbers the rows), day (dates), y (always the same); --target names one",
        ),
        ('x,y\n"abc,1\n2,3\n', {}, "has a quotation mark in row 2 that is never closed"),
        ("x,y\n1,2\n3,4\n", {"target": "y", "drop": ["y"]}, "y can't be both predicted and left"),
    ],
)
def test_what_can_t_be_learnt_is_said_with_the_reason(
    tmp_path: Path, content: str, options: dict[str, str], problem: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        table_in(tmp_path, content, **options)


def test_columns_that_are_set_out_may_hold_blanks(tmp_path: Path) -> None:
    lines = [
        "name         n  where",
        "Ann Lee      1  Oldtown",
        "Bo B       2  Rome",
        "Cy Fo  3  Ur",
    ]
    table = table_in(tmp_path, "\n".join(lines), target="n")
    assert cells(table) == {
        "name": ["Ann Lee", "Bo B", "Cy Fo"],
        "where": ["Oldtown", "Rome", "Ur"],
        "n": [1, 2, 3],
    }
    assert "gaps of blanks" in table.how
