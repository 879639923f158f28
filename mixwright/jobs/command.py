"""`mixwright job`; wiring only."""

import typer

from mixwright.jobs import creating, ending, looking, ordering, replay

app = typer.Typer(help="Watch over live jobs, give them orders, replay them.", no_args_is_help=True)
app.command("create")(creating.create)
app.command("list")(looking.list_jobs)
app.command("show")(looking.show)
app.command("versions")(looking.versions)
app.command("audit")(looking.audit)
app.command("pin")(ordering.pin)
app.command("freeze")(ordering.freeze)
app.command("release")(ordering.release)
app.command("rollback")(ordering.rollback)
app.command("retire")(ordering.retire)
app.command("readmit")(ordering.readmit)
app.command("shadow")(ordering.shadow)
app.command("add-domain")(ordering.add_domain)
app.command("end")(ending.end)
app.command("delete")(ending.delete)
app.command("log")(replay.log)
app.command("replay")(replay.replay)
