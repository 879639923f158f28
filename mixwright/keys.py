"""`mixwright key`: make, list and revoke API keys, on the database itself."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mixwright.options import printable_name

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)

Project = Annotated[str, typer.Option(help="Project of the key.", callback=printable_name)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.", callback=printable_name)],
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope; repeat it for more; by default those of a worker.")
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Give every scope.")] = False,
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
    from service.keys.key_files import ensure_key  # noqa: PLC0415
    from service.keys.service import create_key  # noqa: PLC0415
    from service.scopes import EVERY_SCOPE, WORKER_SCOPES  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    scopes = EVERY_SCOPE if admin else (scope or WORKER_SCOPES)
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
    )
    for key in keys:
        until = f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "it is revoked"
        if key.revoked_at:
            until = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}"
        table.add_row(f"{key.id}\n{key.public_part}", escape(key.name), " ".join(key.scopes), until)
    Console().print(table)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key.")], project: Project = "default"
) -> None:
    """Revoke a key; requests with it are refused within seconds."""
    from uuid import UUID  # noqa: PLC0415

    from mixwright.configuration import read_settings  # noqa: PLC0415
    from mixwright.problems import CommandError  # noqa: PLC0415
    from service.keys import repository  # noqa: PLC0415
    from service.keys.service import revoke_key  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    try:
        wanted = UUID(key_id)
    except ValueError:
        raise CommandError(f"{key_id!r} is no key id: `mixwright key list` shows them") from None
    with opened(read_settings()) as database, database.session() as session:
        owner = repository.project_named(session, project)
        if owner is None:
            raise CommandError(f"no project {project!r}")
        revoke_key(session, owner.id, wanted)
    typer.echo(f"revoked {key_id}")
