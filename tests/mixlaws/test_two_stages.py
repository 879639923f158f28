"""Schedules of two stages: the mean is the best one possible, stages keep bounds, scarce domains can wait."""

import json

import numpy as np
import pytest
from mixclient.schedule import Schedule

from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.feasible.constraints import Group
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.simulation import Simulation
from mixlaws.two_stages import SecondStage, schedule_document, second_problem, stage_problem, whole_steps


def posed(seed: int) -> tuple[Simulation, MixtureProblem]:
    simulation = Simulation.create(domains=5, rng=np.random.default_rng(seed))
    domains = simulation.problem.domains
    names = domains.names
    problem = MixtureProblem.create(
        domains, lower={names[0]: 0.02}, upper={names[1]: 0.5}, final_tokens=2 * sum(domains.tokens),
        max_epochs=dict.fromkeys(names, 8.0), groups=[Group("pair", (names[2], names[3]), 0.1, 0.7)],
    )  # fmt: skip
    return simulation, problem


@pytest.mark.parametrize("seed", range(4))
def test_stages_keep_bounds_their_mean_keeps_caps_and_no_other_first_stage_is_better(seed: int) -> None:
    simulation, problem = posed(seed)
    rng = np.random.default_rng(seed)
    stage = stage_problem(problem)
    v = stage.feasible.project(rng.dirichlet(np.ones(5)))
    v = 0.3 * v + 0.7 * stage.feasible.project(problem.prior)
    second = SecondStage(0.2, v)
    possible = second.mean_problem(problem)
    mean = ConvexProposer(kl=0.0, starts=0).propose(simulation.truth, possible, count=1, rng=rng)[0].weights
    first, _ = second.stages(problem, mean)
    assert stage.feasible.contains(np.stack([first, v]), tolerance=1e-9).all()
    assert 0.8 * first + 0.2 * v == pytest.approx(mean, abs=1e-9)
    assert np.all(mean <= problem.caps + 1e-9)
    others = 0.8 * stage.feasible.project(rng.dirichlet(np.ones(5), size=5000)) + 0.2 * v
    others = others[np.all(others <= problem.caps, axis=1)]
    assert len(others) > 20
    objective = problem.objective(simulation.truth.predict(np.vstack([mean, others])))
    assert objective[0] <= objective[1:].min() + 1e-9


def test_a_scarce_domain_can_be_saved_for_the_end() -> None:
    simulation, _ = posed(0)
    names = simulation.problem.domains.names
    domains = DomainSet(names, (10**6, 10**6, 10**6, 10**6, 10**4))
    problem = MixtureProblem.create(domains, final_tokens=10**6, max_epochs=dict.fromkeys(names, 4.0))
    assert problem.caps[4] == pytest.approx(0.04)
    assert second_problem(problem, 0.1).caps[4] == pytest.approx(0.4)
    v = np.array([0.16, 0.16, 0.16, 0.16, 0.36])
    possible = SecondStage(0.1, v).mean_problem(problem)
    rng = np.random.default_rng(0)
    mean = ConvexProposer(kl=0.0, starts=0).propose(simulation.truth, possible, count=1, rng=rng)[0].weights
    assert 0.036 - 1e-9 <= mean[4] <= 0.04 + 1e-9
    with pytest.raises(InfeasibleError, match="the second stage alone reads domain"):
        SecondStage(0.2, v).mean_problem(problem)


def test_a_second_stage_outside_the_bounds_is_refused() -> None:
    _, problem = posed(0)
    with pytest.raises(InfeasibleError, match="hold for each stage"):
        SecondStage(0.2, np.array([0.0, 0.4, 0.2, 0.2, 0.2])).mean_problem(problem)
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        SecondStage(1.0, problem.prior)


def test_the_document_is_one_that_a_training_job_follows_and_its_steps_make_the_mean() -> None:
    _, problem = posed(0)
    share = whole_steps(0.2, 333)
    first, second = problem.prior, np.full(5, 0.2)
    document = schedule_document(
        problem.domains, [first, second], share=share, steps=333, samples_per_step=64
    )
    schedule = Schedule.parse(json.loads(json.dumps(document)))
    trained = np.mean([schedule.stage_at(step).weights for step in range(333)], axis=0)
    assert trained == pytest.approx((1 - share) * first + share * second)
    with pytest.raises(InvalidInputError, match="without a step"):
        whole_steps(0.001, 100)
