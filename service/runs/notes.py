"""Notes and tags of a run: for people, and to be changed in any state."""

from uuid import UUID

from sqlalchemy.orm import Session

from service.models import ProxyRun
from service.preconditions import check_match
from service.runs import service
from service.runs.schemas import NotesBody


def shown(run: ProxyRun) -> NotesBody:
    """The notes of a run."""
    return NotesBody(notes=run.notes, tags=run.tags)


def etag(run: ProxyRun) -> str:
    """What an edit must show, so that it undoes none that its editor has not seen."""
    return f'"{run.revision}"'


def edit(session: Session, project_id: UUID, run_id: UUID, body: NotesBody, if_match: str | None) -> ProxyRun:
    """Replace the notes of a run. The same notes again change nothing.

    Raises:
        NotFoundError: the project has no such run.
        PreconditionRequiredError: no ETag is shown.
        PreconditionFailedError: somebody else has edited them meanwhile.
    """
    run = service.get(session, project_id, run_id, lock=True)[0]
    stored = shown(run)
    if if_match is not None and stored == body:
        return run
    check_match(if_match, etag(run), f"the notes of run {run_id}", stored.model_dump())
    run.notes, run.tags = body.notes, body.tags
    run.revision += 1
    session.flush()
    return run
