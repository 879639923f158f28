"""Sweeps, proxy runs and what is observed of them."""

from collections.abc import Sequence
from typing import Literal

from mixclient.documents.runs import (
    HeartbeatOut,
    ImportedRunBody,
    ImportOut,
    LeaseOut,
    NotesBody,
    ObservationBody,
    ObservationOut,
    ObservationsOut,
    ResultIn,
    RunIn,
    RunOut,
    RunState,
)
from mixclient.documents.sweeps import SweepIn, SweepOut
from mixclient.service.answers import Tagged, maybe_an_object, tagged, the_list
from mixclient.service.call import PAGE, Call
from mixclient.service.operation import listing, operation


class Runs:
    """What a client can do with sweeps and runs."""

    @operation("POST", "/v1/studies/{study}/sweeps", keyed=True)
    def create_sweep(self, study: str, sweep: SweepIn) -> Call[SweepOut]:
        """Design a sweep, or give its mixtures, and queue its runs."""
        return Call({"study": study}, body=sweep)

    @listing("/v1/studies/{study}/sweeps")
    def sweeps(self, study: str, *, limit: int = PAGE) -> Call[SweepOut]:
        """All sweeps of a study, newest first."""
        return Call({"study": study}, query={"limit": limit})

    @operation("GET", "/v1/sweeps/{sweep_id}")
    def sweep(self, sweep_id: str) -> Call[SweepOut]:
        """A sweep with the number of its runs in each state."""
        return Call({"sweep_id": sweep_id})

    @operation("POST", "/v1/sweeps/{sweep_id}/cancel", keyed=True)
    def cancel_sweep(self, sweep_id: str, *, reason: str) -> Call[SweepOut]:
        """Cancel every run of a sweep that is not finished."""
        return Call({"sweep_id": sweep_id}, body={"reason": reason})

    @listing("/v1/studies/{study}/runs")
    def runs(
        self,
        study: str,
        *,
        state: RunState | None = None,
        purpose: Literal["proxy", "confirmation"] | None = None,
        limit: int = PAGE,
    ) -> Call[RunOut]:
        """All runs of a study, or those in a state, or of one purpose."""
        return Call({"study": study}, query={"state": state, "purpose": purpose, "limit": limit})

    @operation("GET", "/v1/runs/{run_id}")
    def run(self, run_id: str) -> Call[RunOut]:
        """A run."""
        return Call({"run_id": run_id})

    @operation("POST", "/v1/studies/{study}/runs", keyed=True)
    def import_runs(
        self, study: str, runs: Sequence[ImportedRunBody], *, source: str = ""
    ) -> Call[ImportOut]:
        """Store finished runs that were trained elsewhere; the same again is not an error."""
        return Call({"study": study}, body={"runs": runs, "source": source})

    @operation("PUT", "/v1/studies/{study}/runs/{run_id}")
    def put_run(self, study: str, run_id: str, run: RunIn) -> Call[RunOut]:
        """Make a run under a name of your choice, to train it yourself; the same again is not an error."""
        return Call({"study": study, "run_id": run_id}, body=run)

    @operation("GET", "/v1/studies/{study}/runs/{run_id}")
    def run_of_study(self, study: str, run_id: str) -> Call[RunOut]:
        """A run by the name that `put_run` gave it."""
        return Call({"study": study, "run_id": run_id})

    @operation("GET", "/v1/runs/{run_id}/notes")
    def notes(self, run_id: str) -> Call[Tagged[NotesBody]]:
        """Notes and tags of a run, with the tag that `put_notes` takes."""
        return Call({"run_id": run_id}, read=tagged)

    @operation("PUT", "/v1/runs/{run_id}/notes")
    def put_notes(self, run_id: str, notes: NotesBody, *, if_match: str | None = None) -> Call[NotesBody]:
        """Replace notes and tags of a run.

        Args:
            run_id: the run.
            notes: what shall stand there.
            if_match: tag of the notes that were read; refused with 412 if they have changed since.
        """
        # Sent twice, the second would find the notes changed: by the first.
        headers, repeatable = {"If-Match": if_match}, if_match is None
        return Call({"run_id": run_id}, body=notes, headers=headers, repeatable=repeatable)

    @operation("POST", "/v1/runs/claim", keyed=True)
    def claim_run(
        self, worker: str, *, study: str | None = None, corpora: Sequence[str] | None = None
    ) -> Call[LeaseOut | None]:
        """Lease the next pending run; None if there is none."""
        body = {"worker": worker, "study": study, "corpora": corpora}
        return Call(body=body, read=maybe_an_object)

    @operation("POST", "/v1/runs/claims", keyed=True)
    def claim_runs(
        self, worker: str, count: int, *, study: str | None = None, corpora: Sequence[str] | None = None
    ) -> Call[list[LeaseOut]]:
        """Lease up to so many runs at once; those that this worker holds already come first."""
        body = {"worker": worker, "count": count, "study": study, "corpora": corpora}
        return Call(body=body, read=the_list("leases"))

    @operation("POST", "/v1/runs/{run_id}/claim", keyed=True)
    def take_run(self, run_id: str, worker: str, *, force: bool = False) -> Call[LeaseOut]:
        """Lease this run; `force` takes it from the worker that holds it."""
        return Call({"run_id": run_id}, body={"worker": worker, "force": force})

    @operation("PUT", "/v1/runs/{run_id}/heartbeat")
    def heartbeat(self, run_id: str, lease: str | None, progress: float) -> Call[HeartbeatOut]:
        """Renew a lease and say how far the run is, from 0 to 1."""
        return Call({"run_id": run_id}, body={"lease": lease, "progress": progress})

    @operation("POST", "/v1/runs/{run_id}/observations", keyed=True)
    def observe(
        self, run_id: str, lease: str | None, observations: Sequence[ObservationBody]
    ) -> Call[ObservationsOut]:
        """Store values of targets at steps; the same again is not an error."""
        return Call({"run_id": run_id}, body={"lease": lease, "observations": observations})

    @listing("/v1/runs/{run_id}/observations")
    def observations(
        self, run_id: str, *, target: str | None = None, points: int | None = None, limit: int = PAGE
    ) -> Call[ObservationOut]:
        """The loss curves of a run.

        Args:
            run_id: the run.
            target: only those of this target.
            points: so many of each target, evenly over its steps, instead of all.
            limit: most items of a page.
        """
        return Call({"run_id": run_id}, query={"target": target, "points": points, "limit": limit})

    @operation("PUT", "/v1/runs/{run_id}/result")
    def put_result(self, run_id: str, result: ResultIn) -> Call[RunOut]:
        """Store the result of a run; the same again is not an error."""
        return Call({"run_id": run_id}, body=result)

    @operation("PUT", "/v1/runs/{run_id}/failure")
    def put_failure(self, run_id: str, lease: str | None, reason: str) -> Call[RunOut]:
        """Say that a run cannot be finished, and why."""
        return Call({"run_id": run_id}, body={"lease": lease, "reason": reason})

    @operation("POST", "/v1/runs/{run_id}/cancel", keyed=True)
    def cancel_run(self, run_id: str, *, reason: str) -> Call[RunOut]:
        """Cancel a run that is not finished."""
        return Call({"run_id": run_id}, body={"reason": reason})

    @operation("POST", "/v1/runs/{run_id}/invalidate", keyed=True)
    def invalidate_run(self, run_id: str, *, reason: str) -> Call[RunOut]:
        """Leave the result of a run out of every fit to come."""
        return Call({"run_id": run_id}, body={"reason": reason})

    @operation("POST", "/v1/runs/{run_id}/requeue", keyed=True)
    def requeue_run(self, run_id: str) -> Call[RunOut]:
        """Queue a run again that failed or was cancelled."""
        return Call({"run_id": run_id})
