"""`mixwright key`: make, list, replace and revoke API keys, on the database itself."""

import contextlib
import json as json_module
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mixwright.options import printable_name

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from service.scopes import Principal

app = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)

Project = Annotated[str, typer.Option(help="Project of the key.", callback=printable_name)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KeyId = Annotated[str, typer.Argument(help="Id of the key.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit trail.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.", callback=printable_name)],
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope; repeat it for more; by default those of a worker.")
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Give every scope of the project.")] = False,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires.")] = None,
    project: Project = "default",
    file: Annotated[
        Path | None,
        typer.Option(help="Keep the key in this file and print nothing; one that lies there is taken over."),
    ] = None,
    json: Json = False,
) -> None:
    """Make a key and print it: it is stored nowhere else."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from mixwright.problems import CommandError  # noqa: PLC0415
    from service.audit import trail  # noqa: PLC0415
    from service.keys.key_files import ensure_key  # noqa: PLC0415
    from service.keys.service import create_key  # noqa: PLC0415
    from service.models import AuditKind  # noqa: PLC0415
    from service.scopes import PROJECT_SCOPES, WORKER_SCOPES  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    scopes = PROJECT_SCOPES if admin else (scope or WORKER_SCOPES)
    if file is not None:
        if days is not None or json:
            raise CommandError(
                "--file keeps a key without end and prints nothing: leave --days and --json out"
            )
        with opened(read_settings()) as database:
            ensure_key(database, file, name=name, scopes=scopes, project=project)
        return
    with opened(read_settings()) as database, database.session() as session:
        key, secret = create_key(session, name=name, scopes=scopes, project=project, days=days)
        operator = trail.operator_here(key.project_id)
        trail.record(session, operator, AuditKind.KEY_CREATED, name, key=str(key.id), scopes=key.scopes)
        row = {"id": str(key.id), "name": name, "key": secret.text, "scopes": key.scopes, "project": project}
    typer.echo(json_module.dumps(row) if json else secret.text)


@app.command("list")
def list_keys(project: Project = "default", json: Json = False) -> None:
    """List the keys of a project, without their secrets."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service.keys import repository  # noqa: PLC0415
    from service.keys.schemas import KeyOut  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    with opened(read_settings()) as database, database.session() as session:
        owner = repository.project_named(session, project)
        keys = [KeyOut.model_validate(key) for key in repository.keys_of(session, owner.id)] if owner else []
    if json:
        typer.echo(json_module.dumps([key.model_dump(mode="json") for key in keys]))
        return
    # On a narrow terminal cells fold: an id that is cut off could not be given to `revoke`.
    table = Table(
        Column("id, public part", no_wrap=True, min_width=36),
        Column("name", overflow="fold"),
        Column("scopes", min_width=11),
        "good until",
        "last used",
    )
    for key in keys:
        until = f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "it is revoked"
        if key.revoked_at:
            until = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        table.add_row(f"{key.id}\n{key.public_part}", escape(key.name), " ".join(key.scopes), until, used)
    Console().print(table)


@app.command("rotate")
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=720, help="How long the old key still works; 0 ends it at once.")
    ] = 24.0,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="Days until the new one expires; by default as the old one had."),
    ] = None,
    reason: Reason = "",
    project: Project = "default",
) -> None:
    """Replace a key by a new one of the same name and scopes, and print that."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service.audit import trail  # noqa: PLC0415
    from service.keys.admin_key import renew_admin_key  # noqa: PLC0415
    from service.keys.service import own_key, rotate_key  # noqa: PLC0415
    from service.models import AuditKind  # noqa: PLC0415

    with _working(project, key_id) as (session, operator, wanted):
        old = own_key(session, operator.project_id, wanted)
        seconds = round(overlap_hours * 3600)
        key, secret = rotate_key(session, old, overlap_seconds=seconds, days=days)
        trail.record(
            session,
            operator,
            AuditKind.KEY_ROTATED,
            key.name,
            reason=reason,
            key=str(key.id),
            replaces=str(old.id),
            overlap_seconds=seconds,
        )
        public_part = old.public_part
    file = read_settings().admin_key_file
    if renew_admin_key(file, public_part, secret.text):
        typer.echo(f"it was the admin key of this installation: {file} holds the new one", err=True)
    typer.echo(secret.text)


@app.command("revoke")
def revoke(key_id: KeyId, reason: Reason = "", project: Project = "default") -> None:
    """Revoke a key; requests with it are refused within seconds."""
    from service.audit import trail  # noqa: PLC0415
    from service.keys.service import revoke_key  # noqa: PLC0415
    from service.models import AuditKind  # noqa: PLC0415

    with _working(project, key_id) as (session, operator, wanted):
        key, revoked = revoke_key(session, operator.project_id, wanted)
        if revoked:
            name = key.name
            trail.record(session, operator, AuditKind.KEY_REVOKED, name, reason=reason, key=str(key.id))
    typer.echo(f"revoked {key_id}")


@contextlib.contextmanager
def _working(project: str, key_id: str) -> Iterator[tuple["Session", "Principal", "UUID"]]:
    """The database, whoever works on a project of it, and the key that is meant."""
    from uuid import UUID  # noqa: PLC0415

    from mixwright.configuration import read_settings  # noqa: PLC0415
    from mixwright.problems import CommandError  # noqa: PLC0415
    from service.audit.trail import operator_here  # noqa: PLC0415
    from service.keys.repository import project_named  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    try:
        wanted = UUID(key_id)
    except ValueError:
        raise CommandError(f"{key_id!r} is no key id: `mixwright key list` shows them") from None
    with opened(read_settings()) as database, database.session() as session:
        owner = project_named(session, project)
        if owner is None:
            raise CommandError(f"no project {project!r}: `mixwright project list` shows them")
        yield session, operator_here(owner.id), wanted
