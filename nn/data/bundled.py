"""Data sets that come with scikit-learn (the extra ``data``): digits, iris and breast cancer."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

from autograd import missing_extra
from nn.data.points import Data


def digits() -> Data:
    """Return 1,797 images of handwritten digits: 64 numbers from 0 to 1 each, and the digit.

    Source: Alpaydin & Kaynak 1998, UCI; as scikit-learn has it, the pixels divided by 16.
    """
    inputs, labels = _bundled("digits")
    return [[x / 16 for x in row] for row in inputs], labels


def iris() -> Data:
    """Return 150 irises: four lengths in cm, and the species 0, 1 or 2.

    Source: Fisher 1936; as scikit-learn has it.
    """
    return _bundled("iris")


def breast_cancer() -> Data:
    """Return 569 tumours: 30 measurements, and 0 for malignant, 1 for benign.

    Source: Wolberg, Street & Mangasarian 1995, UCI; as scikit-learn has it. The measurements
    are of very different size: use a `Standardizer`.
    """
    return _bundled("breast_cancer")


def _bundled(name: str) -> Data:
    """Return a data set that comes with scikit-learn.

    Its file is read without importing scikit-learn, which takes longer than to train on it.
    """
    place = find_spec("sklearn")
    folder = Path(place.origin).parent / "datasets" / "data" if place and place.origin else Path()
    for path, opener in ((folder / f"{name}.csv", open), (folder / f"{name}.csv.gz", gzip.open)):
        if path.is_file():
            with opener(path, "rt", encoding="ascii") as file:
                rows = [row for row in map(_numbers, file) if row]
            return [row[:-1] for row in rows], [int(row[-1]) for row in rows]
    try:
        from sklearn import datasets
    except ImportError as error:
        missing_extra("scikit-learn", "data", error)
    found, places = getattr(datasets, f"load_{name}")(return_X_y=True)
    return found.astype(float).tolist(), places.astype(int).tolist()


def _numbers(line: str) -> list[float]:
    """Return the numbers of a line; none of the first one, which names the classes."""
    try:
        return list(map(float, line.split(",")))
    except ValueError:
        return []
