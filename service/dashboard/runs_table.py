"""A table of runs that the server sorts, filters and pages: what is asked for, and what is found."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from sqlalchemy.orm import Session

from mixlaws.swarm import target_coefficients
from service.clock_repository import now
from service.models import Study
from service.runs import service as runs
from service.runs import table_repository
from service.runs.schemas import RunOut
from service.runs.table_repository import Order, Purpose, Some, State
from service.schemas import Text
from service.studies import service as studies

A_PAGE = 50  # rows: some screens, and a page of any study stays small
STATES = ("pending", "running", "stale", "completed", "failed", "cancelled", "invalid")
PURPOSES = ("proxy", "confirmation")


class RunsAsked(BaseModel):
    """What the address of a page asks of its table; a form sends what was left open as an empty text."""

    sort: Order = "objective"
    falling: bool = False
    state: State | None = None
    purpose: Purpose | None = None
    words: Text = Field(default="", max_length=100)
    page: int = Field(default=1, ge=1, le=100_000)

    @model_validator(mode="before")
    @classmethod
    def _open(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value != ""}

    def link(self, **changes: Any) -> str:
        """The query of the same page with something changed; another order or filter begins at page 1."""
        asked = self.model_copy(update=changes if "page" in changes else {**changes, "page": 1})
        told = asked.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        return "?" + urlencode(told, doseq=True)

    def sorted_by(self, order: Order) -> str:
        """The query of the same page in another order; a second click turns it round."""
        return self.link(sort=order, falling=self.sort == order and not self.falling)

    def direction(self, order: Order) -> str:
        """What a head says of itself to who cannot see arrows."""
        if self.sort != order:
            return "none"
        return "descending" if self.falling else "ascending"


@dataclass(frozen=True)
class RunsTable:
    """A page of runs.

    Args:
        asked: what was asked for.
        runs: the rows.
        objectives: of each row by its id, nats per token; None where it is not completed.
        total: rows of all pages.
    """

    asked: RunsAsked
    runs: list[RunOut]
    objectives: dict[UUID, float | None]
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // A_PAGE))

    @property
    def first(self) -> int:
        """Number of the first row, from 1."""
        return (self.asked.page - 1) * A_PAGE + 1


def coefficients(study: Study) -> dict[str, float]:
    """The objective of a study as coefficients by target, which sum to 1."""
    definition = studies.definition(study)
    targets = definition.targets or []
    row = target_coefficients(targets, definition.objective or {})
    return dict(zip(targets, row.tolist(), strict=True))


def runs_table(
    session: Session, study: Study, asked: RunsAsked, *, sweep_id: UUID | None = None
) -> RunsTable:
    """The page of runs that is asked for; beyond the last page, the last one."""
    some = Some(study.id, sweep_id=sweep_id, purpose=asked.purpose, state=asked.state, words=asked.words)
    total = table_repository.count(session, some)
    last = max(1, -(-total // A_PAGE))
    asked = asked.model_copy(update={"page": min(asked.page, last)})
    found = table_repository.rows(
        session,
        some,
        coefficients(study),
        order=asked.sort,
        falling=asked.falling,
        limit=A_PAGE,
        offset=(asked.page - 1) * A_PAGE,
    )
    moment = now(session)
    shown = [runs.shown((run, sweep, study), moment) for run, sweep, _ in found]
    return RunsTable(asked, shown, {run.id: value for run, _, value in found}, total)
