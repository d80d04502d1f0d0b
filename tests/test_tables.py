"""Anybody's tables: how files are written, what columns hold, and how they are prepared."""

from __future__ import annotations

import io
import json
import math
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pandas", reason="comes with the extra data")

import numpy as np
import pandas as pd

from nn import MLP, load, save
from nn.documents import StateError
from nn.tables import Preparation, Table, read
from nn.tables.dialect import decoded
from nn.tables.leakage import leaks, met_twice
from nn.tables.numerals import Dates, Flags, Numerals, Unreadable
from nn.tables.preparation import UnreadableCellError
from nn.tables.recognition import is_table
from nn.tables.rivals import baselines

TABLE = "a,b,kind\n1,2.5,cat\n3,-4e-1,dog\n\n5,6,cat\n"


def written(tmp_path: Path, content: str | bytes, name: str = "data.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def values(table: Table) -> dict[str, list[Any]]:
    """Return what is read in each column that is used, with the target."""
    columns = [*table.used, table.target]
    return {column.name: column.values.tolist() for column in columns}


def reasons(table: Table) -> dict[str, str]:
    return {column.name: column.reason for column in table.columns if column.reason}


@pytest.mark.parametrize(
    ("codec", "called", "text"),
    [
        ("cp932", "Shift-JIS", "性別,商品,価格\n男,りんご,1\n女,ノート,2\n男,りんご,3\n"),
        ("gb18030", "GB18030", "城市,性别,价格\n北京,男,1\n上海,女,2\n广州,男,3\n"),
        ("big5", "Big5", "城市,性別,價格\n臺北,男,1\n高雄,女,2\n新竹,男,3\n"),
        ("cp949", "EUC-KR", "도시,성별,가격\n서울,남자,1\n부산,여자,2\n대구,남자,3\n"),
        ("cp1251", "Windows-1251", "город,пол,цена\nМосква,м,1\nКазань,ж,2\nОмск,м,3\n"),
        ("cp1253", "Windows-1253", "πόλη,είδος,τιμή\nΑθήνα,α,1\nΠάτρα,β,2\nΒόλος,α,3\n"),
        ("cp1252", "Latin-1", "Straße,Größe,Preis\nÄÖÜ,5 m²,1\ndon’t,“6” m²,2\nß,“I” – é,3\n"),
        ("cp1252", "Latin-1", "ville,nom,âge\nOrléans,Zoë,1\nNîmes,Æsa,2\nSão Paulo,Ação,3\n"),
        ("cp1252", "Latin-1", "ESPAÑA,MÜNCHEN\nÕun,cœur\n€ 5,20 m²/h\n«é»,Café™ °C\n"),
        ("cp1251", "Windows-1251", "ГОРОД,ПОЛ,ЦЕНА\nМОСКВА,М,1\nКАЗАНЬ,Ж,2\nОМСК,М,3\n"),
        ("koi8_r", "KOI8-R", "город,пол,цена\nМосква,м,1\nКазань,ж,2\nОмск,м,3\nТула,ж,4\n"),
        ("cp1250", "Windows-1250", "miasto,ilość\nŁódź,3\nKraków,1\nWROCŁAW,2\nGdańsk,źle\n"),
        ("cp1250", "Windows-1250", "město,počet °C\nPříbram,3\nŽďár,1\nPlzeň,2\nÚstí,1\n"),
        ("cp1250", "Windows-1250", "név,erő\nGyőr,3\nPécs,1\nKőszeg,2\nhűvös,4\n"),
        ("cp1250", "Windows-1250", "oraş,judeţ\nBraşov,3\nConstanţa,1\nIaşi,2\nTârgovişte,0\n"),
        ("cp1250", "Windows-1250", "grad,žitelj\nŠibenik,3\nČakovec,1\nĐakovo,2\nkuća,0\n"),
        ("cp1254", "Windows-1254", "şehir,değer\nİstanbul,3\nMuğla,1\nŞanlıurfa,2\nkötü,5\n"),
        ("cp1257", "Windows-1257", "pilsēta,skaits\nRīga,3\nLiepāja,1\nJūrmala,2\nĶekava,1\n"),
        ("cp1257", "Windows-1257", "miestas,kiekis\nŠiauliai,3\nPanevėžys,1\nAlytų,2\n"),
        ("cp1255", "Windows-1255", "עיר,תשובה,כן\nחיפה,לא,1\nתל אביב,כן,2\nירושלים,לא,3\n"),
        ("cp1256", "Windows-1256", "المدينة,العدد,نعم\nالقاهرة,لا,1\nدمشق,نعم,2\nبغداد,لا,3\n"),
        ("cp1252", "Latin-1", "navn,by\nSøren,Århus\nPål,Tromsø\nÆrø,Bærum\n"),
        ("cp1252", "Latin-1", "nafn,borg\nÞór,Akureyri\nSigurður,Ísafjörður\nBjörk,Keflavík\n"),
        ("mac_roman", "Mac Roman", "Größe,Straße,Ort °C\n1,Köln,5\n2,“Bäcker”,6\n"),
        ("mac_roman", "Mac Roman", "Région,prénom\nÎle,Élise\nIsère,Noël\nMÜNCHEN,é\n"),
        ("cp850", "Code page 850", "Größe,Straße,Ort\n1,Köln,5\n2,Bäcker,6\n"),
        ("cp850", "Code page 850", "Région,prénom\nRhône,Zoë\nIsère,Noël\n"),
    ],
)
def test_older_encodings_are_told_by_their_letters(codec: str, called: str, text: str) -> None:
    assert decoded(text.encode(codec)) == (text, called)


def test_a_spreadsheet_s_errors_begin_rows(tmp_path: Path) -> None:
    errors = ["#N/A", "#NV", "#DIV/0!", "#NAME?", "#REF!", "#1"]
    rows = "".join(f"{error},{i}\n2,{i + 1}\n" for i, error in enumerate(errors[:-1]))
    table = read(written(tmp_path, f"a,b\n{rows}3,4\n# made by hand\n#Name,x\n"))
    assert table.rows == 11
    assert table.how[-2:] == ["2 lines of comments skipped", "names in the first line"]


def test_controls_among_letters_are_blanks(tmp_path: Path) -> None:
    rows = "".join(f"a long note of number {i % 5},{i % 3}\n" for i in range(30))
    table = read(written(tmp_path, f"a,b\n{rows}the staff\x1as,1\nthe staff\x1as,2\n\x1a"))
    assert table.rows == 32
    assert table.columns[0].values.iloc[-1] == "the staff s"


def test_nothing_to_predict_from_is_said(tmp_path: Path) -> None:
    rows = "".join(f"a note, number {i};{i % 2}\n" for i in range(30))
    table = read(written(tmp_path, f"note;y\n{rows}"))
    with pytest.raises(
        ValueError, match=r"no column to predict it from; left out: note \(no word tw"
    ):
        table.prepared(range(30))


def test_a_number_sign_that_begins_rows_is_no_comment(tmp_path: Path) -> None:
    ranked = [f"#{i},{i * i % 7}.5,{'ab'[i % 2]}" for i in range(1, 9)]
    table = read(written(tmp_path, "\n".join(["# of 2020", "rank,score,team", *ranked])))
    assert (table.rows, len(table.columns)) == (8, 2)
    few = ["address,rooms,price", "12 Hill Rd,2,5", "#5 Main St,3,7", "1 Oak Rd,2,6", "# 1,2,3"]
    assert read(written(tmp_path, "\n".join(few))).columns[0].values.tolist() == [
        "12 Hill Rd",
        "#5 Main St",
        "1 Oak Rd",
    ]
    struck = ["a,b,c", "1,2,3", "#2,3,4", "3,4,5", "4,5,6"]
    assert read(written(tmp_path, "\n".join(struck))).rows == 3


def test_what_looks_like_a_line_within_a_cell_is_none(tmp_path: Path) -> None:
    rows = "".join(f'"one\n# two {i}\n---\nx\u2028y\x85",{i}\n' for i in range(4))
    texts = read(written(tmp_path, f"note,y\n{rows}")).columns[0].values
    assert texts.tolist() == [f"one\n# two {i}\n---\nx\u2028y" for i in range(4)]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["€1.5M", "€300K", "€0"], [1.5e6, 3e5, 0]),
        (["€7K", "€300K", "€12K"], [7e3, 3e5, 12e3]),
        (["19M", "201k", "3.5M"], [19e6, 201e3, 3.5e6]),
        (["45 Lac", "1.2 Cr", "70 Lac"], [45e5, 1.2e7, 70e5]),
        (["5 m", "12 m", "7 m"], [5, 12, 7]),
        (["100m", "5k", "10k"], ["100m", "5k", "10k"]),
        (["0 days 01:30:00", "2 days 00:00:00", "1 day, 0:30:00"], [1.5, 48, 24.5]),
        (["1970.01.02", "1970.02.01", "1970.01.31"], [1, 31, 30]),
        (["Jan-70", "Feb-70", "Jan-71"], [0, 31, 365]),
        (["1970年1月2日", "1970年2月1日", "1970年1月31日"], [1, 31, 30]),
        (["1970-01-02 12:00:00 UTC", "1970-01-03 00:00:00 UTC"], [1.5, 2]),
        (["1/2/1970 12:00:00.000", "1/13/1970 06:00:00.000"], [1.5, 12.25]),
        (["Fri Jan 02 12:00:00 +0000 1970", "Sat Jan 03 00:00:00 +0000 1970"], [1.5, 2]),
        (["Friday, January 2, 1970", "Saturday, January 3, 1970"], [1, 2]),
    ],
)
def test_numbers_and_dates_as_people_write_them(
    tmp_path: Path, cells: list[str], numbers: list[Any]
) -> None:
    rows = "\n".join(f'"{cell}",{i % 7}.5' for i, cell in enumerate(cells * 4))
    column = read(written(tmp_path, f"x,y\n{rows}")).columns[0]
    assert column.values.tolist() == numbers * 4


