"""How much one project may keep. Checked after the rows of a request are written and before its commit.

So the same request again, which makes nothing, is answered as ever, however full the project is. Two
requests at once may each see the last free place: quotas keep a runaway script out, and are no account.
Sessions that no request opened, such as those of the command line, have no quotas.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from service.errors import QuotaError
from service.limits import quotas_repository

Counted = Literal["studies", "runs", "jobs", "keys"]
_SLOT = "quotas"


@dataclass(frozen=True)
class Quotas:
    """Most of each kind in one project; 0 for any number.

    Args:
        studies: studies.
        runs: proxy runs of all studies, in any state.
        jobs: live jobs.
        keys: keys that are not revoked.
        definition_bytes: of one stored definition, as JSON.
    """

    studies: int
    runs: int
    jobs: int
    keys: int
    definition_bytes: int


def hold(session: Session, quotas: Quotas) -> None:
    """Let quotas hold for what a session writes."""
    session.info[_SLOT] = quotas


def check_count(session: Session, project_id: UUID | None, counted: Counted) -> None:
    """Check that a project has no more of a kind than it may.

    Raises:
        QuotaError: it has, with what was just written.
    """
    most = getattr(session.info.get(_SLOT), counted, 0)
    if not most or project_id is None:  # none: it was deleted meanwhile
        return
    session.flush()
    used = quotas_repository.count(session, project_id, counted)
    if used > most:
        _refuse(counted, most, used, f"this would be number {used} of the project's {counted}, of which")


def check_definition(session: Session, definition: Mapping[str, Any]) -> None:
    """Check that a definition is no larger than may be stored.

    Raises:
        QuotaError: it is.
    """
    most = getattr(session.info.get(_SLOT), "definition_bytes", 0)
    if most and (used := len(json.dumps(definition, ensure_ascii=False).encode())) > most:
        _refuse("definition_bytes", most, used, f"this definition has {used} bytes as JSON, of which")


def _refuse(quota: str, most: int, used: int, words: str) -> None:
    remedy = "use fewer or shorter names" if quota == "definition_bytes" else "take some away"
    raise QuotaError(
        f"{words} {most} are allowed: {remedy}, or raise MIXWRIGHT_MOST_{quota.upper()}",
        extra={"quota": quota, "limit": most, "used": used},
    )
