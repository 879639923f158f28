"""Endpoints for people who watch over a live job: orders, its audit trail, its domains, its log."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter
from sqlalchemy.orm import Session

from service.db import SessionDep, undo
from service.errors import ConflictError, InvalidCursorError, InvalidRequestError, NotFoundError
from service.jobs import auditing, ending, orders, schedules, service
from service.jobs.order_schemas import (
    AuditOut,
    DomainOrder,
    DomainStatusOut,
    LogOut,
    NewDomainIn,
    OrderOut,
    PinIn,
    ReasonIn,
    RollbackIn,
    ShadowIn,
)
from service.jobs.schemas import JobName, JobOut
from service.models import Job
from service.pages import PagingByPlace, PagingByPlaceAndVersion
from service.problem_details import errors
from service.routes import Route
from service.schemas import EndIn, Page
from service.scopes import Principal, Scope, needs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Route)

_REFUSED = errors(NotFoundError, ConflictError, InvalidRequestError)
Operator = Annotated[Principal, needs(Scope.JOBS_WRITE)]
Reader = Annotated[Principal, needs(Scope.JOBS_READ)]
B = TypeVar("B", bound=ReasonIn | NewDomainIn)


@router.post("/{job}/pin", responses=_REFUSED)
def pin_job(job: JobName, body: PinIn, session: SessionDep, caller: Operator) -> OrderOut:
    """Hold weights of your choice until you release them."""
    return _ordered(session, caller, job, body, orders.pin)


@router.post("/{job}/freeze", responses=_REFUSED)
def freeze_job(job: JobName, body: ReasonIn, session: SessionDep, caller: Operator) -> OrderOut:
    """Hold the weights as they are until you release them; the policy goes on learning."""
    return _ordered(session, caller, job, body, orders.freeze)


@router.post("/{job}/release", responses=_REFUSED)
def release_job(job: JobName, body: ReasonIn, session: SessionDep, caller: Operator) -> OrderOut:
    """Let the policy steer again after a pin, a freeze, a rollback or an alarm."""
    return _ordered(session, caller, job, body, orders.release)


@router.post("/{job}/rollback", responses=_REFUSED)
def roll_back_job(job: JobName, body: RollbackIn, session: SessionDep, caller: Operator) -> OrderOut:
    """Go back to a version: its weights are held until released; the policy forgets what came since."""
    return _ordered(session, caller, job, body, orders.rollback)


@router.post("/{job}/retire", responses=_REFUSED)
def retire_domain(job: JobName, body: DomainOrder, session: SessionDep, caller: Operator) -> OrderOut:
    """Take a domain out; its share is spread as the job's guards say."""
    return _ordered(session, caller, job, body, orders.retire)


@router.post("/{job}/readmit", responses=_REFUSED)
def readmit_domain(job: JobName, body: DomainOrder, session: SessionDep, caller: Operator) -> OrderOut:
    """Let a retired domain in again."""
    return _ordered(session, caller, job, body, orders.readmit)


@router.post("/{job}/shadow", responses=_REFUSED)
def shadow_job(job: JobName, body: ShadowIn, session: SessionDep, caller: Operator) -> OrderOut:
    """Let the policy watch while the prior holds, or let it steer."""
    return _ordered(session, caller, job, body, orders.shadow)


@router.post("/{job}/domains", responses=_REFUSED)
def add_domain(job: JobName, body: NewDomainIn, session: SessionDep, caller: Operator) -> OrderOut:
    """Add a domain. It comes in with the next attempt: a trainer that runs has no data of it."""
    return _ordered(session, caller, job, body, orders.add_domain)


@router.post("/{job}/end", responses=errors(NotFoundError))
def end_job(job: JobName, body: EndIn, session: SessionDep, caller: Operator) -> JobOut:
    """Say that a job is over: what is reported later is refused. Ending it again changes nothing."""
    found = service.get(session, caller.project_id, job, lock=True)
    ending.end(session, found, body.reason, caller.name)
    return service.shown(session, found)


@router.get("/{job}/domains", responses=errors(NotFoundError))
def list_domains(job: JobName, session: SessionDep, caller: Reader) -> list[DomainStatusOut]:
    """What was read of each domain, realised against intended shares, and when it runs dry."""
    return auditing.domains(session, service.get(session, caller.project_id, job))


@router.get("/{job}/audit", responses=errors(NotFoundError, InvalidCursorError))
def audit_job(
    job: JobName, session: SessionDep, caller: Reader, paging: PagingByPlaceAndVersion
) -> Page[AuditOut]:
    """Who or what changed the weights, and why; newest first."""
    found = auditing.audit(session, service.get(session, caller.project_id, job), paging.wanted)
    return paging.page(found, found.rows)


@router.get("/{job}/log", responses=errors(NotFoundError, ConflictError, InvalidCursorError))
def export_log(job: JobName, session: SessionDep, caller: Reader, paging: PagingByPlace) -> LogOut:
    """The job's log, from which every version can be computed again: `mixwright job replay` does so.

    A page is of so many places, and has an entry for each of them that holds anything.
    """
    owner = service.get(session, caller.project_id, job)
    stretch, last = auditing.exported(session, owner, paging.wanted)
    return stretch.model_copy(update={"next": paging.next(last)})


def _ordered(
    session: Session,
    caller: Principal,
    name: str,
    body: B,
    order: Callable[[Session, Job, B, str], None],
) -> OrderOut:
    job = ending.going(session, caller.project_id, name)
    order(session, job, body, caller.name)
    session.flush()
    told = OrderOut(
        seq=job.applied_seq,
        version=job.version,
        stored=not body.dry_run,
        schedule=schedules.document(session, job),
    )
    if body.dry_run:
        undo(session)
    return told