WHOLE = {"a": [1.0, 3.0, 5.0], "b": [2.5, -0.4, 6.0], "kind": ["cat", "dog", "cat"]}
LINES = ["a,b,kind", "1,2.5,cat", "3,-4e-1,dog", "5,6,cat"]


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        TABLE.replace(",", "|"),
        TABLE.replace(",", "  "),
        TABLE.replace(",", " , "),
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\r"),
        TABLE.replace(".", ",").replace("a,b,", "a;b;").replace("1,2,5,", "1;2,5;")
        .replace("3,-4e-1,", "3;-0,4;").replace("5,6,", "5;6,0;"),
        "sep=;\r\n" + TABLE.replace(",", ";"),
        "\ufeff" + TABLE,
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-le"),
        "# written by hand\n#\n" + TABLE,
        "# a,b,kind\n" + TABLE.partition("\n")[2],
        "Zoo report 2020\n\n" + TABLE,
        "Zoo report 2020,,\n,,\n" + TABLE,
        "\n".join(line + "," for line in LINES),  # separators at the ends, with and without a head
        "\n".join([LINES[0], *(line + "," for line in LINES[1:])]),
        '"a","b","kind"\n"1","2.5","cat"\n"3","-0.4","dog"\n"5","6","cat"\n',
        ",a,b,kind\n0,1,2.5,cat\n1,3,-0.4,dog\n2,5,6,cat\n",  # pandas' index
        '"a" "b" "kind"\n"Leo" 1 2.5 "cat"\n"Rex" 3 -0.4 "dog"\n"Tom" 5 6 "cat"\n',  # R's
    ],
)  # fmt: skip
def test_a_table_is_read_however_it_is_written(tmp_path: Path, content: str | bytes) -> None:
    table = read(written(tmp_path, content))
    assert values(table) == WHOLE
    assert (table.targets, table.classes) == ([0, 1, 0], ["cat", "dog"])


