"""The demo's tables: what a person reads off them."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from rich.console import Console

from mixwright.demo import tables
from mixwright.demo.results import noise, target_rows
from tests.mixwright.demo.made_up import SHARES, confirmed, proposal

SCORES = {"spearman": 0.912, "mae": 0.0123, "r2": 0.84}


def printed(show: Callable[..., None], *arguments: Any) -> str:
    written = StringIO()
    show(Console(file=written, width=160), *arguments)
    return written.getvalue()


def row_of(table: str, start: str) -> list[str]:
    """The cells of a table's row."""
    (line,) = (line for line in table.splitlines() if line.strip(" │┃").startswith(start))
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def fit(name: str, **more: Any) -> dict[str, Any]:
    own = {"web": {"spearman": 0.7}, "code": {"spearman": None}, "law": {"spearman": 0.9}}
    made = {"id": f"id of {name}", "method": name, "state": "done", "scores": own, "objective_scores": SCORES}
    return {**made, **more}


def test_fits_show_held_out_scores_and_the_reason_of_one_that_failed() -> None:
    failed = fit("power", state="failed", error="8 runs; this law needs 24")
    shown = printed(tables.show_fits, [fit("exponential"), failed])
    assert row_of(shown, "exponential") == ["exponential", "0.91", "0.012", "0.84", "0.90 median rank"]
    assert row_of(shown, "power")[1].startswith("8 runs; this law")


def test_a_constant_law_has_no_rank_correlation() -> None:
    constant = fit(
        "constant", scores={"web": {"spearman": None}}, objective_scores={**SCORES, "spearman": None}
    )
    assert row_of(printed(tables.show_fits, [constant]), "constant")[1:] == ["-", "0.012", "0.84", "constant"]


def test_proposals_show_shares_in_per_cent_and_who_doubts_them() -> None:
    fits = [fit("exponential"), fit("linear")]
    asked = [
        proposal("id of exponential", 0.1234, ["gaussian_process", "linear"]),
        proposal("id of linear", -0.05, []),
    ]
    shown = printed(tables.show_proposals, fits, asked)
    assert row_of(shown, "web") == ["web", "75.0", "50.0", "60.0", "60.0"]
    assert row_of(shown, "predicted gain over natural")[1:] == ["", "", "+0.123", "-0.050"]
    # The names of two who doubt stand below each other.
    assert row_of(shown, "doubted by")[1:] == ["", "", "gaussian process", "nobody"]
    assert "│ linear" in shown or " linear │" in shown


def test_a_request_without_a_mixture_has_no_column() -> None:
    fits = [fit("exponential"), fit("linear")]
    asked = [proposal("id of exponential", 0.1, []), {**proposal("id of linear", 0.1, []), "proposals": []}]
    shown = printed(tables.show_proposals, fits, asked)
    assert row_of(shown, "code") == ["code", "25.0", "50.0", "40.0"]


def test_targets_show_differences_with_their_standard_errors() -> None:
    rows = target_rows(confirmed(), SHARES)
    shown = printed(tables.show_targets, rows, noise(confirmed(), SHARES))
    assert row_of(shown, "web")[1:] == ["4.000", "4.400", "3.600", "4.000"]
    assert row_of(shown, "natural-weighted")[1:] == ["3.8000", "3.9000", "3.2000", "3.7500"]
    # The deviation is √0.005 = 0.0707: of two against two seeds 0.071, of one against two 0.087.
    assert row_of(shown, "against natural")[1:] == [
        "-", "+0.100 ± 0.071", "-0.600 ± 0.087", "-0.050 ± 0.071",
    ]  # fmt: skip
    assert row_of(shown, "against uniform")[1:] == [
        "-0.100 ± 0.071", "-", "-0.700 ± 0.087", "-0.150 ± 0.071",
    ]  # fmt: skip
    assert "natural ×2" in shown
    assert "seeds by 0.071 (2 degrees of freedom, pooled)" in " ".join(shown.split())


def test_without_noise_a_difference_stands_alone() -> None:
    lone = [run for run in confirmed() if run["label"].endswith("0")]
    shown = printed(tables.show_targets, target_rows(lone, SHARES), noise(lone, SHARES))
    assert row_of(shown, "against natural")[1:] == ["-", "+0.100", "-0.550", "-0.750"]
    assert "seeds by - (0 degrees of freedom, pooled)" in " ".join(shown.split())


def test_the_gain_is_told_by_domain_largest_first_and_as_a_sum() -> None:
    runs = [run for run in confirmed() if run["job"] is None]
    runs[0]["result"]["losses"] = {"web": 3.8, "code": 3.6}
    shown = printed(tables.show_gain, target_rows(runs, SHARES))
    # 0.75 x (4.0 - 3.8) and 0.25 x (3.2 - 3.6)
    assert "by domain: web +0.1500, code -0.1000 (sum +0.0500)" in shown


def test_live_jobs_show_reports_and_the_largest_difference_of_a_share() -> None:
    job = {
        "job": "demo-20260101-000000-odm-2",
        "versions_published": 12, "versions_applied": 11, "versions_too_late": 0,
        "reports_accepted": 40, "reports_expected": 41, "largest_share_difference": 0.00517,
    }  # fmt: skip
    shown = printed(tables.show_live, [job])
    assert row_of(shown, "odm") == ["odm, seed 2", "12", "11", "0", "40 of 41", "0.52 points"]
