"""Anybody's tables: read by pandas, understood, and prepared by scikit-learn."""

from nn.tables.preparation import Preparation
from nn.tables.table import Table, read

__all__ = ["Preparation", "Table", "read"]
