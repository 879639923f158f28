"""The argument that commands about one job share."""

from typing import Annotated

import typer

JobName = Annotated[str, typer.Argument(help="Name of the job.", metavar="JOB")]
