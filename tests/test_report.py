"""A report says what it was made of: verdicts, who is to blame, what does not fit the table."""

from __future__ import annotations

import pytest

from autograd import GradientError
from autograd.checking.culprit import Culprit
from autograd.checking.report import ROWS, InputCheck, Report
from autograd.checking.verdict import CONFIRMED, VERDICTS


def blame(position: int, slot: int = 0) -> Culprit:
    return Culprit("bad", slot, "x", "2 * x", position, f"bad(n{position})", "", 2.0, 1.0)


def check(verdict: str, culprit: Culprit | None = None, order: int | None = None) -> InputCheck:
    more = {} if order is None else {"order": order}
    return InputCheck(0, "x", 2.0, 1.0, 1e-9, 4e-9, verdict, culprit, **more)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_what_a_verdict_means_for_a_report(verdict: str) -> None:
    confirms = verdict in CONFIRMED
    report = Report((check(verdict),))
    assert report.ok is confirms
    if confirms:
        report.raise_if_wrong()
        report.raise_if_wrong(strict=True)
        return
    said = "disagrees with" if verdict == "wrong" else "no input could be confirmed"
    for strict in (False, True):
        with pytest.raises(GradientError, match=said):
            report.raise_if_wrong(strict=strict)
    mixed = Report((check("ok"), check(verdict)))
    assert not mixed.ok
    with pytest.raises(GradientError, match="disagrees" if verdict == "wrong" else "not every"):
        mixed.raise_if_wrong(strict=True)
    if verdict != "wrong":
        mixed.raise_if_wrong()
    Report(()).raise_if_wrong(strict=True)


def test_the_first_wrong_op_of_the_lowest_order_is_to_blame() -> None:
    first, second = check("wrong", blame(7)), check("wrong", blame(3, slot=1))
    other, higher = check("wrong", blame(3)), check("wrong", blame(1), order=2)
    assert first.order == 1
    report = Report((higher, first, second, other))
    assert report.culprit == report.blamed == other.culprit
    report = Report((higher,))
    assert report.culprit == higher.culprit
    assert report.blamed is None  # which is no op of f itself
    report = Report((check("ok"), higher))
    assert report.blamed is None
    assert Report((check("ok"),)).culprit is None


def test_a_long_table_has_what_is_wrong_and_counts_the_rest() -> None:
    checks = [check("ok")] * ROWS + [check("noise"), check("wrong"), check("undefined")]
    lines = str(Report(tuple(checks))).splitlines()
    assert [line.split()[-1] for line in lines[1:5]] == ["wrong", "noise", "undefined", "ok"]
    assert "and 3 more: 3 ok" in lines
    checks = [check("kink")] * (ROWS + 1) + [check("wrong")]
    assert "and 2 more: 2 kink" in str(Report(tuple(checks))).splitlines()
    assert str(Report((check("ok", order=2),))).splitlines()[1].startswith("x, order 2 ")
    assert str(Report((check("ok"),))).splitlines()[1].startswith("x  ")
