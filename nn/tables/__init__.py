"""Anybody's tables: read by pandas, understood, and prepared by scikit-learn."""

from nn.tables.table import Table, read

__all__ = ["Table", "read"]
