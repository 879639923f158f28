"""Projects: made, renamed, removed once they are empty."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.audit import trail
from service.errors import ConflictError, NotFoundError
from service.models import AuditKind, Project
from service.projects import repository
from service.scopes import Principal


def called(session: Session, name: str) -> Project:
    """The project of a name, which is made if it is new."""
    return repository.insert_or_get(session, name)[0]


def create(session: Session, who: Principal, name: str) -> Project:
    """Make a project. It has no key yet.

    Raises:
        ConflictError: the name is taken.
    """
    project, created = repository.insert_or_get(session, name)
    if not created:
        raise _taken(name)
    _told(session, who, AuditKind.PROJECT_CREATED, project, "")
    return project


def get(session: Session, project_id: UUID) -> Project:
    """A project, locked.

    Raises:
        NotFoundError: there is none of that id.
    """
    project = repository.by_id(session, project_id)
    if project is None:
        raise NotFoundError(f"no project {project_id}: list the projects to find its id")
    return project


def rename(session: Session, who: Principal, project: Project, name: str, reason: str) -> None:
    """Give a project another name; nothing else refers to it by its name.

    Raises:
        ConflictError: the name is taken.
    """
    before = project.name
    if name == before:
        return
    project.name = name
    try:
        session.flush()
    except IntegrityError:
        raise _taken(name) from None
    _told(session, who, AuditKind.PROJECT_RENAMED, project, reason, before=before)


def remove(session: Session, who: Principal, project: Project, reason: str) -> None:
    """Delete an empty project with its keys and its trail; the trail of whoever does it tells of it.

    Raises:
        ConflictError: it holds studies or jobs, or the caller belongs to it.
    """
    if project.id == who.project_id:
        raise ConflictError(
            f"{project.name!r} is the project of your own key: use a key of another", code="own_project"
        )
    held = [what for what, some in repository.holds(session, project.id).items() if some]
    if held:
        raise ConflictError(
            f"project {project.name!r} still has {' and '.join(held)}: delete them first",
            code="project_not_empty",
        )
    trail.record(
        session, who, AuditKind.PROJECT_DELETED, project.name, reason=reason, project=str(project.id)
    )
    repository.remove(session, project.id)


def _told(
    session: Session, who: Principal, kind: AuditKind, project: Project, reason: str, **details: str
) -> None:
    """Tell both trails: that of the project, and that of whoever does it."""
    for project_id in {project.id, who.project_id}:
        trail.record(session, who, kind, project.name, reason=reason, project_id=project_id, **details)


def _taken(name: str) -> ConflictError:
    return ConflictError(f"there is a project {name!r} already: choose another name", code="project_exists")
