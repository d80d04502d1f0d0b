"""The cells of a table for a model that is exported: what they mean, and how they are prepared.

As `nn.tables` prepares them, but that numbers, dates and flags come as numbers, not as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autograd.compiler.headers import written

if TYPE_CHECKING:
    from autograd.compiler.exchange import Measured, Worded
    from nn.tables.preparation import Category, Preparation


def meanings(preparation: Preparation) -> Iterator[tuple[str, str]]:
    """Yield for each column its name, and what its cells are."""
    from nn.tables.numerals import Clock, Dates
    from nn.tables.preparation import Category

    for column in preparation.columns:
        if isinstance(column, Category):
            yield column.name, f"one of {', '.join(column.words)}; or another word"
            continue
        number, text = f"{column.fill:.6g}", column.reader.text(column.fill)
        of = {Dates: " of days since 1970", Clock: " of hours"}.get(type(column.reader), "")
        yield column.name, f"a number{of}{f' ({number} is {text})' if text != number else ''}"


def prepared_in_c(preparation: Preparation, name: str, real: str) -> Iterator[str]:
    """Yield the function from the cells of a table's row, as numbers, to the model's inputs."""
    from nn.tables.preparation import Category

    places = {id(column): i for i, column in enumerate(preparation.columns)}
    yield "/* cells, one for each column:"
    told = [means for _, means in meanings(preparation)]
    for i, column in enumerate(preparation.columns):
        if isinstance(column, Category):
            words = ", ".join(f"{k} {comment(word)}" for k, word in enumerate(column.words))
            yield f"     {i} {comment(column.name)}: {words}; -1 another"
        else:
            yield f"     {i} {comment(column.name)}: {comment(told[i])}, NAN if it isn't known"
    yield "*/"
    yield f"#define {name.upper()}_CELLS {len(preparation.columns)}\n"
    kind = f"{name}_real"
    yield f"static inline void {name}_prepare(const {kind} *cells, {kind} *x)\n{{"
    j = 0
    for column in preparation.in_blocks:
        cell = f"cells[{places[id(column)]}]"
        if not isinstance(column, Category):
            yield f"    x[{j}] = {cell} == {cell} ? {cell} : {written(column.fill, real)};"
            j += 1
            continue
        for k in range(len(column.words)):
            yield f"    x[{j + k}] = {cell} == {k};"
        if column.rare:
            many = len(column.words)
            yield f"    x[{j + many}] = !({cell} >= 0 && {cell} < {many});"
        j += len(column.inputs)
    yield "}\n"


PREPARE = """

def prepare(cells):
    x = []
    for name, (words, others) in columns.items():
        cell = cells[name]
        is_missing = cell is None or cell != cell or str(cell).strip().lower() in missing
        if words is None:
            x.append(others if is_missing else float(cell))
            continue
        word = "" if cell is None else str(cell).strip()
        if is_missing and word not in seen[name]:
            word = {nothing!r}
        x += [float(word == each) for each in words]
        if others:
            x.append(float(word not in words))
    return x
"""


def prepared_in_python(preparation: Preparation) -> str:
    """Return the Python function from the cells of a row to a model's inputs."""
    from nn.tables.numerals import MISSING
    from nn.tables.preparation import NOTHING, Category

    columns: dict[str, Any] = {}
    seen = {}
    for column in preparation.in_blocks:
        if isinstance(column, Category):
            columns[column.name] = (column.words, bool(column.rare))
            seen[column.name] = (*column.words, *column.rare)
        else:
            columns[column.name] = (None, column.fill)
    lines = ["", "# prepare(cells) makes the inputs of a dict of cells by column:"]
    for name, means in meanings(preparation):
        unknown = "" if name in seen else "; None if it isn't known"
        lines.append(f"#   {comment(name)}: {comment(means)}{unknown}")
    lines += ["columns = {", *(f"    {name!r}: {known!r}," for name, known in columns.items()), "}"]
    lines += [f"seen = {seen!r}", f"missing = {tuple(sorted(MISSING))!r}", ""]
    return "\n".join(lines) + PREPARE.format(nothing=NOTHING)


def columns_of(preparation: Preparation) -> list[Measured | Worded]:
    """Return the columns as ONNX models take them, in the order of a model's inputs."""
    from autograd.compiler.exchange import Measured, Worded
    from nn.tables.preparation import Category

    return [
        Worded(column.name, places_of(column), len(column.inputs), len(column.words))
        if isinstance(column, Category)
        else Measured(column.name, column.fill)
        for column in preparation.in_blocks
    ]


def places_of(column: Category) -> dict[str, int]:
    """Return the place of each word; what stands for no answer is written in several ways."""
    from nn.tables.numerals import MISSING
    from nn.tables.preparation import NOTHING

    places = {word: i for i, word in enumerate(column.words)}
    if NOTHING in places:
        for mark in sorted(MISSING):
            for way in (mark, mark.upper(), mark.title(), mark.capitalize(), "NaN"):
                if way not in column.rare:
                    places.setdefault(way, places[NOTHING])
    return places


def comment(text: str) -> str:
    """Return text that stands in a comment, on one line."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")
