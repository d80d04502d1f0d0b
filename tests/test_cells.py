"""The cells of a table, prepared in models that are exported: as `show` prepares them."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from autograd.command.cells import columns_of, prepared_in_python
from autograd.command.cli import main
from autograd.command.usage import OK
from nn import MLP, load, save
from nn.tables.numerals import Clock, Dates, Flags, Numerals
from nn.tables.preparation import NOTHING, Category, Preparation, Quantity

TABLE = Preparation(
    (
        Category("out", ("flat", NOTHING, "a 'b' \\ ü? */ c"), ("odd", "n/a")),
        Quantity("x", Numerals(), 4.25),
        Category("v1", ("yes", "no")),
        Quantity("day/night", Dates(), 19000.0),
        Quantity("", Clock(), 9.5),
        Category('"q"', (), ("p", "q")),
        Quantity("is it?", Flags(), 1.0),
    )
)
"""Names that graphs have, too, and cells that are not for every language."""

CELLS = {
    "out": ["flat", "odd", "n/a", "NA", "", " flat ", "unseen", "a 'b' \\ ü? */ c", "NaN"],
    "x": ["3.5", ""],
    "v1": ["no", "other", ""],
    "day/night": ["2020-01-01", ""],
    "": ["12:15", ""],
    '"q"': ["p", "z"],
    "is it?": ["no", ""],
}


def rows() -> list[dict[str, str]]:
    """Return rows of the table, as text."""
    return [dict(zip(CELLS, cells, strict=True)) for cells in product(*CELLS.values())][::7]


def plain(row: dict[str, str]) -> dict[str, Any]:
    """Return a row as those programs take it: numbers as numbers."""
    readers = {c.name: c.reader for c in TABLE.columns if isinstance(c, Quantity)}
    return {name: readers[name].number(cell) if name in readers else cell
            for name, cell in row.items()}  # fmt: skip


def saved(folder: Path) -> str:
    """Return where a model of the table is saved."""
    model = MLP(len(TABLE.inputs), [4, 2], activation=["tanh", "linear"], seed=0)
    notes = {"preparation": TABLE.to_json(), "classes": ["a", "b"], "task": "classification"}
    return str(save(model, folder / "net.json", notes))


@pytest.mark.parametrize("target", ["python", "torch"])
def test_python_prepares_cells(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    exec(prepared_in_python(TABLE), names)
    for row in rows():
        assert names["prepare"](plain(row)) == TABLE.encode(row)
    assert names["prepare"](dict.fromkeys(CELLS)) == TABLE.encode(dict.fromkeys(CELLS, ""))
    assert names["prepare"]({**plain(rows()[0]), "x": "2.5"})[0] == 2.5
    path = saved(tmp_path)
    assert main(["export", path, "--to", target]) == OK
    assert prepared_in_python(TABLE) in capsys.readouterr().out


@pytest.mark.parametrize("real", ["double", "float"])
def test_onnx_prepares_cells(real: str, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    onnx, runtime = (pytest.importorskip(name) for name in ("onnx", "onnxruntime"))
    path = saved(tmp_path)
    out = tmp_path / "net.onnx"
    assert main(["export", path, "-o", str(out), "--real", real]) == OK
    session = runtime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    given = [{name: cell.strip() for name, cell in row.items()} for row in rows()]
    columns = {column.name: [plain(row)[column.name] for row in given] for column in TABLE.columns}
    feed = {}
    for column, known in zip(columns_of(TABLE), session.get_inputs(), strict=True):
        is_text = known.type == "tensor(string)"
        assert is_text == any(isinstance(cell, str) for cell in columns[column.name])
        kind = object if is_text else numpy.float64 if real == "double" else numpy.float32
        feed[known.name] = numpy.array(columns[column.name], kind)[:, None]
    assert [known.name for known in session.get_inputs()] == [
        "x", "day_night", "column 2", "is it?", "out_", "v1", '"q"'
    ]  # fmt: skip
    (found,) = session.run(None, feed)
    loaded = load(path)
    right = [[y.data for y in loaded(TABLE.encode(row))] for row in given]
    # In single precision, of numbers up to 19,000.
    bound = 1e-12 if real == "double" else 1e-2
    numpy.testing.assert_allclose(found, right, rtol=bound, atol=bound)
    about = {p.key: json.loads(p.value) for p in onnx.load(str(out)).metadata_props}
    assert about["inputs"] == [column.name for column in TABLE.columns]
    assert about["cells"]["day/night"] == "a number of days since 1970 (19000 is 2022-01-08)"
