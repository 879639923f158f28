"""What somebody should look at first, each as one sentence with a link to where it can be mended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service.jobs import overview_repository as overview
from service.jobs.outlook import dry_steps
from service.models import Job
from service.scopes import Principal
from service.studies import overview_repository

SILENT_MINUTES = 10  # trainers report every few seconds or minutes: one that evaluates takes less
DRY_STEPS = 1000  # ahead: enough to choose other weights, few enough to matter today
LATELY = timedelta(days=7)  # what was left alone for longer nobody waits for
MOST_TOLD = 50  # jobs of each kind: who has more looks at the list of jobs
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


def of_jobs(session: Session, caller: Principal, heard: Sequence[Job]) -> list[Notice]:
    """Jobs whose weights are held, whose trainers are silent, or whose domains run dry.

    Args:
        session: where they are read.
        caller: whose jobs.
        heard: the live ones that are looked at for what runs dry: each is computed.
    """
    project = caller.project_id
    silence = timedelta(minutes=SILENT_MINUTES)
    held = overview.held(session, project, MOST_TOLD)
    silent = overview.silent(session, project, since=silence, within=LATELY, limit=MOST_TOLD)
    dry = (_dry(job) for job in heard)
    return [_held(job) for job in held] + [_silent(job) for job in silent] + [one for one in dry if one]


def _held(job: Job) -> Notice:
    hold = job.state["hold"]
    sentence = f"{_HOLDERS[hold['by']]} the weights: {hold['reason']}"
    return Notice("frozen job", job.name, f"/jobs/{job.name}", sentence, None)


def _silent(job: Job) -> Notice:
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
