"""What the demo says of its target runs, against numbers that were computed by hand."""

import math
import random

import pytest

from mixwright.demo.results import by_method, difference_error, noise, target_rows
from tests.mixwright.demo.made_up import SHARES, confirmed, run


def test_runs_belong_to_the_method_of_their_label_whatever_their_seed() -> None:
    counts = {name: len(runs) for name, runs in by_method(confirmed()).items()}
    assert counts == {"proposal": 1, "uniform": 2, "natural": 2, "odm, live": 2}


def test_the_rows_come_in_the_same_order_however_the_runs_do() -> None:
    shuffled = confirmed()
    random.Random(5).shuffle(shuffled)  # noqa: S311 - an order, no secret
    rows = target_rows(shuffled, SHARES)
    assert [(row["method"], row["seeds"]) for row in rows] == [
        ("natural", 2), ("uniform", 2), ("proposal", 1), ("odm, live", 2),
    ]  # fmt: skip


def test_means_are_over_seeds_and_then_over_domains() -> None:
    natural, uniform, proposal, live = target_rows(confirmed(), SHARES)
    assert natural["losses"] == pytest.approx({"web": 4.0, "code": 3.2})
    # 0.75 x 4.0 + 0.25 x 3.2, and so on
    weighted = [row["natural_weighted"] for row in (natural, uniform, proposal, live)]
    assert weighted == pytest.approx([3.8, 3.9, 3.2, 3.75])
    assert [row["mean"] for row in (natural, uniform, proposal, live)] == pytest.approx([3.6, 3.4, 2.8, 3.5])
    assert natural["bits_per_byte"] == pytest.approx(1.8)
    assert (natural["model_parameters"], natural["tokens"]) == (92_000, 400_000)


def test_differences_are_against_both_references_and_negative_where_better() -> None:
    natural, uniform, proposal, live = target_rows(confirmed(), SHARES)
    assert set(natural["against_natural"].values()) == {0.0}
    assert natural["against_uniform"] == pytest.approx(
        {"natural_weighted": -0.1, "mean": 0.2, "bits_per_byte": 0.1}
    )
    assert proposal["against_natural"] == pytest.approx(
        {"natural_weighted": -0.6, "mean": -0.8, "bits_per_byte": -0.4}
    )
    assert proposal["against_uniform"]["natural_weighted"] == pytest.approx(-0.7)
    assert live["against_natural"]["natural_weighted"] == pytest.approx(-0.05)
    assert uniform["against_natural"]["natural_weighted"] == pytest.approx(0.1)


def test_shares_of_the_gain_by_domain_add_up_to_the_gain() -> None:
    for row in target_rows(confirmed(), SHARES):
        for reference in ("natural", "uniform"):
            gain = row[f"gain_by_domain_over_{reference}"]
            assert math.isclose(
                sum(gain.values()), -row[f"against_{reference}"]["natural_weighted"], abs_tol=1e-12
            )
    proposal = target_rows(confirmed(), SHARES)[2]
    # 0.75 x (4.0 - 3.6) and 0.25 x (3.2 - 2.0)
    assert proposal["gain_by_domain_over_natural"] == pytest.approx({"web": 0.3, "code": 0.3})


def test_noise_is_pooled_over_mixtures_and_leaves_live_runs_out() -> None:
    # Natural-weighted losses: uniform 3.85 and 3.95, natural 3.75 and 3.85; the lone proposal adds nothing.
    found = noise(confirmed(), SHARES)
    assert found["degrees_of_freedom"] == 2
    # Each pair deviates by 0.05 twice from its mean: (4 x 0.05²) / 2.
    assert found["standard_deviation"]["natural_weighted"] == pytest.approx(math.sqrt(0.005))
    # Plain means: 3.3 and 3.5, 3.5 and 3.7.
    assert found["standard_deviation"]["mean"] == pytest.approx(math.sqrt(0.02))
    assert found["standard_deviation"]["bits_per_byte"] == pytest.approx(math.sqrt(0.005))


def test_one_seed_each_says_nothing_of_noise() -> None:
    found = noise([run("natural, seed 0", 4.0, 3.0), run("uniform, seed 0", 4.4, 2.2)], SHARES)
    assert found == {
        "degrees_of_freedom": 0,
        "standard_deviation": {"natural_weighted": None, "mean": None, "bits_per_byte": None},
    }


def test_the_error_of_a_difference_falls_with_seeds_on_both_sides() -> None:
    assert difference_error(0.1, 1, 1) == pytest.approx(0.1 * math.sqrt(2))
    assert difference_error(0.1, 4, 4) == pytest.approx(0.1 / math.sqrt(2))
    assert difference_error(0.0, 3, 3) == 0.0
    assert difference_error(None, 3, 3) is None
