"""How numbers, dates and yes or no are written in the cells of a column: `Reader`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MISSING = frozenset(
    " na n/a n.a. nan -nan null <na> nil ? - -- --- . #n/a #na #null! #div/0! #value! #ref! #num!"
    " #name?".split(" ")
)
"""What stands for no answer, in small letters."""

NO_NUMBERS = frozenset(
    "none|missing|unknown|not available|no data|nd|n.d.|inf|-inf|+inf|infinity|-infinity"
    "|undefined|error|*|**|x|..|...|tbd|blank".split("|")
)
"""What stands for no answer among numbers, in small letters; elsewhere it may be a word."""

CURRENCIES = frozenset("$ € £ ¥ ₹ us$ usd eur gbp chf jpy inr cad aud rs rs. kr".split())

MAGNITUDES = {
    **dict.fromkeys(("k", "thousand"), 1e3),
    **dict.fromkeys(("lac", "lakh"), 1e5),
    **dict.fromkeys(("m", "mn", "million"), 1e6),
    **dict.fromkeys(("cr", "crore"), 1e7),
    **dict.fromkeys(("b", "bn", "billion"), 1e9),
}
"""What stands behind a number in place of its noughts, in small letters."""

NUMBER = r"\d[\d.,'’\s]*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?"
CELL = re.compile(
    rf"(?P<open>\()?(?P<sign>[+-]?)(?P<before>(?:[^\d\s+\-.,()]+\.?)?)\s*(?P<minus>-?)"
    rf"(?P<number>{NUMBER})\s*(?P<after>[^\d\s()][^\d()]*)?(?P<close>\))?",
    re.IGNORECASE,
)
PLAIN = {
    ".": re.compile(r"(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE),
    ",": re.compile(r"(\d+,?\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE),
}
GROUPED = {
    ".": re.compile(r"\d{1,3}([,'’\s]\d{2,3})*[,'’\s]\d{3}(\.\d*)?"),
    ",": re.compile(r"\d{1,3}([.'’\s]\d{3})+(,\d*)?"),
}
"""By the decimal mark, numbers without and with marks between thousands."""

DATES = [
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y-%m"),
    *("%Y.%m.%d", "%Y年%m月%d日"),
    *(
        "%d-%b-%Y",
        "%b-%d-%Y",
        "%d-%b-%y",
        "%d %b %Y",
        "%d %B %Y",
        "%b %d, %Y",
        "%B %d, %Y",
        "%b %d %Y",
        "%A, %B %d, %Y",
    ),
    *("%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y"),
]
TIMES = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"]
STAMPS = ["%a %b %d %H:%M:%S %z %Y", "%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z"]
"""Points in time as services and servers write them."""

ISO, QUARTER = "YYYY-MM-DD", "YYYYQn"

TIME = re.compile(
    r"(?:(\d+) days?,? )?(\d{1,4}):([0-5]\d)(?::([0-5]\d(?:\.\d*)?))?(?:\s*([ap])\.?m\.?)?"
)
"""Days, hours, minutes and seconds; and which half of the day, if it is said."""

MOST_TRIED = 1000
"""Cells on which the ways to read a column are tried."""

FLAGS = [("no", "yes"), ("false", "true"), ("n", "y"), ("f", "t"), ("off", "on")]


class Unreadable(ValueError):
    """A cell that is neither missing nor what its column holds."""


@dataclass(frozen=True, slots=True)
class Numerals:
    """Numbers with their decimal mark, and the currency or unit around all of them.

    Attributes:
        magnitudes: whether a letter or word behind a number is a factor: 1.2M, 300K.
    """

    decimal: str = "."
    before: str = ""
    after: str = ""
    magnitudes: bool = False

    def number(self, text: str) -> float:
        """Return the number in a cell, nan for none.

        Raises:
            Unreadable: it is something else.

        >>> Numerals(",", after="%").number("-1.234,5 %")
        -1234.5
        >>> Numerals(before="$").number("($12)")
        -12.0
        >>> Numerals(before="€", magnitudes=True).number("€1.5M")
        1500000.0
        """
        if is_missing(text):
            return math.nan
        cell = parts_of(text)
        if not cell or bool(cell["open"]) != bool(cell["close"]):
            raise Unreadable(text)
        before, after = cell["before"] or "", (cell["after"] or "").strip()
        digits = cell["number"].strip()
        factor = factor_of(after, before) if self.magnitudes else None
        if before not in ("", self.before) or (after not in ("", self.after) and not factor):
            raise Unreadable(text)
        if PLAIN[self.decimal].fullmatch(digits):
            x = float(digits.replace(self.decimal, "."))
        elif GROUPED[self.decimal].fullmatch(digits):
            kept = "".join(c for c in digits if c.isdigit() or c == self.decimal)
            x = float(kept.replace(self.decimal, "."))
        else:
            raise Unreadable(text)
        x *= factor or 1.0
        if not math.isfinite(x):
            raise Unreadable(text)
        is_negative = "-" in (cell["sign"], cell["minus"]) or bool(cell["open"])
        return -x if is_negative else x

    def text(self, x: float) -> str:
        """Return a number as it is written in the column, to six digits."""
        return f"{x:.6g}".replace(".", self.decimal)

    @property
    def unit(self) -> str:
        """What the numbers are of: "$", "%", or nothing."""
        return self.before or self.after


@dataclass(frozen=True, slots=True)
class Dates:
    """Points in time, written in one format, as days since 1970."""

    format: str = ISO

    def number(self, text: str) -> float:
        """Return the days since the beginning of 1970, UTC where nothing else is said.

        Raises:
            Unreadable: it is no date in this format.

        >>> Dates().number("1970-01-02T12:00:00"), Dates("%d.%m.%Y").number("3.1.1970")
        (1.5, 2.0)
        >>> Dates("YYYYQn").number("1970-Q2")
        90.0
        """
        if is_missing(text):
            return math.nan
        try:
            if self.format == ISO:
                time = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
            elif self.format == QUARTER:
                year, quarter = re.split(r"[-: ]?q", text.strip().lower())
                time = datetime(int(year), 3 * int(quarter) - 2, 1)
            else:
                time = datetime.strptime(text.strip(), self.format)
        except ValueError:
            raise Unreadable(text) from None
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() / 86400

    def text(self, x: float) -> str:
        """Return a day as it is written in the column."""
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=x)
        if self.format == QUARTER:
            return f"{day.year}Q{(day.month + 2) // 3}"
        if self.format != ISO:
            return day.strftime(self.format)
        return day.replace(tzinfo=None).isoformat() if x % 1 else day.date().isoformat()


@dataclass(frozen=True, slots=True)
class Flags:
    """Yes or no, true or false, as 1 and 0."""

    no: str = "no"
    yes: str = "yes"

    def number(self, text: str) -> float:
        """Return 1 for yes, 0 for no, nan for neither.

        Raises:
            Unreadable: it is another word.
        """
        word = text.strip().lower()
        if word in (self.no, self.yes):
            return float(word == self.yes)
        if is_missing(text):
            return math.nan
        raise Unreadable(text)

    def text(self, x: float) -> str:
        """Return the nearer of the two words."""
        return self.yes if x > 0.5 else self.no


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of the day, and how long something takes, as hours."""

    def number(self, text: str) -> float:
        """Return the hours, nan for none.

        Raises:
            Unreadable: it is no time.

        >>> Clock().number("9:30"), Clock().number("1:30:36"), Clock().number("12:15 pm")
        (9.5, 1.51, 12.25)
        >>> Clock().number("2 days 01:30:00")
        49.5
        """
        if is_missing(text):
            return math.nan
        found = TIME.fullmatch(text.strip().lower())
        if not found:
            raise Unreadable(text)
        days, hours, minutes, seconds, half = found.groups()
        whole = int(hours) % 12 + 12 * (half[0] == "p") if half else int(hours)
        return 24 * int(days or 0) + whole + int(minutes) / 60 + float(seconds or 0) / 3600

    def text(self, x: float) -> str:
        """Return a time as hours and minutes, and seconds if there are any.

        >>> Clock().text(9.5), Clock().text(1.51)
        ('9:30', '1:30:36')
        """
        minutes, seconds = divmod(round(3600 * x), 60)
        return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")


