"""`mixwright study`; wiring only."""

import typer

from mixwright.studies import files, looking

app = typer.Typer(help="Look at studies, move them between installations, delete them.", no_args_is_help=True)
app.command("list")(looking.list_studies)
app.command("show")(looking.show)
app.command("delete")(looking.delete)
app.command("export")(files.export)
app.command("import")(files.import_study)
