"""A study and a job with everything in them, made through the API in a few seconds, without training."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mixclient import Schedule
from mixlaws.simulation import Simulation
from tests.support.servers import Service

STUDY, JOB = "populated", "populated-job"
_STEPS = 400


def finish_runs(
    service: Service, simulation: Simulation, *, noise: float, seed: int, study: str | None = None
) -> int:
    """Hand in results of every open run, measured on a known truth; returns how many there were."""
    rng = np.random.default_rng(seed)
    domains = simulation.problem.domains
    count = 0
    while lease := service.client.claim_run("tester", study=study):
        weights = domains.to_array(lease["run"]["weights"])
        losses = simulation.truth.predict(weights[None, :])[0] + noise * rng.standard_normal(len(domains))
        service.client.put_result(
            lease["run"]["id"],
            {
                "lease": lease["lease"],
                "losses": domains.to_mapping(losses),
                "bits_per_byte": domains.to_mapping(losses / 1.7),
                "step": 700,
                "tokens": 400_000,
                "model_parameters": 92_000,
                "seconds": 8.0,
            },
        )
        count += 1
    return count


def settled(read: Callable[..., dict[str, Any]], row_id: str) -> dict[str, Any]:
    """A fit or proposal once its task has ended."""
    deadline = time.monotonic() + 120
    while True:
        row = read(row_id, wait=20)
        if row["state"] not in {"queued", "running"}:
            return row
        assert time.monotonic() < deadline, f"still {row['state']}"


def populate(service: Service, *, domains: int = 6) -> dict[str, str]:
    """Fill a service; returns the paths of all its pages by name."""
    simulation = Simulation.create(domains=domains, rng=np.random.default_rng(3))
    named = simulation.problem.domains
    rows = [{"name": n, "tokens": t} for n, t in zip(named.names, named.tokens, strict=True)]
    service.client.create_study({"name": STUDY, "domains": rows})
    uniform = named.to_mapping(np.full(domains, 1 / domains))
    repeats = [{"weights": uniform, "label": f"uniform, seed {seed}", "seed": seed} for seed in range(3)]
    sweep = service.client.create_sweep(STUDY, {"design": "sobol", "count": 24, "mixtures": repeats})
    finish_runs(service, simulation, noise=0.02, seed=0)
    fits = [
        service.client.create_fit(STUDY, {"method": m}) for m in ("gaussian_process", "exponential", "linear")
    ]
    done = [settled(service.client.fit, fit["id"]) for fit in fits]
    asked = service.client.create_proposal(STUDY, {"fit_id": done[0]["id"], "count": 2})
    proposal = settled(service.client.proposal, asked["id"])
    chosen = proposal["proposals"][0]["weights"]
    service.client.create_sweep(
        STUDY,
        {
            "purpose": "confirmation",
            "mixtures": [
                {"weights": weights, "label": f"{name}, seed {seed}", "seed": seed}
                for name, weights in (
                    ("natural", named.to_mapping(named.natural)),
                    ("uniform", uniform),
                    ("proposal", chosen),
                )
                for seed in range(3)
            ],
        },
    )
    finish_runs(service, simulation, noise=0.02, seed=1)
    run_job(service, JOB, rows, study=STUDY)
    # Something that still waits, and something that failed, so that pages show these too.
    service.client.create_sweep(STUDY, {"design": "sobol", "count": 2, "seed": 5})
    lease = service.client.claim_run("tester")
    assert lease is not None
    service.client.put_failure(lease["run"]["id"], lease["lease"], "out of memory at step 12")
    return {
        "home": "/",
        "study": f"/studies/{STUDY}",
        "fit": f"/fits/{done[0]['id']}",
        "explore": f"/fits/{done[0]['id']}/explore",
        "sweep": f"/studies/{STUDY}/sweeps/{sweep['id']}?view=matrix",
        "linear-fit": f"/fits/{done[2]['id']}",
        "proposal": f"/proposals/{proposal['id']}",
        "job": f"/jobs/{JOB}",
    }


def run_job(service: Service, name: str, rows: list[dict[str, Any]], *, study: str | None = None) -> None:
    """Create a live job and play a trainer that reports falling losses."""
    body = {"name": name, "policy": "odm", "domains": rows, "samples_per_step": 8, "lead_steps": 20}
    service.client.create_job({**body, "guards": {"floor": 0.01}, "study": study})
    rng = np.random.default_rng(1)
    for step in range(9, _STEPS, 10):
        report(service, name, step, rng)


def report(service: Service, name: str, step: int, rng: np.random.Generator) -> None:
    """Send one report of a job, as its trainer would."""
    schedule = Schedule.parse(service.client.call("GET", f"/v1/jobs/{name}/schedule"))
    losses = {
        domain: 2.5 + 0.3 * i + 4 / np.sqrt(step) + 0.05 * rng.standard_normal()
        for i, domain in enumerate(schedule.domains)
    }
    service.client.call(
        "POST",
        f"/v1/jobs/{name}/reports",
        body={
            "attempt": schedule.attempt,
            "source": "rank0",
            "step_from": step - 9,
            "step_to": step,
            "schedule_version": schedule.stage_at(step).version,
            "loss_sums": {domain: 512 * float(loss) for domain, loss in losses.items()},
            "token_counts": dict.fromkeys(losses, 512),
        },
    )
    stage = schedule.stage_at(step)
    ack = {"attempt": 1, "version": stage.version, "step": stage.effective_step, "outcome": "applied"}
    service.client.call("POST", f"/v1/jobs/{name}/acks", body=ack)
