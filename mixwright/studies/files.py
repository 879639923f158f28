"""`mixwright study export` and `import`: studies as files, packed where the name ends in `.gz`."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Literal, cast

import typer

from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.problems import CommandError
from mixwright.studies.calling import StudyName, connected

Target = Annotated[
    Path | None,
    typer.Option(help="File to write; by default STUDY.jsonl. With .gz it is packed.", metavar="FILE"),
]
Csv = Annotated[bool, typer.Option("--csv", help="A table of the runs instead, which cannot be imported.")]
Source = Annotated[Path, typer.Argument(help="File that `export` wrote.", metavar="FILE")]
Name = Annotated[str | None, typer.Option(help="Another name than that in the file.", metavar="NAME")]


@grouped
def export(study: StudyName, *, to: Target = None, csv: Csv = False, service: options.Service) -> None:
    """Write a study as a file: domains, sweeps, runs, observations, fits, proposals, notes."""
    kind: Literal["csv", "jsonl"] = "csv" if csv else "jsonl"
    path = to or Path(f"{study}.{kind}")
    part = path.with_name(f"{path.name}.part")
    try:
        with connected(service) as client, _opened(part, path, "wb") as file:
            client.export_study(study, file, kind=kind)
        part.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    typer.echo(f"{path}: {path.stat().st_size:,} bytes")


@grouped
def import_study(file: Source, *, name: Name = None, service: options.Service) -> None:
    """Bring a study from a file: all of it, or nothing. The very same again changes nothing."""
    try:
        with connected(service) as client, _opened(file, file, "rb") as opened:
            study = client.import_study(opened, name=name)
    except (OSError, EOFError, zlib.error) as error:
        raise CommandError(f"{file} cannot be read: {error}") from None
    typer.echo(f"study {study['name']} with {sum((study['runs'] or {}).values())} runs")


@contextmanager
def _opened(path: Path, named: Path, mode: str) -> Iterator[IO[bytes]]:
    """A file, packed if its final name says so."""
    if named.suffix == ".gz":
        with gzip.open(path, mode) as packed:
            yield cast("IO[bytes]", packed)
    else:
        with path.open(mode) as plain:
            yield plain
