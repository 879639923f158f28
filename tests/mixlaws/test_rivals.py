"""Rules without proxy runs stand beside a proposal wherever they have what they need."""

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, WeightsError
from mixlaws.estimator import Proposal
from mixlaws.judging import judged
from mixlaws.problem import MixtureProblem
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.rivals import admissible, rivals
from mixlaws.sampling.rule import Statistics
from mixlaws.sampling.temperature import Temperature
from mixlaws.sampling.utilimax import UtiliMax
from mixlaws.simulation import Simulation

DOMAINS = DomainSet(("web", "code", "papers"), (90, 8, 2))
UTILITIES = Statistics(utilities=np.array([[1.0, 0.1], [0.2, 1.0], [0.4, 0.3]]))


def test_each_rule_gives_its_own_mixture_and_one_that_cannot_says_why() -> None:
    problem = MixtureProblem.create(DOMAINS)
    found = rivals(problem, UTILITIES)
    assert set(found.mixtures) == {"temperature", "utilimax"}  # the natural mixture is the prior
    assert found.mixtures["temperature"] == pytest.approx(Temperature().mixture(problem))
    assert found.mixtures["utilimax"] == pytest.approx(UtiliMax().mixture(problem, UTILITIES))
    assert "final_tokens" in found.left_out["unimax"]
    assert set(rivals(problem, UTILITIES, counted=False).mixtures) == {"utilimax"}


def test_rules_keep_the_bounds_and_mixtures_of_the_user_are_taken_as_they_are() -> None:
    problem = MixtureProblem.create(
        DOMAINS,
        prior={"web": 0.4, "code": 0.3, "papers": 0.3},
        final_tokens=50,
        max_epochs=dict.fromkeys(DOMAINS.names, 4.0),
        upper={"web": 0.7},
    )
    found = rivals(problem, named={"today": np.array([0.1, 0.2, 0.7])}).mixtures
    assert set(found) == {"natural", "temperature", "unimax", "today"}
    assert {name for name, weights in found.items() if not admissible(weights, problem)} == {"today"}
    assert found["today"] == pytest.approx([0.1, 0.2, 0.7])
    # web's natural share of .9 is bound by .7; the rest goes to the others as 8 to 2.
    assert found["natural"] == pytest.approx([0.7, 0.24, 0.06])


def test_a_mixture_that_is_none_or_takes_the_name_of_a_rule_is_refused() -> None:
    problem = MixtureProblem.create(DOMAINS)
    with pytest.raises(InvalidInputError, match="'unimax', as a rule is"):
        rivals(problem, named={"unimax": np.ones(3) / 3})
    with pytest.raises(WeightsError, match=r"sum to 0\.9"):
        rivals(problem, named={"today": np.full(3, 0.3)})


def test_the_chance_to_beat_a_rival_is_one_half_against_itself_and_right_against_the_truth() -> None:
    rng = np.random.default_rng(0)
    simulation = Simulation.create(domains=4, rng=rng)
    swarm = simulation.swarm(count=40, noise=0.005, rng=rng)
    predictor, problem = GaussianProcess().fit(swarm, rng=rng), simulation.problem
    best, worst = simulation.optimum(rng=rng), np.array([0.97, 0.01, 0.01, 0.01])
    predicted = predictor.predict(best[None, :])[0]
    proposal = Proposal(best, predicted, None, float(problem.objective(predicted)))
    plain, beside = (
        judged(
            proposal,
            predictor,
            problem,
            sampled=swarm.weights,
            noise=0.005,
            rng=np.random.default_rng(1),
            rivals=others,
        ).details
        for others in ({}, {"itself": best, "worst": worst})
    )
    truth = problem.objective(simulation.truth.predict(np.stack([best, worst])))
    assert truth[0] < truth[1]
    assert beside["better_than_worst"] > 0.95
    assert beside["better_than_itself"] == pytest.approx(0.5, abs=0.1)
    assert not [name for name in plain if name.startswith("better_than_")]
    # A rival that breaks bounds would be regretted for ever: regret is over feasible mixtures alone.
    assert beside["expected_regret"] == pytest.approx(plain["expected_regret"], abs=0.01)
