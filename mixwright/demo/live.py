"""What happened to live jobs: which versions were applied when, and which shares were really drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from mixclient.documents.runs import RunOut

from mixclient import ServiceClient


def describe_jobs(client: ServiceClient, jobs: list[str], runs: list[RunOut]) -> list[dict[str, Any]]:
    """One row for each job.

    Args:
        client: connection to the service.
        jobs: names of the jobs.
        runs: the runs that followed them.
    """
    by_job = {run["job"]: run for run in runs if run["job"]}
    return [_describe(client, name, by_job[name]) for name in jobs]


def _describe(client: ServiceClient, name: str, run: Mapping[str, Any]) -> dict[str, Any]:
    job, versions = client.job(name), client.versions(name)
    spec = run["train"]
    steps = run["result"]["step"]
    intended = intended_shares(versions, steps)
    drawn = run["result"]["drawn"]
    realised = {domain: count / sum(drawn.values()) for domain, count in drawn.items()}
    applied = [version for version in versions if version["applied_at_step"] is not None]
    return {
        "job": name,
        "attempt": job["attempt"],
        "versions_published": job["versions_published"],
        "versions_applied": job["versions_applied"],
        "versions_too_late": job["versions_too_late"],
        # The plan always reaches beyond the end of a run: the last versions have nothing to be applied to.
        "versions_after_the_end": sum(version["effective_step"] >= steps for version in versions),
        "applied_at_effective_step": all(v["applied_at_step"] == v["effective_step"] for v in applied),
        "reports_accepted": job["reports_accepted"],
        "reports_duplicate": job["reports_duplicate"],
        "reports_late": job["reports_late"],
        "reports_expected": _expected_reports(versions, steps, spec["report_every"]),
        "intended_shares": intended,
        "realised_shares": realised,
        "largest_share_difference": max(abs(realised[domain] - intended[domain]) for domain in drawn),
        "client": run["result"]["live"],
        "versions": versions,
    }


def intended_shares(versions: Sequence[Mapping[str, Any]], steps: int) -> dict[str, float]:
    """Shares of all samples of a run that its applied versions ask for."""
    followed = [version for version in versions if version["applied_at_step"] is not None]
    starts = [version["applied_at_step"] for version in followed]
    lengths = [end - start for start, end in zip(starts, [*starts[1:], steps], strict=True)]
    return {
        domain: sum(
            length * version["weights"][domain] for length, version in zip(lengths, followed, strict=True)
        )
        / steps
        for domain in versions[0]["weights"]
    }


def _expected_reports(versions: Sequence[Mapping[str, Any]], steps: int, every: int) -> int:
    """Reports that a run of so many steps sends: one every few steps, and one more at each change within."""
    ends = {step for step in range(steps) if (step + 1) % every == 0} | {steps - 1}
    changes = {v["applied_at_step"] - 1 for v in versions if v["applied_at_step"]}
    return len(ends | changes)
