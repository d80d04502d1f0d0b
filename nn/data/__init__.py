"""Data sets to learn from, and what prepares them: a pair of inputs and targets throughout.

`moons`, `circles`, `spirals` and `xor` are made; `digits`, `iris` and `breast_cancer` come
with scikit-learn (the extra ``data``); `nn.tables` reads files, `characters` reads texts.
"""

from nn.data.bundled import breast_cancer, digits, iris
from nn.data.partition import batches, train_test_split
from nn.data.points import Data, Inputs, circles, moons, spirals, xor
from nn.data.standardizer import Standardizer
from nn.text import characters

__all__ = [
    "Data",
    "Inputs",
    "Standardizer",
    "batches",
    "breast_cancer",
    "characters",
    "circles",
    "digits",
    "iris",
    "moons",
    "spirals",
    "train_test_split",
    "xor",
]
