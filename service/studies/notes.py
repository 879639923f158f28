"""Notes of a study: Markdown for people, which several of them may edit at once."""

from uuid import UUID

from sqlalchemy.orm import Session

from service.models import Study
from service.preconditions import check_match
from service.studies import repository, service
from service.studies.schemas import StudyNotes


def shown(study: Study) -> StudyNotes:
    """The notes of a study; those that it was created with, until somebody edits them."""
    created_with: str = study.definition.get("notes", "")
    return StudyNotes(notes=created_with if study.notes is None else study.notes)


def etag(study: Study) -> str:
    """What an edit must show. It names the study, as another one may get its name later."""
    return f'"{study.id.hex}-{study.notes_revision}"'


def edit(
    session: Session, project_id: UUID, name: str, body: StudyNotes, if_match: str | None
) -> tuple[Study, bool]:
    """Replace the notes of a study; False if they are these already.

    Raises:
        NotFoundError: the project has no such study.
        PreconditionRequiredError: no ETag is shown.
        PreconditionFailedError: somebody else has edited them meanwhile.
    """
    study = service.get(session, project_id, name)
    repository.lock_notes(session, study)
    stored = shown(study)
    if if_match is not None and stored == body:
        return study, False
    check_match(if_match, etag(study), f"the notes of study {name!r}", stored.model_dump())
    study.notes = body.notes
    study.notes_revision += 1
    session.flush()
    return study, True
