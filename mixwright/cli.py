"""The command line; wiring only. Each command imports what it needs when it runs."""

import sys

import typer
from rich.console import Console

from mixwright import databases, keys, projects, serve, work
from mixwright.demo import command as demo
from mixwright.interruption import unwind_when_terminated
from mixwright.jobs import command as jobs
from mixwright.measure import measure
from mixwright.offline.fit import fit
from mixwright.offline.mix import mix
from mixwright.offline.plan import plan
from mixwright.offline.propose import propose
from mixwright.offline.scale import scale
from mixwright.offline.send import import_runs
from mixwright.problems import explained
from mixwright.showing import visible
from mixwright.studies import command as studies

app = typer.Typer(
    name="mixwright",
    help="Decides what a language model trains on next.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("worker")(work.worker)
app.command("demo")(demo.demo)
app.command("fit")(fit)
app.command("propose")(propose)
app.command("plan")(plan)
app.command("scale")(scale)
app.command("mix")(mix)
app.command("measure")(measure)
app.command("import")(import_runs)
app.add_typer(studies.app, name="study")
app.add_typer(jobs.app, name="job")
app.add_typer(keys.app, name="key")
app.add_typer(projects.app, name="project")
app.add_typer(databases.app, name="db")


def main() -> None:
    """Run a command; what went wrong is told in a sentence, and not as a stack trace."""
    unwind_when_terminated()
    try:
        app()
    except Exception as error:
        text = explained(error)
        if text is None:
            raise
        Console(stderr=True).print(
            f"[bold red]mixwright:[/] {visible(text)}", highlight=False, soft_wrap=True
        )
        sys.exit(1)