def test_the_file_s_other_forms(tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(TABLE))
    packed = tmp_path / "data.csv.gz"
    frame.to_csv(packed, index=False)
    assert values(read(packed)) == WHOLE
    for module, suffix, write in [
        ("pyarrow", "parquet", frame.to_parquet),
        ("openpyxl", "xlsx", frame.to_excel),
    ]:
        try:
            __import__(module)
        except ImportError:
            continue
        path = tmp_path / f"data.{suffix}"
        write(path, index=False)
        assert values(read(path)) == WHOLE


def test_latin_1_and_quoted_cells(tmp_path: Path) -> None:
    text = 'größe,"Bemerkung, kurz",art\n1,"zwei\nZeilen",Füchsin\n2,"a, b",Bär\n'
    text += '3,"zwei\nZeilen",Bär\n'
    table = read(written(tmp_path, text.encode("latin-1")))
    assert table.how[:2] == ["Latin-1", "commas"]
    assert table.classes == ["Bär", "Füchsin"]
    assert values(table)["Bemerkung, kurz"] == ["zwei\nZeilen", "a, b", "zwei\nZeilen"]
    assert decoded("10 €".encode("cp1252")) == ("10 €", "Latin-1")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("0,1,10\n1,0,9\n1,1,10\n", ["x1", "x2", "x3"]),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,versicolor\n", ["x1", "x2", "x3"]),
        ("p,x,s\ne,x,s\np,b,y\n", ["x1", "x2", "x3"]),  # letters that recur below
        ("M,0.4,15\nF,0.3,7\nM,0.5,9\n", ["x1", "x2", "x3"]),
        ("2001,2002,2003\n1.5,1.6,1.8\n2.5,2.4,2.9\n", ["2001", "2002", "2003"]),
        ("land,2001,2002\nPeru,3,4\nChad,5,7\n", ["land", "2001", "2002"]),
        ("0,1,2\n0.5,0.1,7\n0.25,0.2,8\n", ["0", "1", "2"]),
        ("name,town\nAnn,Rome\nBob,Oslo\nAnn,Rome\n", ["name", "town"]),
        ("when,x\n2020-01-01,3\n2020-01-02,4\n", ["when", "x"]),
        ("2020-01-01,3\n2020-01-02,4\n2020-01-03,4\n", ["x1", "x2"]),
        ("x,x,x\n1,2,3\n4,5,6\n", ["x", "x.1", "x.2"]),
    ],
)
def test_the_first_row_has_names_or_data(tmp_path: Path, content: str, names: list[str]) -> None:
    table = read(written(tmp_path, content))
    assert sorted([*(c.name for c in table.columns), table.target.name]) == sorted(names)


