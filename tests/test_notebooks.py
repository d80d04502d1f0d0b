"""The notebooks: their form, and that they run from top to bottom and give what they show.

``python tests/test_notebooks.py`` runs them all and writes their outputs anew.
"""

import ast
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

import autograd
import nn

NOTEBOOKS = sorted(Path(__file__).parent.parent.glob("notebooks/*.ipynb"))

OUTPUTS = 360_000
"""Characters that the outputs of one notebook may take: one page of the debugger and pictures."""

ALL = 2_000_000
"""Bytes of all notebooks together."""

MACHINE = re.compile(
    r"/(home|root|tmp|usr|opt|work|var|Users)/|[A-Z]:\\|site-packages|ipykernel_|at 0x[0-9a-f]+"
)

COLOUR = re.compile("\x1b\\[[0-9;]*m")

ANSWER = re.compile(r"```python\n(.*?)```", re.DOTALL)

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> list[Any]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def text_of(cell: Any) -> str:
    return "".join(cell["source"])


def tags_of(cell: Any) -> list[str]:
    return cell["metadata"].get("tags", [])


def code_of(cells: list[Any]) -> list[Any]:
    return [cell for cell in cells if cell["cell_type"] == "code"]


def shown(cell: Any) -> list[dict[str, str]]:
    """Return what a cell shows, by form; the bytes of a PNG are those of a matplotlib version."""
    forms = [
        {"text/plain": output["text"]} if output["output_type"] == "stream" else output["data"]
        for output in cell["outputs"]
    ]
    return [
        {form: COLOUR.sub("", "".join(text)) for form, text in each.items() if form != "image/png"}
        for each in forms
    ]


def differing(cell: Any, before: Any) -> list[str]:
    """Return the forms in which a cell shows something else than before."""
    return [
        form
        for new, old in zip(shown(cell), shown(before), strict=True)
        for form in new.keys() | old.keys()
        if new.get(form) != old.get(form)
    ]


def test_there_are_ten_and_they_are_small() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{i:02}_" for i in range(1, 11)]
    assert sum(path.stat().st_size for path in NOTEBOOKS) < ALL


@each
def test_a_notebook_begins_with_a_question_and_ends_with_exercises(path: Path) -> None:
    cells = read(path)
    title, _, opening = text_of(cells[0]).partition("\n")
    assert re.fullmatch(rf"# {path.name[:2]} .+\?", title)
    assert opening.strip()
    headings = [line for cell in cells for line in cell["source"] if line.startswith("## ")]
    assert headings[-1].strip() == "## Exercises"
    exercises = [cell for cell in cells if "exercise" in tags_of(cell)]
    assert len(exercises) >= 2


@each
def test_an_exercise_is_followed_by_its_check_and_a_worked_answer(path: Path) -> None:
    cells = read(path)
    for i, cell in enumerate(cells):
        if "exercise" in tags_of(cell):
            assert blanks(cell)
            check, answer = cells[i + 1 : i + 3]
            assert "check" in tags_of(check)
            assert "assert" in text_of(check)
            assert text_of(answer).startswith("<details>")
            assert len(ANSWER.findall(text_of(answer))) == 1


@each
def test_the_form_is_plain_and_has_nothing_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"] == {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    cells = notebook["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[a-z0-9-]+", each) for each in ids)
    assert all(set(cell["metadata"]) <= {"tags"} for cell in cells)
    assert [cell["execution_count"] for cell in code_of(cells)] == [
        i + 1 for i in range(len(code_of(cells)))
    ]
    outputs = [output for cell in code_of(cells) for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert all(output.get("name") != "stderr" for output in outputs)
    assert not MACHINE.search(json.dumps([*outputs, *map(text_of, cells)]))
    assert len(json.dumps(outputs)) < OUTPUTS


@each
def test_a_notebook_defines_nothing_of_the_product(path: Path) -> None:
    theirs = {
        name for module in (autograd, nn, nn.losses, nn.optim, nn.plots) for name in vars(module)
    }
    for cell in code_of(read(path)):
        for node in ast.walk(ast.parse(text_of(cell))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                assert node.name not in theirs
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                assert not {ast.unparse(target) for target in node.targets} & theirs


def blanks(cell: Any) -> list[str]:
    """Return the names that an exercise wants: those set to ``...``."""
    return [
        ast.unparse(target)
        for node in ast.walk(ast.parse(text_of(cell)))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        if node.value.value is ...
        for target in node.targets
    ]


def execute(notebook: Any, folder: Path) -> None:
    from nbclient import NotebookClient

    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=300,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    ).execute()


def with_answers(notebook: Any) -> Any:
    """Return the notebook with wrong answers and then the right ones after each exercise.

    The tags of what is put in: the check of a wrong answer must fail, that of a right one not.
    """
    import nbformat
    from nbformat.v4 import new_code_cell

    cells = []
    for i, cell in enumerate(notebook.cells):
        cells.append(cell)
        if "check" in tags_of(cell):
            names = blanks(notebook.cells[i - 1])
            (answer,) = ANSWER.findall(notebook.cells[i + 1].source)
            cells += [
                new_code_cell(source, metadata={"tags": tags})
                for source, tags in (
                    ("\n".join(f"{name} = -12345.0" for name in names), ["answer"]),
                    (cell.source, ["raises-exception", "wrong"]),
                    (answer, ["answer"]),
                    (cell.source, ["right"]),
                )
            ]
    return nbformat.from_dict({**notebook, "cells": cells})


@pytest.mark.notebook
@each
def test_a_notebook_runs_and_gives_what_it_shows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    run = with_answers(notebook)
    folder = tmp_path / "empty"
    folder.mkdir()
    execute(run, folder)
    own = []
    for cell in code_of(run.cells):
        assert not [o.text for o in cell.outputs if o.get("name") == "stderr"]
        if "wrong" in tags_of(cell):
            # Of an assertion, or where a number takes the place of a function.
            assert cell.outputs[-1].output_type == "error"
        elif "right" in tags_of(cell):
            assert shown(cell)[0]["text/plain"].startswith("right")
        elif "answer" not in tags_of(cell):
            own.append(cell)
    for cell, before in zip(own, code_of(read(path)), strict=True):
        if "check" in tags_of(cell):
            assert shown(cell) == [{"text/plain": "not answered yet\n"}]
        if "varies" not in tags_of(cell):  # a measured time, or the size of a rounding error
            assert differing(cell, before) == [], f"{cell.id}: python {__file__} writes them anew"


if __name__ == "__main__":
    import nbformat

    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        metadata = notebook.metadata.copy()
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, Path(folder))
        notebook.metadata = metadata
        nbformat.write(notebook, path)
