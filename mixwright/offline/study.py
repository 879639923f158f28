"""The finished proxy runs of a study, read from a running service."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mixclient.documents.studies import StudyIn

from mixclient import ServiceClient
from mixlaws.domains import DomainSet
from mixwright.handshake import admin_key, require_address
from service.importers.rules import ImportedRuns, gathered
from service.importers.run import Run, Source


def runs_of_study(name: str, *, url: str, key: str | None) -> tuple[ImportedRuns, StudyIn]:
    """Completed runs of the proxy sweeps of a study, and what it was created with, complete with defaults.

    Raises:
        CommandError: the address cannot be right, or no key is known.
        ServiceError: the service refuses the key or has no such study.
        ImportRefusedError: no run is finished.
    """
    with _client(url, key) as client:
        definition = client.study(name)["definition"]
        rows = client.runs(name, state="completed", purpose="proxy")
    domains = DomainSet.from_tokens({domain["name"]: domain["tokens"] for domain in definition["domains"]})
    source = Source(
        format="service",
        files=(f"study {name}",),
        rows=len(rows),
        domains=domains.names,
        targets=tuple(definition["targets"] or ()),
        runs=tuple(_run(row) for row in rows),
    )
    imported = gathered(source)
    return replace(imported, swarm=replace(imported.swarm, domains=domains)), definition


def definition_of_study(name: str, *, url: str, key: str | None) -> StudyIn:
    """What a study was created with, complete with defaults.

    Raises:
        CommandError: the address cannot be right, or no key is known.
        ServiceError: the service refuses the key or has no such study.
    """
    with _client(url, key) as client:
        return client.study(name)["definition"]


def _client(url: str, key: str | None) -> ServiceClient:
    require_address(url)
    return ServiceClient(url, key or admin_key(url))


def _run(row: Mapping[str, Any]) -> Run:
    result = row["result"]
    return Run(
        name=row["id"],  # labels repeat from sweep to sweep
        place=f"run {row['label']}",
        weights=row["weights"],
        values=result["losses"],
        seed=row["seed"],
        step=result["step"],
        tokens=result["tokens"],
        model_parameters=result["model_parameters"],
    )
