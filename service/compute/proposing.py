"""Turn a fit into proposals, and ask every other good fit what it thinks of them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor, ProbabilisticPredictor, Proposal
from mixlaws.intervals import TOLD_LEVEL, half_widths
from mixlaws.judging import hull_distance, judged
from mixlaws.problem import MixtureProblem
from mixlaws.progress import part, through
from mixlaws.registry import PROPOSERS
from mixlaws.repeated_shares import with_repetition
from mixlaws.rivals import Rivals, admissible, rivals
from mixlaws.sampling.measured import Measured
from mixlaws.sampling.rule import NOTHING
from service.compute.predictors import load_predictor
from service.compute.staging import second_stage, staged
from service.compute.swarms import load_problem
from service.methods import build

# A fit that explains less than half of the objective's variance on held-out runs is no witness.
_WITNESS_R2 = 0.5
_DISAGREEMENT = 2.0  # standard deviations of the noise


def run_proposal(raw: dict[str, Any]) -> dict[str, Any]:
    """Propose mixtures.

    Args:
        raw: problem, sampled mixtures, the fit and the other fits of the same data, proposer, params,
            count, seed, whether to stay within the sampled region, the noise of the objective, targets,
            statistics of the domains (or null), mixtures by name to compare with, how repetition counts if
            not by caps, and the second stage if there is one.
    """
    problem = load_problem(raw["problem"])
    sampled = np.array(raw["sampled"])

    def backed(posed: MixtureProblem) -> MixtureProblem:
        return posed.within(sampled) if raw["within_sampled"] else posed

    def load(fit: dict[str, Any]) -> Predictor:
        return _predictor(fit, problem, raw["repetition"])

    predictor = load(raw["fit"])
    proposer = build("proposer", PROPOSERS, raw["proposer"], raw["params"])
    rng = np.random.default_rng(raw["seed"])
    second = second_stage(raw["second"], proposer, predictor, backed(problem), rng)
    bounded = backed(problem if second is None else second.mean_problem(problem))
    with part(0.05, 0.7, f"searching with {raw['proposer']}"):
        found = proposer.propose(predictor, bounded, count=raw["count"], rng=rng)
    witnesses = {fit["method"]: load(fit) for fit in raw["others"] if (fit["r2"] or 0.0) >= _WITNESS_R2}
    others = _rivals(raw, problem)
    judge = partial(judged, sampled=sampled, noise=raw["noise"], rng=rng, rivals=others.mixtures)
    judging = through(found, start=0.7, stage=lambda _: "judging what was found")
    found = [judge(proposal, predictor, problem) for proposal in judging]
    return {
        "proposals": [
            _told(proposal, predictor, problem, witnesses, raw["noise"])
            | staged(proposal.weights, second, problem, raw["second"])
            for proposal in found
        ],
        "references": {
            name: _reference(weights, predictor, problem)
            for name, weights in (("prior", problem.prior), ("uniform", _uniform(problem)))
        },
        "rivals": [
            {
                "name": name,
                **_reference(weights, predictor, problem),
                "hull_distance": hull_distance(weights, sampled),
                "admissible": admissible(weights, problem),
            }
            for name, weights in others.mixtures.items()
        ],
        "rivals_left_out": dict(others.left_out),
        "scale": raw["fit"].get("scale"),
        "noise": raw["noise"],
    }


def _rivals(raw: dict[str, Any], problem: MixtureProblem) -> Rivals:
    """Mixtures of rules and of the user, which the fit is asked about too."""
    stored = raw["statistics"]
    statistics = (
        NOTHING if stored is None else Measured.load(stored).of(problem.domains, tasks=raw["targets"])
    )
    named = {name: problem.domains.to_array(weights) for name, weights in raw["rivals"].items()}
    return rivals(problem, statistics, named=named)


def _predictor(fit: dict[str, Any], problem: MixtureProblem, repetition: dict[str, Any] | None) -> Predictor:
    predictor = load_predictor(fit["method"], fit["predictor"])
    return predictor if repetition is None else with_repetition(predictor, problem.domains, **repetition)


def _uniform(problem: MixtureProblem) -> FloatArray:
    d = len(problem.domains)
    return np.full(d, 1.0 / d)


def _reference(weights: FloatArray, predictor: Predictor, problem: MixtureProblem) -> dict[str, Any]:
    predicted = predictor.predict(weights[None, :])[0]
    width = None
    if isinstance(predictor, ProbabilisticPredictor):
        deviation = predictor.deviation(weights[None, :])[0]
        width = half_widths(predictor, deviation, level=TOLD_LEVEL).tolist()
    return {
        "weights": weights.tolist(),
        "predicted": predicted.tolist(),
        "half_width_95": width,
        "objective": float(problem.objective(predicted)),
    }


def _told(
    proposal: Proposal,
    predictor: Predictor,
    problem: MixtureProblem,
    witnesses: Mapping[str, Predictor],
    noise: float,
) -> dict[str, Any]:
    """A proposal with what other fits predict for it.

    Fits of one swarm differ in level by little, so what is compared is the gain over the prior that each
    predicts: that is what the proposal promises.
    """
    gain = _gain(proposal.weights, predictor, problem)
    opinions = {name: _gain(proposal.weights, witness, problem) for name, witness in witnesses.items()}
    return {
        "weights": proposal.weights.tolist(),
        "predicted": proposal.predicted.tolist(),
        "deviation": None if proposal.deviation is None else proposal.deviation.tolist(),
        "half_width_95": None if proposal.half_width is None else proposal.half_width.tolist(),
        "objective": proposal.objective,
        "gain_over_prior": gain,
        "gain_by_member": dict(proposal.gain_by_member),
        "gain_by_other_fits": opinions,
        "disagreeing": sorted(
            name for name, other in opinions.items() if abs(other - gain) > _DISAGREEMENT * noise
        ),
        "details": dict(proposal.details),
    }


def _gain(weights: FloatArray, predictor: Predictor, problem: MixtureProblem) -> float:
    proposed, natural = problem.objective(predictor.predict(np.stack([weights, problem.prior])))
    return float(natural - proposed)
