"""A plan tells how many runs a decision needs, on studies of which the truth is known."""

import numpy as np
import pytest

from mixlaws.designs.sobol import SobolDesign
from mixlaws.errors import InvalidInputError, SwarmTooSmallError
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.learning_curve import learning_curve
from mixlaws.planning import Plan, plan
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.regressors.constant import Constant
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm

GP = GaussianProcess()
WITHIN = 0.003


def planned(
    simulation: Simulation, *, noise: float, seed: int, within: float = WITHIN, runs: int = 24
) -> Plan:
    rng = np.random.default_rng(seed)
    swarm = simulation.swarm(count=runs, noise=noise, rng=rng)
    return plan(GP, swarm, simulation.problem, within=within, chains=4, rng=rng)


def regret_of(simulation: Simulation, *, runs: int, noise: float, rng: np.random.Generator) -> float:
    """What a decision with so many new runs is worse than the best in their box, by the truth."""
    swarm = simulation.swarm(count=runs, noise=noise, rng=rng)
    proposer, inside = ConvexProposer(kl=0.0, starts=2), simulation.problem.within(swarm.weights)
    decided = proposer.propose(GP.fit(swarm, rng=rng), inside, count=1, rng=rng)[0].weights
    best = proposer.propose(simulation.truth, inside, count=1, rng=rng)[0].weights
    worse, least = simulation.problem.objective(simulation.truth.predict(np.stack([decided, best])))
    return float(worse - least)


def test_the_planned_runs_reach_the_wanted_regret_in_most_studies() -> None:
    reached = []
    for seed in range(5):
        simulation = Simulation.create(domains=3, rng=np.random.default_rng(seed))
        found = planned(simulation, noise=0.03, seed=seed)
        if found.needed is not None:
            rng = np.random.default_rng(100 + seed)
            regret = regret_of(simulation, runs=max(found.needed, 8), noise=0.03, rng=rng)
            reached.append(regret <= WITHIN)
    assert len(reached) >= 4
    assert sum(reached) >= len(reached) - 1


def test_more_noise_and_a_smaller_regret_ask_for_more_runs() -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(2))
    by_noise = {
        noise: [planned(simulation, noise=noise, seed=seed).curve.runs_for(WITHIN) for seed in range(2)]
        for noise in (0.005, 0.06)
    }
    assert np.median(by_noise[0.06]) > 2 * np.median(by_noise[0.005])
    curve = planned(simulation, noise=0.02, seed=0).curve
    assert curve.runs_for(0.001) > curve.runs_for(0.01)
    assert curve.regret(200) < curve.regret(50)


def test_a_curve_with_a_known_power_is_found_again() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([20.0, 40.0, 80.0, 160.0])
    means = 3.0 * sizes**-1.4
    drawn = (means * rng.exponential(size=(60, 4)))[:, :, None]
    curve = learning_curve(sizes, drawn, subtracted=None, rng=rng)
    assert curve.exponent == pytest.approx(1.4, abs=0.25)
    low, high = curve.runs_interval(0.003)
    assert low < (3.0 / 0.003) ** (1 / 1.4) < high
    # The same truth, seen by a fit of all 200 runs that takes itself for the truth.
    seen = ((3.0 * (sizes**-1.4 - 200.0**-1.4)) * rng.exponential(size=(60, 4)))[:, :, None]
    assert learning_curve(sizes, seen, subtracted=200.0, rng=rng).regret(200) == pytest.approx(
        3.0 * 200**-1.4, rel=0.5
    )


def test_runs_that_tell_nothing_are_said_to_tell_nothing() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(1))
    rng = np.random.default_rng(1)
    weights = SobolDesign().design(simulation.problem, count=24, rng=rng)
    names = simulation.problem.domains.names
    noise = Swarm(simulation.problem.domains, names, weights, 3 + 0.1 * rng.standard_normal((24, 4)))
    found = plan(GP, noise, simulation.problem, within=WITHIN, chains=4, rng=rng)
    assert found.status in {"unknown", "out_of_reach"}
    assert found.needed is None
    flat = plan(Constant(), noise, simulation.problem, within=WITHIN, chains=4, rng=rng)
    assert flat.status == "unknown"  # a constant always decides alike: that is no agreement
    assert "cannot tell" in flat.verdict


def test_a_regret_far_below_the_noise_is_out_of_reach_and_says_so() -> None:
    simulation = Simulation.create(domains=4, rng=np.random.default_rng(2))
    found = planned(simulation, noise=0.1, seed=3, within=1e-7, runs=32)
    assert found.status == "out_of_reach"
    assert found.needed is None
    assert "noise" in found.verdict
    assert found.confirmation > 1_000_000


def test_repeats_give_the_noise_of_a_run() -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(4))
    rng = np.random.default_rng(4)
    weights = np.repeat(SobolDesign().design(simulation.problem, count=16, rng=rng), 2, axis=0)
    swarm = simulation.measure(weights, noise=0.03, rng=rng)
    found = plan(GP, swarm, simulation.problem, within=0.01, chains=4, rng=rng)
    assert found.noise_is_measured
    assert found.noise == pytest.approx(
        0.03 / np.sqrt(3), rel=0.4
    )  # the objective is a mean of three targets


def test_the_same_seed_plans_the_same() -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(4))
    plans = [planned(simulation, noise=0.02, seed=5, runs=16) for _ in range(2)]
    assert plans[0].needed == plans[1].needed
    assert plans[0].interval == plans[1].interval


def test_too_few_runs_and_a_regret_of_nothing_are_refused() -> None:
    simulation = Simulation.create(domains=6, rng=np.random.default_rng(4))
    rng = np.random.default_rng(5)
    with pytest.raises(SwarmTooSmallError, match="6 finished proxy runs; a plan needs at least 8"):
        plan(GP, simulation.swarm(count=6, noise=0.01, rng=rng), simulation.problem, within=0.01, rng=rng)
    swarm = simulation.swarm(count=10, noise=0.01, rng=rng)
    with pytest.raises(SwarmTooSmallError, match=r"10 finished proxy runs; a plan with this method.* needs"):
        plan(ExponentialLaw(), swarm, simulation.problem, within=0.01, rng=rng)
    with pytest.raises(InvalidInputError, match="regret to reach is 0"):
        plan(GP, swarm, simulation.problem, within=0.0, rng=rng)
