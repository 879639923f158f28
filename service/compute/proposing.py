"""Turn a fit into proposals, and ask every other good fit what it thinks of them."""

from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor, Proposal
from mixlaws.judging import judged
from mixlaws.problem import MixtureProblem
from mixlaws.registry import PROPOSERS
from service.compute.predictors import load_predictor
from service.compute.swarms import load_problem
from service.methods import build

# A fit that explains less than half of the objective's variance on held-out runs is no witness.
_WITNESS_R2 = 0.5
_DISAGREEMENT = 2.0  # standard deviations of the noise


def run_proposal(raw: dict[str, Any]) -> dict[str, Any]:
    """Propose mixtures.

    Args:
        raw: problem, sampled mixtures, the fit and the other fits of the same data, proposer, params,
            count, seed, whether to stay within the sampled region, and the noise of the objective.
    """
    problem = load_problem(raw["problem"])
    bounded = problem.within(np.array(raw["sampled"])) if raw["within_sampled"] else problem
    predictor = _predictor(raw["fit"])
    proposer = build("proposer", PROPOSERS, raw["proposer"], raw["params"])
    rng = np.random.default_rng(raw["seed"])
    found = proposer.propose(predictor, bounded, count=raw["count"], rng=rng)
    witnesses = [fit for fit in raw["others"] if (fit["r2"] or 0.0) >= _WITNESS_R2]
    sampled = np.array(raw["sampled"])
    found = [
        judged(proposal, predictor, problem, sampled=sampled, noise=raw["noise"], rng=rng)
        for proposal in found
    ]
    return {
        "proposals": [_told(proposal, predictor, problem, witnesses, raw["noise"]) for proposal in found],
        "references": {
            name: _reference(weights, predictor, problem)
            for name, weights in (("prior", problem.prior), ("uniform", _uniform(problem)))
        },
        "scale": raw["fit"].get("scale"),
        "noise": raw["noise"],
    }


def _predictor(fit: dict[str, Any]) -> Predictor:
    return load_predictor(fit["method"], fit["predictor"])


def _uniform(problem: MixtureProblem) -> FloatArray:
    d = len(problem.domains)
    return np.full(d, 1.0 / d)


def _reference(weights: FloatArray, predictor: Predictor, problem: MixtureProblem) -> dict[str, Any]:
    predicted = predictor.predict(weights[None, :])[0]
    return {
        "weights": weights.tolist(),
        "predicted": predicted.tolist(),
        "objective": float(problem.objective(predicted)),
    }


def _told(
    proposal: Proposal,
    predictor: Predictor,
    problem: MixtureProblem,
    witnesses: list[dict[str, Any]],
    noise: float,
) -> dict[str, Any]:
    """A proposal with what other fits predict for it.

    Fits of one swarm differ in level by little, so what is compared is the gain over the prior that each
    predicts: that is what the proposal promises.
    """
    gain = _gain(proposal.weights, predictor, problem)
    opinions = {fit["method"]: _gain(proposal.weights, _predictor(fit), problem) for fit in witnesses}
    return {
        "weights": proposal.weights.tolist(),
        "predicted": proposal.predicted.tolist(),
        "deviation": None if proposal.deviation is None else proposal.deviation.tolist(),
        "objective": proposal.objective,
        "gain_over_prior": gain,
        "gain_by_other_fits": opinions,
        "disagreeing": sorted(
            name for name, other in opinions.items() if abs(other - gain) > _DISAGREEMENT * noise
        ),
        "details": dict(proposal.details),
    }


def _gain(weights: FloatArray, predictor: Predictor, problem: MixtureProblem) -> float:
    proposed, natural = problem.objective(predictor.predict(np.stack([weights, problem.prior])))
    return float(natural - proposed)
