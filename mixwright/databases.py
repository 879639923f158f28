"""`mixwright db`: the schema of the database, and its backups."""

from pathlib import Path
from typing import Annotated

import typer

from mixwright.options import in_existing_folder

app = typer.Typer(help="Look at the database, bring its schema up to date, back it up.", no_args_is_help=True)


@app.command("upgrade")
def upgrade() -> None:
    """Bring the schema to that of this version."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service import migrate  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    with opened(read_settings(), report=_tell) as database:
        typer.echo(f"at revision {migrate.current(database.engine)}")


@app.command("current")
def current() -> None:
    """Show the revision of the schema, and which one this version needs."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service import migrate  # noqa: PLC0415
    from service.startup import connected  # noqa: PLC0415

    with connected(read_settings()) as database:
        typer.echo(f"at revision {migrate.current(database.engine) or 'none'}, needs {migrate.newest()}")


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="File to write.", callback=in_existing_folder)],
) -> None:
    """Write the whole database to a file; the service may go on meanwhile."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service import backup as backups  # noqa: PLC0415
    from service.startup import connected  # noqa: PLC0415

    with connected(read_settings(), report=_tell) as database:
        size = backups.backup(database, file, report=_tell)
    typer.echo(f"{file}: {size / 1e6:.1f} MB, readable by you alone")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `mixwright db backup` has written.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what the database holds.")] = False,
) -> None:
    """Replace the database by a backup, all or nothing; stop the service first."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service import backup as backups  # noqa: PLC0415
    from service.startup import connected  # noqa: PLC0415

    with connected(read_settings(), report=_tell) as database:
        jobs = backups.restore(database, file, force=force, report=_tell)
    typer.echo(f"restored; {jobs} jobs publish their schedules anew, in numbers that no trainer has seen")


@app.command("restored")
def restored() -> None:
    """Say that the database was restored by other means: its jobs then go on under new numbers."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service import backup as backups  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    with opened(read_settings(), report=_tell) as database:
        jobs = backups.note(database, report=_tell)
    typer.echo(f"{jobs} jobs publish their schedules anew, in numbers that no trainer has seen")


@app.command("clean")
def clean(
    keep_reports_days: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="DAYS",
            help="Drop reports of jobs that ended longer ago; by default MIXWRIGHT_KEEP_REPORTS_DAYS.",
        ),
    ] = None,
) -> None:
    """Remove the rows of deleted studies and jobs, and reports that are too old; the service does so, too."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service.retention import cleaning  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    settings = read_settings()
    days = settings.keep_reports_days if keep_reports_days is None else keep_reports_days
    with opened(settings, report=lambda sentence: typer.echo(sentence, err=True)) as database:
        removed = cleaning.clean(database, keep_reports_days=days)
    for table, rows in removed.items():
        typer.echo(f"removed {rows} rows of {table}")
    if not removed:
        typer.echo("nothing to remove")


def _tell(sentence: str) -> None:
    typer.echo(sentence, err=True)
