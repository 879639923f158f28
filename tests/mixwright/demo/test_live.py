"""What the demo says of its live jobs: versions applied, shares drawn, reports sent."""

from typing import Any

import pytest

from mixwright.demo.live import describe_jobs, intended_shares
from tests.mixwright.demo.made_up import run, version

VERSIONS = [
    version(0, 0, 0.5),
    version(25, None, 0.9),  # came too late, and was never followed
    version(40, 40, 0.75),
    version(100, None, 0.1),  # for after the end
]


class FakeClient:
    """A service that knows one job."""

    def __init__(self, versions: list[dict[str, Any]]) -> None:
        self._versions = versions

    def job(self, name: str) -> dict[str, Any]:
        counters = {"versions_published": 4, "versions_applied": 2, "versions_too_late": 1}
        return {
            "name": name,
            "attempt": 1,
            **counters,
            "reports_accepted": 10,
            "reports_duplicate": 2,
            "reports_late": 0,
        }

    def versions(self, name: str) -> list[dict[str, Any]]:
        assert name == "one"
        return self._versions


def described(versions: list[dict[str, Any]], *, web: int, code: int) -> dict[str, Any]:
    runs = [
        run(
            "odm, live, seed 0", 3.0, 3.0, job="one", drawn={"web": web, "code": code}, live={"delivered": 1}
        ),
        run("natural, seed 0", 4.0, 3.0),
    ]
    (row,) = describe_jobs(FakeClient(versions), ["one"], runs)  # type: ignore[arg-type]
    return row


def test_intended_shares_weigh_each_applied_version_by_its_steps() -> None:
    # 40 steps at one half, 60 at three quarters, nothing of those that were never applied
    assert intended_shares(VERSIONS, 100) == pytest.approx({"web": 0.65, "code": 0.35})


def test_a_job_with_one_version_intends_that_version() -> None:
    assert intended_shares([version(0, 0, 0.3)], 7) == pytest.approx({"web": 0.3, "code": 0.7})


def test_realised_shares_are_compared_with_intended_ones() -> None:
    row = described(VERSIONS, web=660, code=340)
    assert row["realised_shares"] == pytest.approx({"web": 0.66, "code": 0.34})
    assert row["intended_shares"] == pytest.approx({"web": 0.65, "code": 0.35})
    assert row["largest_share_difference"] == pytest.approx(0.01)
    assert row["client"] == {"delivered": 1}
    assert row["job"] == "one"


def test_versions_after_the_end_are_not_counted_as_missed() -> None:
    row = described(VERSIONS, web=65, code=35)
    assert row["versions_after_the_end"] == 1
    assert (row["versions_published"], row["versions_applied"], row["versions_too_late"]) == (4, 2, 1)


def test_a_version_that_was_applied_at_another_step_is_seen() -> None:
    assert described(VERSIONS, web=65, code=35)["applied_at_effective_step"]
    late = [version(0, 0, 0.5), version(40, 41, 0.75)]
    assert not described(late, web=65, code=35)["applied_at_effective_step"]


@pytest.mark.parametrize(
    ("switch", "reports"),
    [
        (40, 10),  # between two reports: the one that ends there anyway is enough
        (45, 11),  # within one: it is cut in two
        (100, 10),  # at the very end
    ],
)
def test_a_report_more_is_expected_where_a_switch_cuts_one_in_two(switch: int, reports: int) -> None:
    versions = [version(0, 0, 0.5), version(switch, switch, 0.75)]
    assert described(versions, web=1, code=1)["reports_expected"] == reports
