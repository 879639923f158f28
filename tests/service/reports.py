"""A job of three domains, and reports of it that move its policy."""

from typing import Any

JOB: dict[str, Any] = {
    "name": "run-7b",
    "policy": "odm",
    "domains": [
        {"name": "web", "tokens": 9_000},
        {"name": "code", "tokens": 3_000},
        {"name": "law", "tokens": 1_000},
    ],
    "samples_per_step": 8,
    "lead_steps": 20,
}


def report(step: int, **more: Any) -> dict[str, Any]:
    """A report of ten steps."""
    losses = {"web": 3.0, "code": 2.5, "law": 4.0}
    body = {
        "attempt": 1,
        "source": "rank0",
        "step_from": max(0, step - 9),
        "step_to": step,
        "schedule_version": 1,
        "loss_sums": {name: 512 * loss for name, loss in losses.items()},
        "token_counts": dict.fromkeys(losses, 512),
    }
    return {**body, **more}