Reader = Numerals | Dates | Flags | Clock

KINDS: dict[str, type[Any]] = {
    "number": Numerals,
    "date": Dates,
    "yes or no": Flags,
    "time": Clock,
}
"""By what a column holds, what reads it."""


def is_missing(text: str) -> bool:
    """Return whether a cell stands for no answer."""
    return text.strip().lower() in MISSING


def factor_of(after: str, currency: str) -> float | None:
    """Return which factor stands behind a number; None if it is none.

    >>> factor_of("K", ""), factor_of("m", "$"), factor_of("m", "")
    (1000.0, 1000000.0, None)
    """
    # 100m and 5b without a currency are metres and a house.
    return None if after in ("m", "b") and not currency else MAGNITUDES.get(after.lower())


def parts_of(text: str) -> re.Match[str] | None:
    """Return sign, number and what stands around it; None if there is no number in a cell."""
    # A mark of a footnote, or of significance, says nothing about the number.
    return CELL.fullmatch(text.strip().rstrip("*†‡").replace("−", "-"))


def decimal_of(cells: Sequence[str]) -> str:
    """Return the decimal mark of a file: a comma only if more cells ask for it than for a point.

    >>> decimal_of(["1,5", "1.234,5", "1,234"])
    ','
    >>> decimal_of(["1,234", "0.5"])
    '.'
    """
    votes = Counter[str]()
    for cell in cells:
        number = parts_of(cell)
        digits = number["number"].strip() if number else ""
        for mark, other in ((",", "."), (".", ",")):
            reads = PLAIN[mark].fullmatch(digits) or GROUPED[mark].fullmatch(digits)
            if reads and mark in digits and not GROUPED[other].fullmatch(digits):
                votes[mark] += 1
    return "," if votes[","] > votes["."] else "."


