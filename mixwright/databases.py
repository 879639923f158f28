"""`mixwright db`: the schema of the database."""

from typing import Annotated

import typer

app = typer.Typer(help="Look at the database and bring its schema up to date.", no_args_is_help=True)


@app.command("upgrade")
def upgrade() -> None:
    """Bring the schema to that of this version."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service import migrate  # noqa: PLC0415
    from service.startup import opened  # noqa: PLC0415

    with opened(read_settings(), report=lambda sentence: typer.echo(sentence, err=True)) as database:
        typer.echo(f"at revision {migrate.current(database.engine)}")


@app.command("current")
def current() -> None:
    """Show the revision of the schema, and which one this version needs."""
    from mixwright.configuration import read_settings  # noqa: PLC0415
    from service import migrate  # noqa: PLC0415
    from service.startup import connected  # noqa: PLC0415

    with connected(read_settings()) as database:
        typer.echo(f"at revision {migrate.current(database.engine) or 'none'}, needs {migrate.newest()}")


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
