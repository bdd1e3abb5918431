"""Somebody who forgets nothing and adds up everything.

A published table is a sum over responses, each with a coefficient. Two responses that stand with
the same coefficient in every table ever published can be told apart by nothing that is computed
from them; those that differ in one table can, by that table. So the finest groups that any
combination of tables isolates, by however many colluding readers, are the classes of responses
whose columns are equal. The attack succeeds where such a class has fewer than ``K`` members.

A table is written as one whole number: response ``i`` stands in it with the coefficient that is its
``i``-th octal digit (−4 to 3), so that the product's own sums and differences carry it along.
"""

from __future__ import annotations

from collections.abc import Iterable

BITS = 3


def weight(response: int) -> int:
    """The table that holds this response alone, once."""
    return 1 << BITS * response


def table(responses: Iterable[int]) -> int:
    """The table that holds each of these responses once."""
    return sum(weight(response) for response in responses)


class Attacker:
    """Keeps the classes of the responses that tables have touched, as sets of bits."""

    def __init__(self, responses: int) -> None:
        """For at most so many responses."""
        self.ones = table(range(responses))
        self.untouched = self.ones
        self.classes: list[int] = []
        self.seen: set[int] = set()

    def read(self, published: int) -> None:
        """Take one more table into account; ValueError if it is no sum over the responses."""
        if published in self.seen:
            return
        self.seen.add(published)
        zero = self.ones << BITS - 1
        digits = (published + zero) ^ zero  # of each response: 0 where its coefficient is 0
        if digits < 0 or digits.bit_length() > self.ones.bit_length() + BITS - 1:
            raise ValueError("a table counts responses that nobody gave")
        for bit in range(BITS):
            self._split(digits >> bit & self.ones)

    def _split(self, by: int) -> None:
        classes = []
        for members in (*self.classes, self.untouched & by):
            inside = members & by
            if inside:
                classes.append(inside)
            if inside != members:
                classes.append(members ^ inside)
        self.classes = classes
        self.untouched &= ~by

    @property
    def smallest(self) -> int | None:
        """The size of the smallest group that can be isolated; None before the first table."""
        return min((members.bit_count() for members in self.classes), default=None)

    def succeeds(self, k: int) -> bool:
        return self.smallest is not None and self.smallest < k
