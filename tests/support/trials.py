"""A small study, its runs and their results, for tests of what becomes of runs."""

from typing import Any

from sqlalchemy import text

from tests.support.servers import Service

STUDY = "trial"
DOMAINS = [
    {"name": "web", "tokens": 9_000_000},
    {"name": "code", "tokens": 3_000_000},
    {"name": "law", "tokens": 1_000_000},
]
WEIGHTS = {"web": 0.5, "code": 0.25, "law": 0.25}


def queued(service: Service, count: int) -> list[str]:
    """A study with so many pending runs; their ids, oldest first."""
    service.client.create_study({"name": STUDY, "domains": DOMAINS})
    service.client.create_sweep(STUDY, {"design": "sobol", "count": count})
    return [run["id"] for run in service.client.runs(STUDY)]


def claimed(service: Service, worker: str = "worker-1") -> dict[str, Any]:
    """The lease of the only run of a study."""
    queued(service, 1)
    lease = service.client.claim_run(worker)
    assert lease is not None
    return lease


def result(lease: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """What a run measured, under a lease or of its client's own."""
    body = {
        "lease": lease and lease["lease"],
        "losses": {"web": 3.0, "code": 3.1, "law": 3.2},
        "step": 700,
        "tokens": 400_000,
        "model_parameters": 92_000,
        "seconds": 8.0,
    }
    return {**body, **more}


def let_leases_expire(service: Service) -> None:
    """Let the database believe that every lease has ended."""
    with service.database.session() as session:
        session.execute(text("UPDATE proxy_runs SET lease_expires_at = now() - interval '1 second'"))


def run_of(service: Service, run_id: str) -> dict[str, Any]:
    """A run as it is now."""
    run: dict[str, Any] = service.client.call("GET", f"/v1/runs/{run_id}")
    return run
