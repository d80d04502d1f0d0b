"""`is_table`: whether a file of text plainly holds a table, whatever it is called."""

from __future__ import annotations

from nn.tables.dialect import CONSISTENT, SAMPLE, cells_of, dialect_of, separator_of
from nn.tables.header import is_number
from nn.tables.numerals import is_missing

LEAST_LINES = 3
"""Lines that a table has at least, the names of its columns among them."""


def is_table(lines: list[str]) -> bool:
    """Return whether lines plainly are a table rather than a text.

    They are if a separator stands in nearly each as often. A comma does in a list of names, too,
    and blanks in a text of so many words a line: these ask for columns of numbers.

    >>> is_table(["a;b", "c;d", "e;f"]), is_table(["Poe, Edgar", "Kafka, Franz", "Eco, U."])
    (True, False)
    """
    sample = [line for line in lines if line.strip() and line[0] not in "#%"][:SAMPLE]
    separator = separator_of(sample)
    dialect = dialect_of(sample, separator)
    records = cells_of(sample[dialect.above :], separator)
    if dialect.width < 2 or len(records) < LEAST_LINES:
        return False
    if sum(len(record) == dialect.width for record in records[1:]) < CONSISTENT * len(records[1:]):
        return False
    whole = [record for record in records[1:] if len(record) == dialect.width]
    numbers = [
        sum(is_number(cell) or is_missing(cell) for cell in column) >= CONSISTENT * len(whole)
        for column in zip(*whole, strict=True)
        if any(map(is_number, column))
    ]
    least = dialect.width / 2 if separator == " " else 1
    has_numbers = sum(numbers) >= least
    is_list = separator == "," and dialect.width > 2 and len(records) >= 2 * LEAST_LINES
    return has_numbers or separator in "\t;|" or (is_list and not _are_sentences(sample))


def _are_sentences(lines: list[str]) -> bool:
    """Return whether a blank follows upon most commas, as in sentences."""
    text = "\n".join(lines)
    return text.count(", ") > text.count(",") / 2
