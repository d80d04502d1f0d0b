"""`Preparation`: from the cells of a table to the numbers that a network takes, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any, NamedTuple

from autograd import ChainruleError, missing_extra
from nn.arguments import listed
from nn.documents import StateError
from nn.state import notes_of
from nn.tables.columns import MOST_CATEGORIES, Column
from nn.tables.numerals import KINDS, Reader, Unreadable, is_missing

NOTHING = "(missing)"
"""The category of a word that is missing."""

RARE = 3
"""Words that occur less often are taken together, from 20 rows on."""


class UnreadableCellError(ChainruleError, ValueError):
    """A cell that is not what its column holds; the message names both."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A column that becomes one number.

    Attributes:
        fill: what stands in for a missing one: the median.
    """

    name: str
    reader: Reader
    fill: float

    @property
    def inputs(self) -> list[str]:
        """Names of the numbers that it becomes."""
        return [self.name]

    def encode(self, cell: str) -> list[float]:
        """Return the number that a cell becomes.

        Raises:
            UnreadableCellError: the cell is none.
        """
        try:
            x = self.reader.number(cell)
        except Unreadable:
            held = next(kind for kind, reader in KINDS.items() if type(self.reader) is reader)
            raise UnreadableCellError(
                f"{self.name} takes a {held}, such as {self.example}: got {cell!r:.60}"
            ) from None
        return [self.fill if math.isnan(x) else x]

    @property
    def example(self) -> str:
        """A cell that may stand in the column."""
        return self.reader.text(self.fill)

    def to_json(self) -> dict[str, Any]:
        """Return the column as plain data."""
        kind = next(kind for kind, reader in KINDS.items() if type(self.reader) is reader)
        return {"name": self.name, "kind": kind, **asdict(self.reader), "missing": self.fill}


@dataclass(frozen=True, slots=True)
class Category:
    """A column of words that becomes a 1 for the word that stands there and a 0 for each other.

    Attributes:
        words: that have a number of their own.
        rare: that share the last number.
    """

    name: str
    words: tuple[str, ...]
    rare: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[str]:
        """Names of the numbers that it becomes."""
        others = ["(others)"] if self.rare else []
        return [f"{self.name}={word}" for word in (*self.words, *others)]

    def encode(self, cell: str) -> list[float]:
        """Return the numbers that a cell becomes; all 0 for a word that was never seen."""
        word = self._word(cell)
        numbers = [float(word == each) for each in self.words]
        if self.rare:
            numbers.append(float(word not in self.words))
        return numbers

    @property
    def example(self) -> str:
        """A cell that may stand in the column."""
        return next((word for word in self.words if word != NOTHING), "")

    def is_known(self, cell: str) -> bool:
        """Return whether the word was seen in training."""
        return self._word(cell) in self.words or self._word(cell) in self.rare

    def _word(self, cell: str) -> str:
        word = cell.strip()
        return NOTHING if is_missing(word) and word not in (*self.words, *self.rare) else word

    def to_json(self) -> dict[str, Any]:
        """Return the column as plain data."""
        return {
            "name": self.name,
            "kind": "words",
            "words": list(self.words),
            "rare": list(self.rare),
        }


class Preparation(NamedTuple):
    """What is done with each column that is used, in the order of the table.

    The numbers come in two blocks: first those of quantities, then those of words.
    """

    columns: tuple[Quantity | Category, ...]

    @property
    def inputs(self) -> list[str]:
        """The names of all numbers."""
        return [name for column in self.in_blocks for name in column.inputs]

    @property
    def in_blocks(self) -> list[Quantity | Category]:
        """The columns in the order of the numbers that they become."""
        return sorted(self.columns, key=lambda column: isinstance(column, Category))

    def encode(self, cells: Mapping[str, str]) -> list[float]:
        """Return the numbers that the cells of a row become, given by column.

        Those of other columns are left out. "" is a cell whose content isn't known.

        Raises:
            UnreadableCellError: one is not what its column holds, or isn't there.
        """
        missing = [column.name for column in self.columns if column.name not in cells]
        if missing:
            raise UnreadableCellError(f"missing: {listed(missing)}; give '' for what isn't known")
        return [x for column in self.in_blocks for x in column.encode(str(cells[column.name]))]

    def unknown(self, cells: Mapping[str, str]) -> list[str]:
        """Return the columns whose words were never seen."""
        categories = [each for each in self.columns if isinstance(each, Category)]
        return [each.name for each in categories if not each.is_known(cells[each.name])]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the preparation as plain data."""
        return [column.to_json() for column in self.columns]

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Preparation:
        """Return the preparation in the file of a model that ``chainrule train`` made of a table.

        With it, ``nn.load(path).predict([preparation.encode(cells)])`` answers a row of the table:
        with a number or, of classes, with logits, in the order of ``notes_of(path)["classes"]``.

        Raises:
            StateError: the file is damaged, or its model takes no cells.
            FileNotFoundError: there is no file.
        """
        noted = notes_of(path).get("preparation")
        if noted is None:
            raise StateError(f"{path} was learnt from no table: give the model numbers as they are")
        try:
            return cls.from_json(noted)
        except (LookupError, AttributeError, TypeError, ValueError, OverflowError) as error:
            raise StateError(f"{path}: the notes are damaged: {error}") from None

    @classmethod
    def from_json(cls, given: Sequence[Mapping[str, Any]]) -> Preparation:
        """Return the preparation that plain data stands for.

        Raises:
            LookupError, TypeError, ValueError: it stands for none.
        """
        columns: list[Quantity | Category] = []
        for each in given:
            settings = dict(each)
            name, kind = settings.pop("name"), settings.pop("kind")
            if not isinstance(name, str):
                raise TypeError(f"{name!r:.40} is no name")
            if kind == "words":
                words, rare = settings["words"], settings["rare"]
                if not all(isinstance(word, str) for word in (*words, *rare)):
                    raise TypeError(f"the words of {name:.40} are none")
                columns.append(Category(name, tuple(words), tuple(rare)))
                continue
            fill = float(settings.pop("missing"))
            reader = KINDS[kind](**settings)
            if not math.isfinite(fill) or not all(
                isinstance(x, bool if key == "magnitudes" else str) for key, x in settings.items()
            ):
                raise ValueError(f"{name:.40} is damaged")
            reader.number(reader.text(fill))
            columns.append(Quantity(name, reader, fill))
        return cls(tuple(columns))