def column(tmp_path: Path, cells: list[str], name: str = "x", **settings: Any) -> Any:
    """Return a column read from a file where a number follows it."""
    lines = [f"{name}\ty", *(f"{cell}\t{i % 7}.5" for i, cell in enumerate(cells))]
    return read(written(tmp_path, "\n".join(lines)), "y", **settings).columns[0]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,234", "12", "1,234,567"], [1234, 12, 1234567]),
        (["$1,234.50", "-$2", "($3)"], [1234.5, -2, -3]),
        (["12 €", "1.234,50 €", "7 €"], [12, 1234.5, 7]),
        (["45%", "7.5 %", "100%"], [45, 7.5, 100]),
        (["1 234", "5", "1 234 567,5"], [1234, 5, 1234567.5]),
        (["1'234.5", "12", "7"], [1234.5, 12, 7]),
        (["0,5", "1,25", "-3"], [0.5, 1.25, -3]),
        (["12 kg", "7.5 kg", "3 kg"], [12, 7.5, 3]),
        (["−4", "+3", ".5"], [-4, 3, 0.5]),
        (["12345678901234567890", "1", "2"], [12345678901234567890.0, 1, 2]),
        (["1e400", *map(str, range(40))], [math.nan, *range(40)]),
        (["?", "3", "NA", "", "n/a", "-", "5"], [math.nan, 3, *[math.nan] * 4, 5]),
        (["n.d.", *map(str, range(40))], [math.nan, *range(40)]),
        (["yes", "no", "Yes", "NO"], [1, 0, 1, 0]),
        (["True", "False", "", "True"], [1, 0, math.nan, 1]),
        (["1970-01-02", "1970-01-03 12:00:00", "1970-01-01"], [1, 2.5, 0]),
        (["2.1.1970", "31.1.1970", "1.2.1970"], [1, 30, 31]),
        (["1/2/1970", "1/31/1970", "2/1/1970"], [1, 30, 31]),
        (["31/1/1970", "2/1/1970", "1/2/1970"], [30, 1, 31]),
        (["Jan 2, 1970", "Feb 1, 1970", "Jan 1, 1970"], [1, 31, 0]),
        (["1970-01-01T00:00:00Z", "1970-01-01T12:00:00+00:00", "1970-01-02"], [0, 0.5, 1]),
    ],
)  # fmt: skip
def test_how_numbers_dates_and_flags_are_written(
    tmp_path: Path, cells: list[str], numbers: list[float]
) -> None:
    found = column(tmp_path, cells)
    assert found.values.tolist() == pytest.approx(numbers, nan_ok=True)
    for cell, x in zip(cells, found.values, strict=True):  # alone as in the column
        if not math.isnan(x) and found.reader:
            assert found.reader.number(cell) == x
            assert found.reader.number(found.reader.text(x)) == pytest.approx(x, rel=1e-5)