def reader_of(cells: Sequence[str], decimal: str) -> Reader | None:
    """Return what reads most of some cells, none of them missing.

    Args:
        cells: different from each other.
        decimal: the mark that is tried first.
    """
    words = {cell.lower() for cell in cells}
    for no, yes in FLAGS:
        if words == {no, yes}:
            return Flags(no, yes)
    found = [cell for cell in map(parts_of, cells[:MOST_TRIED]) if cell]
    marks = Counter((cell["before"] or "").strip() for cell in found)
    units = Counter((cell["after"] or "").strip() for cell in found)
    before = max(marks, key=lambda mark: (marks[mark], mark), default="")
    after = max(units, key=lambda unit: (units[unit], unit), default="")
    tried: list[Reader] = []
    if before == "" or before.lower() in CURRENCIES:
        marks_of_decimals = (decimal, "," if decimal == "." else ".")
        # A letter alone may be a unit, unless it is of money.
        if sum(factor_of(unit, before) is not None for unit in units) > (not before):
            tried += [Numerals(mark, before, "", True) for mark in marks_of_decimals]
        tried += [Numerals(mark, before, after) for mark in marks_of_decimals]
    if TIME.fullmatch(cells[0].lower()):
        tried.append(Clock())
    elif _may_be_dates(cells[0]):
        sample = cells[:50]
        written = [*(day + time for day in DATES for time in TIMES), *STAMPS]
        tried += [
            dates
            for dates in map(Dates, [ISO, QUARTER, *written])
            # The first three decide most formats: more may not fail of fifty.
            if unreadable(dates, sample[:3]) < len(sample[:3])
            and unreadable(dates, sample) <= len(sample) / 20
        ]
    sample = cells[:: max(1, len(cells) // MOST_TRIED)]
    failures = [(unreadable(reader, sample), i) for i, reader in enumerate(tried)]
    least, i = min(failures, default=(len(sample), 0))
    if least >= len(sample) / 2:
        return None
    swapped = swapped_of(tried[i])
    # The first of each month, unless all are in January.
    if swapped in tried and all(re.match(r"0?1/", cell) for cell in sample):
        return swapped if unreadable(swapped, sample) <= least else tried[i]
    return tried[i]


def swapped_of(reader: Reader) -> Dates | None:
    """Return dates with the day first, of those with the month first."""
    if isinstance(reader, Dates) and reader.format.startswith("%m/%d"):
        return Dates(reader.format.replace("%m/%d", "%d/%m"))
    return None


def unreadable(reader: Reader, cells: Sequence[str]) -> int:
    """Return how many cells the reader can't read."""
    failed = 0
    for cell in cells:
        try:
            reader.number(cell)
        except Unreadable:
            failed += 1
    return failed


def _may_be_dates(cell: str) -> bool:
    marks = re.search(r"\d[-/.:,\s年]|[a-z]", cell, re.IGNORECASE)
    return bool(marks and re.search(r"\d", cell)) and len(cell) < 40
