"""Runs, fits and jobs as the service answers them, with numbers that are easy to compute with by hand."""

from typing import Any

SHARES = {"web": 0.75, "code": 0.25}


def run(label: str, web: float, code: float, *, job: str | None = None, **result: Any) -> dict[str, Any]:
    """A completed run; its bits per byte are half its losses."""
    return {
        "label": label,
        "seed": int(label[-1]) if label[-1].isdigit() else 0,
        "job": job,
        "weights": {"web": 0.5, "code": 0.5},
        "train": {"report_every": 10},
        "result": {
            "losses": {"web": web, "code": code},
            "bits_per_byte": {"web": web / 2, "code": code / 2},
            "model_parameters": 92_000,
            "tokens": 400_000,
            "step": 100,
            **result,
        },
    }


def confirmed() -> list[dict[str, Any]]:
    """Target runs: two seeds of two references, one of a proposal, and two live ones."""
    return [
        run("proposal, seed 0", 3.6, 2.0),
        run("uniform, seed 0", 4.4, 2.2),
        run("uniform, seed 1", 4.4, 2.6),
        run("natural, seed 0", 4.0, 3.0),
        run("natural, seed 1", 4.0, 3.4),
        run("odm, live, seed 0", 3.0, 3.0, job="one"),
        run("odm, live, seed 1", 5.0, 3.0, job="two"),
    ]


def version(step: int, applied: int | None, web: float) -> dict[str, Any]:
    """A version of a schedule, and the step at which the trainer switched to it."""
    return {"effective_step": step, "applied_at_step": applied, "weights": {"web": web, "code": 1 - web}}


def proposal(fit: str, gain: float, disagreeing: list[str]) -> dict[str, Any]:
    """A proposal of one mixture, with what the other methods think of it."""
    mixture = {"weights": {"web": 0.6, "code": 0.4}, "gain_over_prior": gain, "disagreeing": disagreeing}
    references = {
        "prior": {"weights": {"web": 0.75, "code": 0.25}},
        "uniform": {"weights": {"web": 0.5, "code": 0.5}},
    }
    return {
        "fit_id": fit,
        "configuration": {"proposer": "convex"},
        "references": references,
        "proposals": [mixture],
    }
