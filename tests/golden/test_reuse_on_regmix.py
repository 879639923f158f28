"""What reuse costs on a law of RegMix's published runs, and how much of it partial reuse gives back.

The truth is the exponential law of the 512 runs of 17 domains, its objective the mean loss with a KL term of
0.05 to the prior. Some domains are left out, the mixture of the others is optimised, and the domains are
then added: once with all others reused, once with the three most exposed ones recomputed too.
"""

from pathlib import Path

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.estimator import DifferentiablePredictor
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.reuse.collapse import Collapse
from mixlaws.reuse.coupling import exposure
from mixlaws.reuse.divergence import divergence
from mixlaws.reuse.predictor import CollapsedPredictor
from tests.reference_data import REGMIX_PRIOR, regmix

KL = 0.05
CASES = {
    ("arxiv", "stackexchange", "wikipedia_en"): 0.0651,
    ("github", "pile_cc"): 0.0219,
    ("pubmed_central", "dm_mathematics", "uspto_backgrounds", "hackernews"): 0.0872,
    ("wikipedia_en", "freelaw"): 0.0364,
}  # cost of full reuse as measured, nats


@pytest.fixture(scope="module")
def law(reference_data: Path) -> DifferentiablePredictor:
    return ExponentialLaw().fit(regmix(reference_data, "train"), rng=np.random.default_rng(0))


@pytest.fixture(scope="module")
def full(reference_data: Path) -> MixtureProblem:
    total = sum(REGMIX_PRIOR.values())
    prior = {name: share / total for name, share in REGMIX_PRIOR.items()}
    return MixtureProblem.create(regmix(reference_data, "train").domains, prior=prior)


def best(law: DifferentiablePredictor, problem: MixtureProblem) -> FloatArray:
    proposer = ConvexProposer(kl=KL, starts=1)
    return proposer.propose(law, problem, count=1, rng=np.random.default_rng(0))[0].weights


@pytest.mark.parametrize("added", sorted(CASES))
def test_recomputing_the_three_most_exposed_domains_gives_back_most_of_what_reuse_costs(
    law: DifferentiablePredictor, full: MixtureProblem, added: tuple[str, ...]
) -> None:
    names = full.domains.names

    def value(weights: FloatArray) -> float:
        predicted = full.objective(law.predict(weights[None, :])[0])
        return float(predicted) + KL * divergence(weights, full.prior)

    optimum = value(best(law, full))
    without = MixtureProblem.create(
        full.domains,
        prior=full.domains.to_mapping(full.prior),
        upper=dict.fromkeys(added, 0.0),
    )
    old = best(law, without)
    new = [names.index(name) for name in added]
    exposed = np.argsort(-exposure(law.jacobian(old[None, :])[0], old, new))[:3].tolist()

    def cost(recomputed: list[int]) -> float:
        fixed = {name: float(old[j]) for j, name in enumerate(names) if j not in recomputed}
        collapse = Collapse.create(full, fixed)
        reduced = best_reduced(law, collapse)
        return value(collapse.expand(reduced)) - optimum

    whole, partial = cost(new), cost(new + exposed)
    assert whole == pytest.approx(CASES[added], abs=2e-3)
    assert -1e-6 < partial < 0.5 * whole


def best_reduced(law: DifferentiablePredictor, collapse: Collapse) -> FloatArray:
    return best(CollapsedPredictor(law, collapse), collapse.tilted())
