"""`Patience`: how often code may be made anew while it is used."""

from __future__ import annotations


class Patience:
    """How often code may be made anew: a few times, and then as often as it has paid.

    Args:
        price: samples that it must have been used for, to pay.
    """

    FIRST = 3
    """So many times are free, as of a change at the beginning that is the last one."""

    def __init__(self, price: float) -> None:
        self.price = price
        self.left = self.FIRST * price

    def note(self, samples: int) -> None:
        """Note for how many more samples code has been used."""
        self.left += samples

    def takes_one(self) -> bool:
        """Return whether code may be made once more, and count that.

        >>> patience = Patience(100)
        >>> [patience.takes_one() for _ in range(4)]
        [True, True, True, False]
        >>> patience.note(100)
        >>> patience.takes_one()
        True
        """
        if self.left < self.price:
            return False
        self.left -= self.price
        return True
