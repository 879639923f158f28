"""How far a proposal can be trusted: against the prior, against all other mixtures, and beyond the data.

Probability and regret come from joint draws of the predictor, flatness from its mean, distance from the
mixtures that were run, doubt from the members of a stack.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from scipy.optimize import nnls

from mixlaws.arrays import FloatArray
from mixlaws.estimator import PolledPredictor, Predictor, ProbabilisticPredictor, Proposal
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.cloud import cloud

_DRAWS = 512
_ALTERNATIVES = 200
_SUM_WEIGHT = 1e3  # makes the sum of hull coefficients 1 to a thousandth of what is measured
FAR = 0.05  # total variation: beyond it a prediction is an extrapolation
_AT_CAP = 1e-6
BETTER_THAN = "better_than_"
NO_RIVALS: Mapping[str, FloatArray] = MappingProxyType({})
_PARTIES = 2  # that a disagreement takes


def judged(
    proposal: Proposal,
    predictor: Predictor,
    problem: MixtureProblem,
    /,
    *,
    sampled: FloatArray,
    noise: float,
    rng: np.random.Generator,
    rivals: Mapping[str, FloatArray] = NO_RIVALS,
) -> Proposal:
    """The proposal with more in its details, each a number.

    probability_better: that its objective is below the prior's; missing if the predictor knows no deviation.
    better_than_<name>: that it is below the objective of a rival; missing likewise.
    expected_regret: by how much the best of many feasible mixtures is expected to be better, in the
        objective's unit; missing likewise.
    flatness: largest total variation at which a mixture is still predicted within the noise.
    hull_distance: total variation to the nearest average of mixtures that were run.
    extrapolates: 1 if that is more than .05, else 0.
    at_cap: how many domains rest on their cap.
    disagreement: deviation between the gains over the prior that members of a stack predict, by their shares,
        in the objective's unit; missing if the predictor is no stack, or one member has all the say.
    members_disagree: 1 if that is more than the noise, else 0; missing likewise.

    What each member says stands in `gain_by_member`.

    Args:
        proposal: what is judged.
        predictor: what made it.
        problem: its problem.
        sampled: (n, d) mixtures that were run.
        noise: standard deviation of the objective between repeats; its held-out error where none is repeated.
        rng: for alternatives and draws.
        rivals: (d,) mixtures that the proposal is to beat, by name; they are no alternatives of the regret.
    """
    others = _alternatives(proposal.weights, problem, rng)
    distance = hull_distance(proposal.weights, sampled)
    gains, doubt = _polled(proposal.weights, predictor, problem, noise)
    details = {
        **proposal.details,
        **_chances(proposal.weights, predictor, problem, others, rivals, rng),
        "flatness": _flatness(proposal.weights, predictor, problem, others, noise),
        "hull_distance": distance,
        "extrapolates": float(distance > FAR),
        "at_cap": float(((proposal.weights >= problem.caps - _AT_CAP) & (problem.caps < 1)).sum()),
        **doubt,
    }
    return replace(proposal, details=details, gain_by_member=gains)


def hull_distance(weights: FloatArray, sampled: FloatArray, /) -> float:
    """Total variation of a mixture (d,) to the average of mixtures (n, d) that is nearest to it."""
    rows = np.vstack([sampled.T, _SUM_WEIGHT * np.ones(len(sampled))])
    coefficients, _ = nnls(rows, np.append(weights, _SUM_WEIGHT))
    return float(0.5 * np.abs(sampled.T @ coefficients - weights).sum())


def flatness(
    weights: FloatArray,
    predictor: Predictor,
    problem: MixtureProblem,
    /,
    *,
    noise: float,
    rng: np.random.Generator,
) -> float:
    """Largest total variation at which a mixture is still predicted within the noise of this one (d,)."""
    return _flatness(weights, predictor, problem, _alternatives(weights, problem, rng), noise)


def _alternatives(weights: FloatArray, problem: MixtureProblem, rng: np.random.Generator) -> FloatArray:
    """(n, d) feasible mixtures around one (d,) and around the prior."""
    clouds = [cloud(problem, centre, count=_ALTERNATIVES, rng=rng) for centre in (weights, problem.prior)]
    return np.concatenate(clouds)


def _chances(
    weights: FloatArray,
    predictor: Predictor,
    problem: MixtureProblem,
    others: FloatArray,
    rivals: Mapping[str, FloatArray],
    rng: np.random.Generator,
) -> Mapping[str, float]:
    if not isinstance(predictor, ProbabilisticPredictor):
        return {}
    beside = [row[None, :] for row in rivals.values()]
    at = np.concatenate([weights[None, :], problem.prior[None, :], others, *beside])
    draws = problem.objective(predictor.sample(at, count=_DRAWS, rng=rng))
    feasible = draws[:, : draws.shape[1] - len(beside)]
    return {
        "probability_better": _below(draws[:, 0], draws[:, 1]),
        "expected_regret": float((draws[:, 0] - feasible.min(axis=1)).mean()),
        **{
            f"{BETTER_THAN}{name}": _below(draws[:, 0], draws[:, at])
            for at, name in enumerate(rivals, start=feasible.shape[1])
        },
    }


def _below(draws: FloatArray, others: FloatArray) -> float:
    """Share of joint draws that are lower; half of a tie, so that a mixture beats itself as often as not."""
    return float((draws < others).mean() + 0.5 * (draws == others).mean())


def _polled(
    weights: FloatArray, predictor: Predictor, problem: MixtureProblem, noise: float
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """The gain over the prior as each member sees it, and how far they are apart.

    Members differ in level by little that matters: a proposal promises a gain.
    """
    if not isinstance(predictor, PolledPredictor):
        return {}, {}
    opinions = predictor.opinions(np.stack([weights, problem.prior]))
    gains = {name: float(np.diff(problem.objective(said))[0]) for name, (_, said) in opinions.items()}
    if len(gains) < _PARTIES:
        return gains, {}
    shares = np.array([problem.objective(share) for share, _ in opinions.values()])
    told = np.array(list(gains.values()))
    shares = shares / shares.sum() if shares.sum() > 0 else np.full(len(told), 1 / len(told))
    apart = float(np.sqrt(shares @ (told - shares @ told) ** 2))
    return gains, {"disagreement": apart, "members_disagree": float(apart > noise)}


def _flatness(
    weights: FloatArray, predictor: Predictor, problem: MixtureProblem, others: FloatArray, noise: float
) -> float:
    own, *beside = problem.objective(predictor.predict(np.concatenate([weights[None, :], others])))
    alike = others[np.array(beside) <= own + noise]
    return float(0.5 * np.abs(alike - weights).sum(axis=1).max(initial=0.0))