class Prepared(NamedTuple):
    """Rows of a table as numbers, with what made them.

    Attributes:
        inputs: an array, a row for each row of the table.
        means, deviations: of each number over the rows that were learnt from; 0 and 1 of words.
    """

    preparation: Preparation
    inputs: Any
    means: list[float]
    deviations: list[float]

    @property
    def standardized(self) -> Any:
        """The inputs as a network's first layer has them: an array."""
        return (self.inputs - self.means) / self.deviations


def prepare(columns: Sequence[Column], learnt: Sequence[int]) -> Prepared:
    """Return all rows as numbers, by what the rows that are learnt from are like.

    Args:
        learnt: the places of those rows: no other takes part in medians, means, categories.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        import numpy
        import pandas
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder, StandardScaler
    except ImportError as error:
        missing_extra("scikit-learn", "data", error)
    quantities = [i for i, column in enumerate(columns) if column.reader]
    words = [i for i, column in enumerate(columns) if not column.reader]
    values = [
        column.values if column.reader else column.values.replace("", NOTHING) for column in columns
    ]
    frame = pandas.concat(values, axis=1, keys=range(len(columns)))
    rare = max(RARE, len(learnt) // 200) if len(learnt) >= 20 else 1
    encoder = OneHotEncoder(
        min_frequency=rare,
        max_categories=MOST_CATEGORIES + 1,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    )
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    transformer = ColumnTransformer(
        [("quantities", imputer, quantities), ("words", encoder, words)]
    )
    transformer.fit(frame.iloc[list(learnt)])
    import warnings

    with warnings.catch_warnings(action="ignore"):  # of words never seen, which is said elsewhere
        inputs = numpy.asarray(transformer.transform(frame), dtype=float)
    made: list[Quantity | Category] = []
    fills = dict(zip(quantities, imputer_of(transformer), strict=True))
    for i, column in enumerate(columns):
        if column.reader:
            made.append(Quantity(column.name, column.reader, float(fills[i])))
        else:
            fitted = transformer.named_transformers_["words"]
            j = words.index(i)
            infrequent = fitted.infrequent_categories_[j]
            others = () if infrequent is None else tuple(map(str, infrequent))
            own = tuple(str(word) for word in fitted.categories_[j] if word not in others)
            made.append(Category(column.name, own, others))
    scaler = StandardScaler().fit(inputs[list(learnt)])
    many = len(quantities)
    means = [*scaler.mean_[:many].tolist(), *[0.0] * (inputs.shape[1] - many)]
    deviations = [*scaler.scale_[:many].tolist(), *[1.0] * (inputs.shape[1] - many)]
    return Prepared(Preparation(tuple(made)), inputs, means, deviations)


def imputer_of(transformer: Any) -> Sequence[float]:
    """Return the medians that a fitted transformer fills in."""
    fitted = transformer.named_transformers_["quantities"]
    return list(getattr(fitted, "statistics_", []))
