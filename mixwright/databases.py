"""`mixwright db`: the schema of the database."""

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
