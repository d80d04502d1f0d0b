"""Which numbers are those of a format, which lie in steps of a function's own, and which may be."""

from __future__ import annotations

import math

import pytest

from autograd.checking.precision import bits, kind_of_steps, length_of, multiples

BRAIN = [1.0 + k / 128 for k in range(1, 128, 2)]
"""Numbers that need all of the 8 bits of bfloat16."""


def test_the_shortest_format_that_has_all_numbers() -> None:
    assert [length_of([1.0, 1.0 + 2.0**-k]) for k in (7, 8, 10, 11, 23, 24)] == [
        8,
        11,
        11,
        24,
        24,
        0,
    ]
    assert length_of([0.0, -0.0]) == length_of([]) == 8
    assert [bits(x) for x in (0.0, -6.0, 255 * 2.0**-1000)] == [0, 2, 8]


def test_numbers_of_many_sizes_with_no_smaller_steps_than_those_of_a_format_are_of_it() -> None:
    """Two of two hundred fell on steps eight times as wide: by chance, once in 64 times."""
    assert kind_of_steps([*BRAIN[:2], *[8 * x for x in BRAIN[:2]]]) == "format"
    assert kind_of_steps([*BRAIN[:2], *[4 * x for x in BRAIN[:2]]]) == "unclear"
    assert (
        kind_of_steps([0.1 * x for x in (1.5, 0.0078125, 3.015625, 200.0, 0.3359375)]) == "format"
    )


def test_numbers_too_few_to_tell_and_those_that_may_be_terms_of_a_format_are_unclear() -> None:
    for few in ([], [0.0], [1.5, 2.5, -1.5], [0.1, 0.2, 0.3]):
        assert kind_of_steps(few) == "unclear"
    for close in (BRAIN[:5], [math.pi, math.e, 1 / 3, 0.7]):
        assert kind_of_steps(close) == "unclear"


@pytest.mark.parametrize("unit", [1.0, 0.1, 1 / 300])
def test_steps_as_wide_for_small_numbers_as_for_large_ones_are_a_function_s_own(
    unit: float,
) -> None:
    assert kind_of_steps([unit * k for k in (1, 2, 3, 5, 8, 13)]) == "own"
    assert kind_of_steps([*map(float, range(1, 10)), 2.0**26 + 1]) == "own"


def test_multiples_are_whole_numbers_of_one_step() -> None:
    assert multiples([0.7, 0.2, 1.1]) == [7.0, 2.0, 11.0]
    assert multiples([2.0]) == [1.0]
    assert multiples([1.0, math.pi, math.e]) == []
