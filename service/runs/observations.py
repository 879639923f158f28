"""Observations: values of targets at steps, each known by its run, step and target."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.errors import UnknownTargetError
from service.errors import ConflictError, InvalidRequestError, TooLargeError
from service.listing import Wanted
from service.models import ProxyRun
from service.runs import leases, observation_repository, service
from service.runs.schemas import (
    MOST_OBSERVATIONS,
    ObservationBody,
    ObservationOut,
    ObservationPage,
    ObservationsIn,
    ObservationsOut,
)
from service.studies import service as studies


def store(session: Session, project_id: UUID, run_id: UUID, body: ObservationsIn) -> ObservationsOut:
    """Store what a run observed: all of it, or nothing. The same again is counted, in any state of the run.

    Raises:
        NotFoundError: the project has no such run.
        TooLargeError: too many of them at once.
        InvalidRequestError: a target is unknown.
        ConflictError: a value differs from the stored one, the run is finished, or the lease was lost.
    """
    if len(body.observations) > MOST_OBSERVATIONS:
        raise TooLargeError(
            f"{len(body.observations)} observations in one request: send at most {MOST_OBSERVATIONS}",
            code="batch_too_large",
        )
    run, _, study = service.get(session, project_id, run_id, lock=True)
    targets = studies.definition(study).targets or []
    known = set(targets)
    for number, item in enumerate(body.observations):
        if item.target not in known:
            raise InvalidRequestError(f"observations.{number}: {UnknownTargetError(item.target, targets)}")
    stored = observation_repository.stored(session, run.id, {item.step for item in body.observations})
    if any((item.step, item.target) not in stored for item in body.observations):
        leases.check(run, body.lease)
    accepted = write(session, run, body.observations, stored)
    return ObservationsOut(accepted=accepted, duplicates=len(body.observations) - accepted)


def write(
    session: Session,
    run: ProxyRun,
    items: Sequence[ObservationBody],
    stored: dict[tuple[int, str], float] | None = None,
) -> int:
    """Write what is new to a locked run; returns how many that were.

    Raises:
        ConflictError: a value differs from the stored one.
    """
    known = stored if stored is not None else observation_repository.stored(
        session, run.id, {item.step for item in items}
    )  # fmt: skip
    new: list[ObservationBody] = []
    for item in items:
        key = item.step, item.target
        if key not in known:
            known[key] = item.value
            new.append(item)
        elif known[key] != item.value:
            raise ConflictError(
                f"run {run.id} observed {item.target} = {known[key]} at step {item.step}, and not "
                f"{item.value}: the first one stands",
                code="other_observation",
                extra={
                    "step": item.step,
                    "target": item.target,
                    "stored": known[key],
                    "offered": item.value,
                },
            )
    observation_repository.insert_all(session, run.id, new)
    return len(new)


def page(
    session: Session, run: ProxyRun, wanted: Wanted[tuple[int, str]], *, target: str | None
) -> tuple[ObservationPage, tuple[int, str] | None]:
    """Observations of a run by step and target, and the place of the last one if there are more."""
    limit = wanted.limit
    rows = observation_repository.page(session, run.id, target=target, after=wanted.after, limit=limit + 1)
    items = [ObservationOut.model_validate(row) for row in rows[:limit]]
    stored = observation_repository.count(session, run.id, target) if wanted.after is None else None
    found = ObservationPage(items=items, next=None, stored=stored)
    return found, (items[-1].step, items[-1].target) if len(rows) > limit else None


def thinned(session: Session, run: ProxyRun, *, target: str | None, points: int) -> ObservationPage:
    """At most so many observations of each target, evenly over its own, with the first and the last."""
    rows = observation_repository.thinned(session, run.id, target=target, points=points)
    return ObservationPage(
        items=[ObservationOut(step=step, target=name, value=value) for step, name, value in rows],
        next=None,
        stored=observation_repository.count(session, run.id, target),
    )
