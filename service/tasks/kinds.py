"""Kinds of background work: where a row is found, what its child is told, what becomes of the answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.fits import repository as fits
from service.fits import service as fit_service
from service.jobs import expensive, log_repository
from service.models import Fit, ProposalRequest, Study
from service.proposals import repository as proposals
from service.proposals import service as proposal_service
from service.tasks.repository import Row

Result = dict[str, Any] | None


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    Args:
        find: its row, locked.
        task_input: what the child needs.
        end: told the row with the result, or with the error in words.
    """

    find: Callable[[Session, UUID], Row | None]
    task_input: Callable[[Session, Any], dict[str, Any]]
    end: Callable[[Session, Any, Result, str | None], None]


def _keep(_: Session, row: Fit | ProposalRequest, result: Result, __: str | None) -> None:
    row.result = result


def _with_study(
    task_input: Callable[[Session, Any, Study], dict[str, Any]],
) -> Callable[[Session, Any], dict[str, Any]]:
    return lambda session, row: task_input(session, row, session.get_one(Study, row.study_id))


KINDS: Mapping[str, Kind] = {
    "fit": Kind(fits.locked, _with_study(fit_service.task_input), _keep),
    "proposal": Kind(proposals.locked, _with_study(proposal_service.task_input), _keep),
    "policy-step": Kind(log_repository.locked_step, expensive.task_input, expensive.enter),
}