def test_the_first_of_each_month_and_days_that_may_be_months(tmp_path: Path) -> None:
    monthly = column(tmp_path, [f"01/{i:02d}/2020" for i in range(1, 13)])
    assert [monthly.reader.text(x)[:5] for x in monthly.values[:3]] == ["01/01", "01/02", "01/03"]
    assert monthly.values[1] - monthly.values[0] == 31
    january = column(tmp_path, [f"1/{i}/2020" for i in range(1, 16)])
    assert january.values[1] - january.values[0] == 1
    either = column(tmp_path, ["2/3/2020", "4/5/2020", "1/1/2020"])
    assert either.values[0] == (date(2020, 2, 3) - date(1970, 1, 1)).days
    assert either.said == "taken for month/day, might be day/month"
    assert not column(tmp_path, ["2/3/2020", "4/15/2020", "1/1/2020"]).said


def test_a_point_that_may_stand_between_thousands_is_said(tmp_path: Path) -> None:
    either = column(tmp_path, ["237", "65.937", "", "-1.200"])
    assert either.values[1] == 65.937
    assert either.said == "65.937 is taken for 65 and a bit: if it is 65937, write that"
    for cells in (["237.000", "65.937"], ["237", "65.9375"], ["237", "0.937"], ["237", "", "12"]):
        assert not column(tmp_path, cells).said


@pytest.mark.parametrize(
    "cells",
    [
        ["A11", "A12", "A14", "A11"],
        ["0", "1", "2", "3+", "0", "1", "2"],
        ["$3", "€4", "$5"],
        ["1-2", "3-4", "5-6"],
        ["1.2.3", "1.2.4", "1.3.0"],
        ["maybe", "yes", "no"],
    ],
)
def test_what_only_looks_like_numbers_is_words(tmp_path: Path, cells: list[str]) -> None:
    assert column(tmp_path, cells).values.tolist() == cells


def test_a_cell_is_never_read_as_something_else() -> None:
    for reader, cell in [
        (Numerals(), "1,5"),
        (Numerals(","), "1.5"),
        (Numerals(before="$"), "€5"),
        (Numerals(), "(5"),
        (Dates("%d.%m.%Y"), "2020-01-01"),
        (Flags(), "true"),
    ]:
        with pytest.raises(Unreadable):
            reader.number(cell)


@pytest.mark.long
def test_what_numbers_the_rows_is_left_out(tmp_path: Path) -> None:
    source = random.Random(0)
    rows = [
        [
            *(i + 1, f"P{i:03}", 90000 + 7 * i % 61),
            *(source.choice("ab"), source.gauss(0, 1), 1947 + i, "s"),
        ]
        for i in range(60)
    ]  # fmt: skip
    head = ["", "name", "customer_id", "kind", "x", "year", "same", "none", "y"]
    lines = [head, *([*row, "", source.gauss(0, 1)] for row in rows)]
    path = written(tmp_path, "\n".join(",".join(map(str, line)) for line in lines))
    table = read(path)
    assert reasons(table) == {
        "x1": "no name and no value twice: numbers the rows",
        "name": "no word twice",
        "customer_id": "numbers the rows",
        "same": "always the same",
        "none": "empty",
    }
    assert [column.name for column in read(path, drop=["X"]).used] == ["kind", "year"]
    assert [column.name for column in read(path, use=["customer_id", "x"]).used] == [
        "customer_id",
        "x",
    ]
    words = read(path, use=["year"], categorical=["year"]).used[0]
    assert (words.reader, words.different) == (None, 60)


