"""The ledger accounts for every gradient to the last bit, however many paths there are."""

import itertools
import math

import pytest
from hypothesis import given, settings

from autograd import DomainError, Stepper, Value, scope, tanh
from autograd.stepping.ledger import CANCELLED, PATH_NAMES, Ledger, _short
from autograd.testing.strategies import expressions


@settings(max_examples=25)
@given(expressions())
def test_entries_add_up_to_the_adjoint_bit_for_bit(program) -> None:
    values = program.values()
    root = values[-1]
    try:
        root.backward()
    except DomainError:
        return
    stepper = Stepper(root)
    for node in stepper.recording.nodes:
        ledger = stepper.why(node)
        running = 0.0
        for entry in ledger.entries:
            assert entry.product == entry.upstream * entry.local
            running += entry.product
            assert entry.total == running
        if node is not root:
            assert running == ledger.adjoint == node.grad


@pytest.mark.long
@given(expressions())
def test_heaviest_paths_against_enumeration(program) -> None:
    root = program.values()[-1]
    try:
        stepper = Stepper(root)
    except DomainError:
        return
    recording = stepper.recording
    for node in recording.nodes[:2]:
        sizes: list[float] = []

        def walk(at: Value, product: float, sizes: list[float] = sizes) -> None:
            if len(sizes) > 200:
                return
            if at is root:
                sizes.append(abs(product))
            for index in recording.incoming[at]:
                step = recording.step(index)
                walk(step.node, product * step.local, sizes)

        walk(node, 1.0)
        if len(sizes) > 200:
            continue
        found = [abs(path.product) for path in stepper.why(node, heaviest=3).paths]
        # A few dozen roundings in another order.
        assert found == pytest.approx(sorted(sizes, reverse=True)[:3], rel=1e-12)


def test_the_shares_of_all_paths_add_up_to_one() -> None:
    x = Value(0.3, "x")
    h = tanh(x * 2) + x * x
    ledger = Stepper(h * h).why(x, heaviest=100)
    assert len(ledger.paths) == 6
    assert sum(path.share for path in ledger.paths) == pytest.approx(1.0, rel=1e-14)
    assert all(
        (path.nodes[0], path.nodes[-1]) == (ledger.recording.root, x) for path in ledger.paths
    )


def test_exponentially_many_paths() -> None:
    x = y = Value(1.0, "x")
    for _ in range(60):
        y = y + y
    ledger = Stepper(y).why(x)
    assert ledger.adjoint == 2.0**60
    assert [path.product for path in ledger.paths] == [1.0, 1.0, 1.0]
    assert "... 49 more ..." in str(ledger)


def test_printed_ledger() -> None:
    x = Value(3.0, "x")
    y = x * x + 2 * x
    y.label = "y"
    assert str(Stepper(y).why(x)).splitlines() == [
        "d y/d x = 8.0",
        "  via n2  d y/d n2 * (2)  = 1.0 * 2.0  = 2.0",
        "  via n1  d y/d n1 * (x)  = 1.0 * 3.0  = 3.0",
        "  via n1  d y/d n1 * (x)  = 1.0 * 3.0  = 3.0",
        "heaviest paths",
        "  y > n1 > x   3.0   37.5 %",
        "  y > n1 > x   3.0   37.5 %",
        "  y > n2 > x   2.0   25 %",
    ]
    assert "the seed" in str(Stepper(y).why(y))


def test_cancellation_is_pointed_out() -> None:
    x = Value(1.0, "x")
    y = x * 1e9 - x * (1e9 - 1e-3)
    ledger = Stepper(y).why(x)
    assert ledger.cancels
    assert "cancel almost wholly" in str(ledger)
    assert not Stepper(x * 2 - x).why(x).cancels


def test_contributions_of_both_signs_have_no_printed_shares() -> None:
    x = Value(3.0, "x")
    ledger = Stepper(x * x - 5 * x).why(x)
    assert [path.share for path in ledger.paths] == [-5.0, 3.0, 3.0]
    assert not ledger.has_shares
    assert "%" not in str(ledger)
    assert Stepper(5 * x - x * 2 + x * x).why(x).has_shares is False
    assert Stepper(-x * x).why(x).has_shares


def test_a_ledger_names_scopes_and_has_no_negative_zero() -> None:
    w = Value(-1.0, "layers.0.w")
    losses = []
    for i in range(2):
        with scope(f"samples.{i}.layers.0"):
            losses.append((w * (i + 1.0)).relu())
    printed = str(Stepper(-(losses[0] + losses[1])).why(w))
    assert "   samples.0.layers.0" in printed
    assert "   samples.1.layers.0" in printed
    assert "-0.0" not in printed


def test_a_path_that_carries_nothing_has_no_negative_share() -> None:
    x = Value(2.0, "x")
    text = str(Stepper(x * 0.0 + x * -3.0).why(x))
    assert [line.split("   ")[-1] for line in text.splitlines()[-2:]] == ["100 %", "0 %"]


