"""`mixwright project`: make, list, rename and delete projects, on the database itself."""

import contextlib
import json as json_module
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mixwright.options import printable_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.models import Project
    from service.scopes import Principal

app = typer.Typer(help="Make, list, rename and delete projects.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the project.", callback=printable_name)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit trail.")]


@app.command("create")
def create(name: Name, json: Json = False) -> None:
    """Make a project and print its first key, which may do everything in it and is stored nowhere else."""
    from service.keys.service import create_key_in  # noqa: PLC0415
    from service.projects import service  # noqa: PLC0415
    from service.scopes import PROJECT_SCOPES  # noqa: PLC0415

    with _working() as (session, operator):
        project = service.create(session, operator, name)
        _, secret = create_key_in(session, project.id, name="admin", scopes=PROJECT_SCOPES)
        row = {"id": str(project.id), "name": name, "key": secret.text}
    typer.echo(json_module.dumps(row) if json else secret.text)


@app.command("list")
def list_projects(json: Json = False) -> None:
    """List all projects."""
    from service.projects import repository  # noqa: PLC0415
    from service.projects.schemas import ProjectOut  # noqa: PLC0415

    with _working() as (session, _):
        projects = [ProjectOut.model_validate(row) for row in repository.everyone(session)]
    if json:
        typer.echo(json_module.dumps([project.model_dump(mode="json") for project in projects]))
        return
    table = Table("name", "id", "made")
    for project in projects:
        table.add_row(escape(project.name), str(project.id), f"{project.created_at:%Y-%m-%d}")
    Console().print(table)


@app.command("rename")
def rename(
    name: Name,
    new_name: Annotated[str, typer.Argument(help="Its new name.", callback=printable_name)],
    reason: Reason = "",
) -> None:
    """Give a project another name."""
    from service.projects import service  # noqa: PLC0415

    with _working() as (session, operator):
        service.rename(session, operator, _found(session, name), new_name, reason)
    typer.echo(f"renamed {name} to {new_name}")


@app.command("delete")
def delete(name: Name, reason: Reason = "") -> None:
    """Delete a project that has neither studies nor jobs, with its keys and its audit trail."""
    from service.projects import service  # noqa: PLC0415

    with _working() as (session, operator):
        service.remove(session, operator, _found(session, name), reason)
    typer.echo(f"deleted {name}")


@contextlib.contextmanager
def _working() -> Iterator[tuple["Session", "Principal"]]:
    """The database, and who works on it: what is done is told in the trail of the default project, too."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service.audit.trail import operator_here  # noqa: PLC0415
    from service.keys.service import DEFAULT_PROJECT  # noqa: PLC0415
    from service.projects import service  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    with opened(read_settings()) as database, database.session() as session:
        yield session, operator_here(service.called(session, DEFAULT_PROJECT).id)


def _found(session: "Session", name: str) -> "Project":
    from mixwright.problems import CommandError  # noqa: PLC0415
    from service.keys.repository import project_named  # noqa: PLC0415
    from service.projects import service  # noqa: PLC0415

    project = project_named(session, name)
    if project is None:
        raise CommandError(f"no project {name!r}: `mixwright project list` shows them")
    return service.get(session, project.id)
