"""Notes of a study on its page: shown as Markdown, tried before they are saved."""

from typing import Annotated

from fastapi import APIRouter

from service.dashboard.rendering import fragment
from service.db import SessionDep
from service.schemas import Answer
from service.scopes import Principal, Scope, needs
from service.studies import service as studies
from service.studies.schemas import StudyNotes

router = APIRouter()


class PreviewOut(Answer):
    """Notes as the page shows them."""

    html: str


@router.post("/studies/{study}/notes/preview")
def preview(
    study: str,
    body: StudyNotes,
    session: SessionDep,
    caller: Annotated[Principal, needs(Scope.STUDIES_WRITE)],
) -> PreviewOut:
    """What the page's script shows of notes while they are written; nothing is stored."""
    studies.get(session, caller.project_id, study)
    return PreviewOut(html=fragment("notes_shown.html", notes=body.notes))
