"""Tests: a file for each module of the product, and laws over the whole table."""
