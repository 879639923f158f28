"""Two stages of a proposal, in the child that computes it."""

from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import AnyProposer, Predictor
from mixlaws.problem import MixtureProblem
from mixlaws.two_stages import SecondObjective, SecondStage, schedule_document


def second_stage(
    raw: dict[str, Any] | None,
    proposer: AnyProposer,
    predictor: Predictor,
    problem: MixtureProblem,
    rng: np.random.Generator,
) -> SecondStage | None:
    """The second stage that a request states, or asks to look for."""
    if raw is None:
        return None
    if raw["weights"] is not None:
        return SecondStage(raw["share"], np.array(raw["weights"]))
    looked_for = SecondObjective(raw["share"], np.array(raw["coefficients"]))
    return looked_for.found(proposer, predictor, problem, rng)


def staged(
    weights: FloatArray, second: SecondStage | None, problem: MixtureProblem, raw: dict[str, Any] | None
) -> dict[str, Any]:
    """The stages of a mixture with their schedule; empty where there is one stage."""
    if second is None or raw is None:
        return {}
    both = second.stages(problem, weights)
    shares = (1 - second.share, second.share)
    told: dict[str, Any] = {
        "stages": [
            {"share": share, "weights": stage.tolist()} for share, stage in zip(shares, both, strict=True)
        ]
    }
    if raw["steps"] is not None:
        told["schedule"] = schedule_document(
            problem.domains, both, share=second.share, steps=raw["steps"],
            samples_per_step=raw["samples_per_step"], max_epochs=problem.epochs_by_name,
        )  # fmt: skip
    return told
