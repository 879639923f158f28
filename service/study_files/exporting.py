"""A study as the lines of a file."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.fits.imported import original
from service.models import Fit, ProposalRequest, ProxyRun, RunState, Study, Sweep, TaskState
from service.study_files import repository
from service.study_files.lines import SCHEMA, UNFINISHED

_RUN = ("client_id", "label", "weights", "seed", "train", "job", "result", "error", "notes", "tags")
_TRIED = ("worker", "claims", "progress", "started_at", "finished_at")


def lines(session: Session, study: Study) -> Iterator[str]:
    """The lines of the file of a study, each with its end."""
    digest, count = hashlib.sha256(), 0
    for content in _contents(session, study):
        line = json.dumps(content, allow_nan=False, default=_text, ensure_ascii=False) + "\n"
        digest.update(line.encode())
        count += 1
        yield line
    yield json.dumps({"kind": "end", "lines": count, "sha256": digest.hexdigest()}) + "\n"


def _contents(session: Session, study: Study) -> Iterator[dict[str, Any]]:
    study_id = study.id
    definition = {key: value for key, value in study.definition.items() if key != "name"}
    # Only where they were edited, so that older versions read the file of a study whose notes were not.
    notes = {} if study.notes is None else {"notes": study.notes}
    yield {
        "kind": "study", "schema": SCHEMA, "name": study.name, "definition": definition, **notes,
        "created_at": study.created_at,
    }  # fmt: skip
    sweeps: dict[UUID, int] = {}
    for sweep in repository.all_of(session, Sweep, study_id):
        sweeps[sweep.id] = len(sweeps)
        yield {"kind": "sweep", **_of(sweep, "purpose", "definition", "created_at")}
    runs: dict[UUID, int] = {}
    for some in repository.runs(session, study_id):
        yield from _runs(session, some, sweeps)
        for run in some:
            runs[run.id] = len(runs)
    fits: dict[UUID, int] = {}
    for fit in repository.fits_one_by_one(session, study_id):
        fits[fit.id] = len(fits)
        yield _fit(fit, sweeps, runs)
    for proposal in repository.all_of(session, ProposalRequest, study_id):
        configuration = {key: value for key, value in proposal.configuration.items() if key != "fit_id"}
        yield {
            "kind": "proposal", "fit": fits[proposal.fit_id], "configuration": configuration,
            **_outcome(proposal),
        }  # fmt: skip


def _runs(session: Session, some: list[ProxyRun], sweeps: dict[UUID, int]) -> Iterator[dict[str, Any]]:
    kept = [run.id for run in some if not _in_hand(run)]
    parts: dict[UUID, list[repository.Values]] = defaultdict(list)
    for run_id, part in repository.observations(session, kept):
        parts[run_id].append(part)
    for run in some:
        if _in_hand(run):
            tried = {"worker": None, "claims": 0, "progress": 0.0, "started_at": None, "finished_at": None}
            state = RunState.PENDING
        else:
            tried, state = _of(run, *_TRIED), run.state
        yield {
            "kind": "run", "sweep": sweeps[run.sweep_id], "state": state.value, **_of(run, *_RUN), **tried,
            "created_at": run.created_at,
        }  # fmt: skip
        for part in parts.get(run.id, []):
            steps, targets, values = zip(*part, strict=True)
            yield {"kind": "observations", "steps": steps, "targets": targets, "values": values}


def _in_hand(run: ProxyRun) -> bool:
    """Whether a worker trains a run: its lease means nothing elsewhere, so that the run waits again there."""
    return run.state is RunState.RUNNING and run.lease is not None


def _fit(fit: Fit, sweeps: dict[UUID, int], runs: dict[UUID, int]) -> dict[str, Any]:
    configuration = dict(fit.configuration)
    wanted = configuration.pop("sweep_ids", None)
    return {
        "kind": "fit",
        "method": fit.method,
        "configuration": configuration,
        "sweeps": None if wanted is None else [sweeps[UUID(i)] for i in wanted if UUID(i) in sweeps],
        "runs": [runs[UUID(run_id)] for run_id in fit.run_ids if UUID(run_id) in runs],
        "data_digest": original(fit.data_digest),
        **_outcome(fit),
    }


def _outcome(row: Fit | ProposalRequest) -> dict[str, Any]:
    told = _of(row, "result", "error", "created_at", "finished_at")
    if row.state in {TaskState.QUEUED, TaskState.RUNNING}:
        return {**told, "state": TaskState.FAILED.value, "result": None, "error": UNFINISHED}
    return {**told, "state": row.state.value}


def _of(row: object, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _text(value: Any) -> str:
    """Moments as text, to the microsecond."""
    text: str = value.isoformat()
    return text
