"""What somebody should look at first, each as one sentence with a link to where it can be mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service.clock_repository import now
from service.jobs.outlook import dry_steps
from service.models import Job
from service.scopes import Principal
from service.studies import overview_repository

SILENT_MINUTES = 10  # trainers report every few seconds or minutes: one that evaluates takes less
DRY_STEPS = 1000  # ahead: enough to choose other weights, few enough to matter today
LATELY = timedelta(days=7)  # what was left alone for longer nobody waits for
MOST_STUDIES = 100  # newest ones, whose runs and fits are looked at
_MOST_FITS = 10
_MOST_DOMAINS = 3  # of a job, by name

_HOLDERS = {
    "operator": "An operator holds",
    "guard": "An alarm holds",
    "policy": "Its policy failed, which holds",
}


@dataclass(frozen=True)
class Notice:
    """One thing to look at.

    Args:
        kind: what is the matter, in a word or two.
        subject: what it is of, as it is called.
        path: of the page that shows it, without the prefix.
        sentence: what is the matter, and what to do.
        since: since when.
    """

    kind: str
    subject: str
    path: str
    sentence: str
    since: datetime | None


def of_studies(session: Session, caller: Principal) -> list[Notice]:
    """Runs that nobody trains any more, and fits that failed."""
    stale = overview_repository.stale_runs(session, caller.project_id, studies=MOST_STUDIES)
    failed = overview_repository.failed_fits(
        session, caller.project_id, studies=MOST_STUDIES, within=LATELY, limit=_MOST_FITS
    )
    return [
        Notice(
            "stale runs" if row.number > 1 else "stale run",
            row.study,
            f"/studies/{row.study}",
            f"{row.number} run{'s are' if row.number > 1 else ' is'} in training without a sign of life: "
            "any worker may claim what its own has lost.",
            row.since,
        )
        for row in stale
    ] + [
        Notice("failed fit", f"{row.method} of {row.study}", f"/fits/{row.id}", row.error, row.at)
        for row in failed
    ]


def of_jobs(session: Session, jobs: Sequence[Job]) -> list[Notice]:
    """Jobs whose weights are held, whose trainers are silent, or whose domains run dry."""
    moment = now(session)
    found = [_held(job) for job in jobs]
    found += [_silent(job, moment) for job in jobs]
    found += [_dry(job) for job in jobs]
    return [notice for notice in found if notice is not None]


def _held(job: Job) -> Notice | None:
    hold = job.state.get("hold")
    if hold is None:
        return None
    sentence = f"{_HOLDERS[hold['by']]} the weights: {hold['reason']}"
    return Notice("frozen job", job.name, f"/jobs/{job.name}", sentence, None)


def _silent(job: Job, moment: datetime) -> Notice | None:
    if job.last_report_at is None:
        return None
    quiet = moment - job.last_report_at
    if not timedelta(minutes=SILENT_MINUTES) < quiet < LATELY:
        return None
    sentence = (
        f"Its trainer was last heard of at step {job.reported_step}, more than {SILENT_MINUTES} minutes ago: "
        "see whether it still runs, or end the job."
    )
    return Notice("silent trainer", job.name, f"/jobs/{job.name}", sentence, job.last_report_at)


def _dry(job: Job) -> Notice | None:
    soon = sorted(
        (step, name) for name, step in dry_steps(job).items() if step <= job.reported_step + DRY_STEPS
    )
    if not soon:
        return None
    told = ", ".join(f"{name} at step {step}" for step, name in soon[:_MOST_DOMAINS])
    more = f" and {len(soon) - _MOST_DOMAINS} more" if len(soon) > _MOST_DOMAINS else ""
    sentence = f"With the weights in force tokens end within {DRY_STEPS} steps: {told}{more}."
    return Notice("running dry", job.name, f"/jobs/{job.name}", sentence, None)
