"""Rows of the lines of a study file: checked against each other and the study, then stored in parts."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from mixlaws.simplex import as_weights
from proxy_training.spec import TrainSpec
from service.errors import InvalidRequestError
from service.fits import service as fits
from service.fits.imported import marked
from service.ids import new_id
from service.methods import checked
from service.models import Fit, Observation, ProposalRequest, ProxyRun, RunState, Study, Sweep, TaskState
from service.proposals import service as proposals
from service.studies import service as studies
from service.study_files import repository
from service.study_files.lines import FitLine, Line, ObservationsLine, ProposalLine, RunLine, SweepLine

_ROWS_AT_ONCE = 5000
_UNREADABLE = (ValidationError, KeyError, TypeError, ValueError, AttributeError, IndexError)
_ORDER = {SweepLine: 0, RunLine: 1, ObservationsLine: 1, FitLine: 2, ProposalLine: 3}


class Storing:
    """Takes the lines of a file after the first, in their order.

    Args:
        session: where they are stored; nothing is committed here.
        study: the new study.
    """

    def __init__(self, session: Session, study: Study) -> None:
        definition = studies.definition(study)
        self._session, self._study = session, study
        self._domains = len(definition.domains)
        self._targets = set(definition.targets or [])
        self._sweeps: list[UUID] = []
        self._runs: list[UUID] = []
        self._fits: list[UUID] = []
        self._names: set[str] = set()
        self._known_fits: set[tuple[str, str]] = set()
        self._observable = False
        self._last: tuple[int, str] = (-1, "")
        self._reached = 0
        self._waiting: dict[type[Any], list[dict[str, Any]]] = {Sweep: [], ProxyRun: [], Observation: []}

    def take(self, line: Line) -> None:
        """Take a line.

        Raises:
            InvalidRequestError: it contradicts the lines before it, or the study.
            MixlawsError: a mixture is off the simplex.
        """
        place = _ORDER.get(type(line))
        if place is None or place < self._reached:
            raise InvalidRequestError(f"a line of kind {line.kind!r} has no place here")
        self._reached = place
        if isinstance(line, SweepLine):
            self._sweep(line)
        elif isinstance(line, RunLine):
            self._run(line)
        elif isinstance(line, ObservationsLine):
            self._observe(line)
        elif isinstance(line, FitLine):
            self._fit(line)
        elif isinstance(line, ProposalLine):
            self._propose(line)
        if sum(map(len, self._waiting.values())) >= _ROWS_AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Store what was taken and waits."""
        for table, rows in self._waiting.items():
            repository.insert_rows(self._session, table, rows)
            rows.clear()

    def _sweep(self, line: SweepLine) -> None:
        self._sweeps.append(new_id())
        self._put(Sweep, line, id=self._sweeps[-1])

    def _run(self, line: RunLine) -> None:
        if line.sweep >= len(self._sweeps):
            raise InvalidRequestError(f"sweep {line.sweep} is not in the file")
        if len(line.weights) != self._domains:
            raise InvalidRequestError(f"{len(line.weights)} weights for {self._domains} domains")
        as_weights(line.weights)
        if line.client_id is not None and line.client_id in self._names:
            raise InvalidRequestError(f"two runs have the client_id {line.client_id!r}")
        if line.state is RunState.PENDING:
            checked("train", TrainSpec, line.train)
        measured = line.state in {RunState.COMPLETED, RunState.INVALID}
        if measured != (line.result is not None) or (measured and not self._is_result(line.result or {})):
            raise InvalidRequestError(f"the result is none of a run that is {line.state.value}")
        self._names.add(line.client_id or "")
        self._runs.append(new_id())
        self._observable, self._last = line.state is not RunState.PENDING, (-1, "")
        self._put(ProxyRun, line, id=self._runs[-1], sweep_id=self._sweeps[line.sweep], drop="sweep")

    def _is_result(self, result: dict[str, Any]) -> bool:
        losses = result.get("losses")
        if not isinstance(losses, dict) or set(losses) != self._targets:
            return False
        return all(type(value) in {int, float} for value in losses.values())

    def _observe(self, line: ObservationsLine) -> None:
        if not self._observable:
            raise InvalidRequestError("observations of no run, or of one that waits")
        if not len(line.steps) == len(line.targets) == len(line.values):
            raise InvalidRequestError("steps, targets and values are of different lengths")
        if not self._targets.issuperset(line.targets):
            unknown = sorted(set(line.targets) - self._targets)
            raise InvalidRequestError(f"targets: the study has none called {unknown[0]!r}")
        for step, target, value in zip(line.steps, line.targets, line.values, strict=True):
            if (step, target) <= self._last:
                raise InvalidRequestError(f"step {step} of {target!r} is out of order, or there twice")
            self._last = step, target
            row = {"run_id": self._runs[-1], "step": step, "target": target, "value": value}
            self._waiting[Observation].append(row)

    def _fit(self, line: FitLine) -> None:
        if max(line.runs, default=-1) >= len(self._runs):
            raise InvalidRequestError("it names a run that is not in the file")
        if max(line.sweeps or [], default=-1) >= len(self._sweeps):
            raise InvalidRequestError("it names a sweep that is not in the file")
        sweep_ids = None if line.sweeps is None else [str(self._sweeps[at]) for at in line.sweeps]
        configuration = {**line.configuration, "sweep_ids": sweep_ids}
        key = line.data_digest, fits.configuration_digest(configuration)
        if key in self._known_fits:
            raise InvalidRequestError("the same fit is there twice")
        self._known_fits.add(key)
        self.finish()
        fit = Fit(
            id=new_id(), study_id=self._study.id, method=line.method, configuration=configuration,
            configuration_digest=key[1], run_ids=[str(self._runs[at]) for at in line.runs],
            data_digest=marked(line.data_digest), **_outcome(line),
        )  # fmt: skip
        self._fits.append(fit.id)
        self._add(fit, lambda: fits.shown(self._session, fit, self._study))

    def _propose(self, line: ProposalLine) -> None:
        if line.fit >= len(self._fits):
            raise InvalidRequestError(f"fit {line.fit} is not in the file")
        fit_id = self._fits[line.fit]
        request = ProposalRequest(
            id=new_id(), study_id=self._study.id, fit_id=fit_id,
            configuration={**line.configuration, "fit_id": str(fit_id)}, **_outcome(line),
        )  # fmt: skip
        self._add(request, lambda: proposals.shown(self._session, request, self._study))

    def _add(self, row: Fit | ProposalRequest, show: Any) -> None:
        """Store a row that can be shown: one that cannot would fail whoever looks at its study."""
        if (row.state is TaskState.DONE) != (row.result is not None):
            raise InvalidRequestError("what is done has a result, and nothing else has one")
        self._session.add(row)
        self._session.flush()
        try:
            show()
        except _UNREADABLE as error:
            raise InvalidRequestError(
                f"its configuration or its result cannot be read: {type(error).__name__}"
            ) from None
        self._session.expunge(row)

    def _put(self, table: type[Any], line: Line, *, drop: str = "", **more: Any) -> None:
        values = line.model_dump(exclude={"kind", drop})
        self._waiting[table].append({**values, "study_id": self._study.id, **more})


def _outcome(line: FitLine | ProposalLine) -> dict[str, Any]:
    plain = {name: getattr(line, name) for name in ("result", "error", "created_at", "finished_at")}
    return {**plain, "state": TaskState(line.state)}