def test_fractions_without_a_name_number_no_rows(tmp_path: Path) -> None:
    path = written(tmp_path, "x,,y\n" + "\n".join(f"{i % 7},{i * i / 8},{i}.5" for i in range(30)))
    assert reasons(read(path)) == {}


def test_a_table_is_shown_in_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "id,a,b,y\n" + "\n".join(f"{i},{i % 7},n,{i}.5" for i in range(30)))
    table = read(path)
    assert repr(table) == "Table of 30 rows: y from a"
    assert all("\n" not in repr(column) for column in table.columns)


def test_numbers_that_can_not_be_squared(tmp_path: Path) -> None:
    lines = ["big,x,y", *(f"{10.0 ** (290 + i % 9)},{i % 7}.5,{i}.25" for i in range(30))]
    path = written(tmp_path, "\n".join(lines))
    assert reasons(read(path)) == {"big": "numbers beyond 1e+100, whose squares are none"}
    with pytest.raises(ValueError, match=r"data\.csv: big holds numbers beyond 1e\+100"):
        read(path, "big")


def test_what_counts_in_the_world_is_kept_and_so_is_all_there_is(tmp_path: Path) -> None:
    lines = ["age,time,y", *(f"{20 + i},{i},{i * i}.5" for i in range(30))]
    assert not reasons(read(written(tmp_path, "\n".join(lines))))
    lines = ["id,y", *(f"{i},{i * i}.5" for i in range(30))]
    assert not reasons(read(written(tmp_path, "\n".join(lines))))


