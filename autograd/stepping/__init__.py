"""A recorded backward pass and the questions one asks of it: why, what if, where, what next."""
