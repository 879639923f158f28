"""`mixwright import`: finished runs from files into a study of a running service."""

import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.offline.proposal_options import Tokens
from mixwright.problems import CommandError

if TYPE_CHECKING:
    from mixclient.documents.runs import ImportedRunBody
    from mixclient.documents.shared import DomainBody

    from mixclient import ServiceClient
    from mixlaws.swarm import Swarm
    from service.importers.rules import ImportedRuns

_AT_ONCE = 500  # runs of a request: with two thousand domains each still far below the largest body


@grouped
def import_runs(
    runs: options.Runs,
    *,
    study: Annotated[str, typer.Option(help="Study that the runs belong to.")],
    tokens: Tokens = None,
    json: options.Json = False,
    reading: options.Reading,
    service: options.Service,
) -> None:
    """Import finished runs into a study; the same again changes nothing."""
    from mixclient import ServiceClient  # noqa: PLC0415
    from mixwright.handshake import admin_key, require_address  # noqa: PLC0415
    from mixwright.offline import loading  # noqa: PLC0415

    require_address(service.url)
    counts = None if tokens is None else options.numbers_of_file(tokens, "the tokens")
    loaded = loading.load(str(runs), reading, console=None if json else Console())
    with ServiceClient(service.url, service.key or admin_key(service.url)) as client:
        _prepare(client, study, loaded.swarm, counts)
        created, duplicates = _send(client, study, loaded.imported, loaded.swarm)
    if json:
        told = {"created": created, "duplicates": duplicates, "import": loaded.imported.report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        typer.echo(f"{created} runs imported into {study}, {duplicates} stood there already")


def _prepare(client: "ServiceClient", study: str, swarm: "Swarm", counts: dict[str, float] | None) -> None:
    """Make the study where the tokens of its domains are given; else it must be there."""
    from mixclient import NotFoundError  # noqa: PLC0415

    if counts is None:
        try:
            client.study(study)
        except NotFoundError:
            raise CommandError(
                f"no study {study!r}: give --tokens FILE, the tokens of each domain, and it is made"
            ) from None
        return
    sizes = swarm.domains.to_array(counts)
    domains: list[DomainBody] = [
        {"name": name, "tokens": int(size)} for name, size in zip(swarm.domains.names, sizes, strict=True)
    ]
    client.create_study({"name": study, "domains": domains, "targets": list(swarm.targets)})


def _send(client: "ServiceClient", study: str, imported: "ImportedRuns", swarm: "Swarm") -> tuple[int, int]:
    """Send the runs, and count those that were new and those that were not."""
    source, created, duplicates = ", ".join(imported.report.files), 0, 0
    bodies = [_body(imported, swarm, row) for row in range(len(swarm))]
    for start in range(0, len(bodies), _AT_ONCE):
        answer = client.import_runs(study, bodies[start : start + _AT_ONCE], source=source)
        created, duplicates = created + answer["created"], duplicates + answer["duplicates"]
    return created, duplicates


def _body(imported: "ImportedRuns", swarm: "Swarm", row: int) -> "ImportedRunBody":
    run = imported.runs[row]
    return {
        "name": run.name,
        "weights": swarm.domains.to_mapping(swarm.weights[row]),
        "losses": dict(zip(swarm.targets, swarm.values[row].tolist(), strict=True)),
        "seed": run.seed or 0,
        "step": run.step or 0,
        "tokens": run.tokens,
        "model_parameters": run.model_parameters,
    }