@pytest.mark.parametrize(
    ("lines", "target", "classes"),
    [
        (["x,quality", *(f"{i},{i % 7}" for i in range(60))], "quality", list("0123456")),
        (["x,y", *(f"{i}.5,{i}" for i in range(60))], "y", []),
        (["class,x", *(f"{i % 3},{i}.5" for i in range(60))], "class", list("012")),
        (["x,ok", *(f"{i},{'no' if i % 2 else 'Yes'}" for i in range(60))], "ok", ["no", "Yes"]),
        (["x,ok", *(f"{i},{i % 2 == 0}" for i in range(60))], "ok", ["False", "True"]),
        (["x,g,name", *(f"{i},{'ab'[i % 2]},n{i}" for i in range(60))], "g", ["a", "b"]),
        (["x,g,", *(f"{i},{'ab'[i % 2]}," for i in range(60))], "g", ["a", "b"]),
        (["x,g", *(f"{i},{i % 2}.0" for i in range(60))], "g", ["0", "1"]),
    ],
)
def test_the_target_and_its_classes(
    tmp_path: Path, lines: list[str], target: str, classes: list[str]
) -> None:
    table = read(written(tmp_path, "\n".join(lines)))
    assert (table.target.name, table.classes) == (target, classes)


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    table = read(written(tmp_path, "x,y\n1,a\n2,NA\n,b\n4,\n5,a\n"))
    assert table.targets == [0, 1, 0]
    assert table.rows == 5
    assert (table.columns[0].missing, table.target.missing) == (1, 0)
    assert values(table)["x"] == pytest.approx([1, math.nan, 5], nan_ok=True)


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("", {}, "data.csv is empty"),
        ("\n \n", {}, "is empty"),
        ("a,b\n", {}, "names of columns but no data"),
        ("a,b\n1,2\n3,4,5\n6,7\n", {}, "has a row of 3 cells, the others have 2: '3 4 5'"),
        ("a,b\n1,2\n3,4,5,6\n6,7\n", {}, "has 4 cells in line 3, not 2"),
        ("a,b\n1,2\n", {"target": "c"}, "has no column 'c'; it has a, b"),
        ("alpha,b\n1,2\n", {"target": "alhpa"}, "did you mean 'alpha'?"),
        ("a,b\n1,x\n2,y\n1,x\n", {"classes": False}, "b holds the words 'x', ..., which are"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", {}, "is no text file: what pandas"),
        ("a,b\n1,2\n", {"separator": "<>"}, "can't be separated by '<>'"),
        ("a,b\n,\n,\n", {}, "has no column that can be predicted"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    tmp_path: Path, content: str | bytes, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=r"data\.csv.*") as raised:
        read(written(tmp_path, content), **settings)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def mixed(tmp_path: Path, n: int = 200) -> Table:
    """Return a table of numbers, dates, flags and words, some of them missing or rare."""
    source = random.Random(3)
    lines = ["price;sold;garden;town;y"]
    for i in range(n):
        price = "" if i % 9 == 4 else f"{source.uniform(1, 9):.2f}".replace(".", ",") + " €"
        sold = f"{i % 28 + 1}.3.2021" if i % 11 else ""
        town = source.choice(["Bonn", "Köln", "Köln", "?"]) if i % 50 else f"Dorf {i}"
        lines.append(f"{price};{sold};{source.choice(['ja', 'nein'])};{town};{source.gauss(0, 1)}")
    return read(written(tmp_path, "\n".join(lines)))


@pytest.mark.long
def test_a_row_alone_is_prepared_as_in_the_table(tmp_path: Path) -> None:
    """From JSON and by name, as ``chainrule show`` does it, and with every bit."""
    table = mixed(tmp_path)
    prepared = table.prepared(range(150))
    again = Preparation.from_json(json.loads(json.dumps(prepared.preparation.to_json())))
    assert again == prepared.preparation
    lines = [line.split(";") for line in (tmp_path / "data.csv").read_text().splitlines()]
    for row, inputs in zip(lines[1:], prepared.inputs, strict=True):
        assert again.encode(dict(zip(lines[0], row, strict=True))) == inputs.tolist()
    assert again.inputs[:2] == ["price", "sold"]
    assert again.inputs[-4:] == ["town=(missing)", "town=Bonn", "town=Köln", "town=(others)"]


def test_only_what_is_learnt_from_decides(tmp_path: Path) -> None:
    table = mixed(tmp_path)
    prepared = table.prepared(range(100))
    prices = table.columns[0].values
    assert prepared.preparation.columns[0].fill == prices[:100].median()  # type: ignore[union-attr]
    assert prepared.means[0] == pytest.approx(prices[:100].fillna(prices[:100].median()).mean())
    assert prepared.deviations[2:] == [1.0] * (prepared.inputs.shape[1] - 2)
    known = prepared.standardized[:100]
    assert known[:, 0].mean() == pytest.approx(0, abs=1e-12)
    assert known[:, 0].std() == pytest.approx(1)


def test_a_saved_model_answers_a_row(tmp_path: Path) -> None:
    preparation = mixed(tmp_path).prepared(range(200)).preparation
    model = MLP(len(preparation.inputs), [2, 1], seed=0)
    path = save(model, tmp_path / "model.json", {"preparation": preparation.to_json()})
    again = Preparation.load(path)
    assert again == preparation
    row = {"town": "Bonn", "extra": "x", "price": 3, "sold": "2.3.2021", "garden": ""}
    inputs = again.encode(row)  # type: ignore[arg-type]
    assert inputs == preparation.encode(row | {"price": "3"})  # type: ignore[operator]
    assert load(path).predict([inputs]) == model.predict([inputs])
    with pytest.raises(UnreadableCellError, match="missing: sold, town; give '' for"):
        again.encode({"price": "3", "garden": "ja"})
    for notes, problem in [({}, "from no table"), ({"preparation": [1]}, "notes are damaged")]:
        with pytest.raises(StateError, match=problem):
            Preparation.load(save(model, tmp_path / "other.json", notes))


def test_a_word_never_seen_and_a_cell_of_another_kind(tmp_path: Path) -> None:
    preparation = mixed(tmp_path).prepared(range(200)).preparation
    cells = {"price": "3", "sold": "2.3.2021", "garden": "ja", "town": "Rom"}
    assert preparation.unknown(cells) == ["town"]
    assert preparation.encode(cells)[-4:] == [0, 0, 0, 1]
    assert preparation.encode(cells | {"town": ""})[-4:] == [1, 0, 0, 0]
    assert preparation.encode(cells | {"price": "NA"})[0] == preparation.columns[0].fill  # type: ignore[union-attr]
    with pytest.raises(UnreadableCellError, match=r"a number, such as \S+: got 'cheap'"):
        preparation.encode(cells | {"price": "cheap"})
    with pytest.raises(UnreadableCellError, match=r"sold takes a date, such as \S+: got '2021'"):
        preparation.encode(cells | {"sold": "2021"})


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "magic"},
        {"missing": "many"},
        {"missing": math.inf},
        {"decimal": 3},
        {"decimal": "!"},
        {"name": 5},
        {"more": 1},
    ],
)
@pytest.mark.long
def test_a_damaged_preparation_is_refused(tmp_path: Path, damage: dict[str, Any]) -> None:
    first, *_ = mixed(tmp_path).prepared(range(200)).preparation.to_json()
    with pytest.raises((LookupError, TypeError, ValueError)):
        Preparation.from_json([first | damage])