def test_zero_gradients_have_no_shares() -> None:
    x = Value(-1.0, "x")
    ledger = Stepper(x.relu() * 2).why(x)
    assert ledger.adjoint == 0.0
    assert all(math.isnan(path.share) for path in ledger.paths)
    assert "%" not in str(ledger)


def test_a_seed_scales_every_path_and_leaves_the_shares() -> None:
    x = Value(3.0, "x")
    paths = Stepper(x * x + 2 * x, seed=-0.5).why(x).paths
    assert [(path.product, path.share) for path in paths] == [
        (-1.5, 0.375),
        (-1.5, 0.375),
        (-1.0, 0.25),
    ]


def test_the_root_has_one_path_of_one_node_and_prints_none() -> None:
    y = Value(3.0) * 2
    ledger = Stepper(y, seed=4.0).why(y)
    assert [(path.nodes, path.product, path.share) for path in ledger.paths] == [((y,), 4.0, 1.0)]
    assert str(ledger).splitlines() == [
        "d n1/d n1 = 4.0",
        "  the seed: this is where the backward pass starts",
    ]


@pytest.mark.parametrize("length", [PATH_NAMES, PATH_NAMES + 1])
def test_the_middle_of_a_long_path_is_counted(length: int) -> None:
    x = y = Value(1.0, "x")
    for _ in range(length - 1):
        y = -y
    y.label = "y"
    printed = str(Stepper(y).why(x)).splitlines()[-1].split("   ")[0].strip().split(" > ")
    assert (printed[0], printed[-1]) == ("y", "x")
    assert [name for name in printed if "more" in name] == (
        ["... 1 more ..."] if length > PATH_NAMES else []
    )
    assert len(printed) == length


@pytest.mark.parametrize(("left", "warned"), [(CANCELLED / 2, True), (CANCELLED * 2, False)])
def test_what_counts_as_cancelled(left: float, warned: bool) -> None:
    x = Value(1.0, "x")
    # The contributions are 1 + 2 left and -1: their size is about 2, the rest of it 2 left.
    assert Stepper(x * (1 + 2 * left) - x).why(x).cancels is warned
    assert not Stepper(x * left).why(x).cancels


@pytest.mark.long
def test_deep_paths_neither_overflow_nor_recurse() -> None:
    x = y = Value(1.0, "x")
    for factor in itertools.islice(itertools.cycle([1e100, 1e-100]), 20_000):
        y = y * factor
    (path,) = Stepper(y).why(x).paths
    assert len(path.nodes) == 20_001
    assert path.product == pytest.approx(1.0, rel=1e-9)


def test_a_stranger_is_named() -> None:
    stepper = Stepper(Value(1.0) * 2)
    with pytest.raises(ValueError, match="is not part of this run: it is not below n1"):
        stepper.why(Value(3.0, "stranger"))
    assert isinstance(stepper.why(stepper.recording.root), Ledger)


@pytest.mark.parametrize(("rest", "cancels"), [(1.5e-8, False), (0.5e-8, True)])
def test_where_cancellation_begins(rest: float, cancels: bool) -> None:
    x = Value(1.0, "x")
    # Contributions 1 and -(1 - 2 rest): what is left is the share ``rest`` of their size, 2.
    assert Stepper(x - x * (1.0 - 2 * rest)).why(x).cancels is cancels
    assert 0.5e-8 < CANCELLED < 1.5e-8


def test_a_path_multiplies_as_the_pass_does_to_the_bit() -> None:
    """From the root down: another order rounds otherwise, or overflows."""
    factors = [0.1 * k for k in range(1, 9)] + [1e200, 1e200, 1e-200, 1e-200]
    x = y = Value(1.0, "x")
    for factor in factors:
        y = y * factor
    ledger = Stepper(y).why(x)
    (path,) = ledger.paths
    assert 0.0 == ledger.adjoint == path.product  # 1e-200 * 1e-200 comes first
    x = y = Value(1.0, "x")
    for factor in factors[:8]:
        y = y * factor
    ledger = Stepper(y).why(x)
    down, up = math.prod(reversed(factors[:8])), math.prod(factors[:8])
    assert down != up
    assert ledger.paths[0].product == ledger.adjoint == down


def test_a_long_path_is_cut_beyond_its_bound() -> None:
    names = [f"n{i}" for i in range(PATH_NAMES + 1)]
    assert _short(names[:-1]) == names[:-1]
    half = PATH_NAMES // 2
    assert _short(names) == [*names[:half], "... 1 more ...", *names[-half:]]


def test_three_paths_are_found_unless_more_are_asked_for() -> None:
    x = y = Value(1.0, "x")
    for _ in range(3):
        y = y + y
    recording = Stepper(y).recording
    assert [len(Ledger(recording, x, *more).paths) for more in ((), (1,), (5,), (9,))] == [
        3,
        1,
        5,
        8,
    ]


def test_contributions_whose_sum_overflows_are_told() -> None:
    x = Value(1.0, "x")
    assert not Stepper(x * 1.7e308 + x * 1e308).why(x).cancels
    assert "cancel" not in str(Stepper(x * 1.7e308 - x * 1e308).why(x))