@pytest.mark.long
def test_a_column_that_gives_the_target_away(tmp_path: Path) -> None:
    source = random.Random(5)
    lines = ["alive,sum,noise,town,y,price"]
    for _ in range(200):
        y, x, town = source.randint(0, 1), source.gauss(0, 1), source.choice("abcdefgh")
        alive = "yes" if y else "no"
        lines.append(f"{alive},{2 * x + 1},{source.gauss(0, 1)},{town},{y},{x}")
    path = written(tmp_path, "\n".join(lines))
    of_classes = read(path, "y")
    assert leaks(of_classes.used, of_classes.targets, 2) == {"alive": 1.0}
    of_numbers = read(path, "price")
    assert list(leaks(of_numbers.used, of_numbers.targets, 0)) == ["sum"]


def test_rows_on_both_sides_of_the_split(tmp_path: Path) -> None:
    table = read(written(tmp_path, "a,b,y\n1,x,0.5\n2,y,0.5\n1,x,0.5\n2,y,0.7\n,z,1.5\n,z,1.5\n"))
    assert met_twice(table.used, table.targets, [0, 1, 4], [2, 3, 5]) == 2


def test_the_rivals_answer_like_a_network() -> None:
    inputs = np.array([[0.0], [1.0], [2.0], [3.0]])
    numbers = baselines((inputs, [0.0, 1.0, 2.0, 3.0]), [[1.5], [9.0]], 0)
    assert numbers["mean"] == [1.5, 1.5]
    assert numbers["linear model"][0] == pytest.approx(1.5)
    two = baselines((inputs, [0, 0, 1, 0]), inputs, 2)
    assert [x > 0 for x in two["most frequent class"]] == [False] * 4
    three = baselines((inputs, [2, 2, 0, 0]), [[0.0], [3.0]], 3)  # the second is never met
    assert [max(range(3), key=row.__getitem__) for row in three["linear model"]] == [2, 0]
    assert np.array(three["most frequent class"]).argmax(axis=1).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a\tb\tc", "1\t2\t3", "4\t5\t6"], True),
        (['18.0  8  307.0\t"a b"', '15.0  8  350.0\t"c d"', '18.0  8  318.0\t"e f"'], True),
        (["p,x,s,n,t,p"] * 10, True),
        (["# made by X", "y x", "1 2", "3 4"], True),
        (["a;b", "1,5;?", "3,5;4,5"], True),
        (["anna", "bob", "carl"], False),
        (["Poe, Edgar Allan", "Kafka, Franz", "Eco, Umberto"] * 3, False),
        (["They lived, loved, and laughed."] * 9, False),
        (["5 Elm Street", "7 Oak Lane", "9 Main Road"], False),
        (["123", "456", "789"], False),
        ([], False),
    ],
)
def test_a_table_is_told_from_a_text(lines: list[str], expected: bool) -> None:
    assert is_table(lines) is expected
