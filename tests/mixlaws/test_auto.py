"""`auto` is as good as its best member, says when nothing helps, and how sure it is."""

import dataclasses
import json

import numpy as np
import pytest

from mixlaws.auto.auto import Auto
from mixlaws.auto.stack import Stack
from mixlaws.auto.stacking import stacked
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, SwarmTooSmallError
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.convex import ConvexProposer
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm

DOMAINS = DomainSet(("a", "b", "c", "d"), (4, 3, 2, 1))


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation.create(domains=4, rng=np.random.default_rng(5))


@pytest.fixture(scope="module")
def stack(simulation: Simulation) -> Stack:
    swarm = simulation.swarm(count=40, noise=0.01, rng=np.random.default_rng(6))
    fitted = Auto().fit(swarm, rng=np.random.default_rng(7))
    assert isinstance(fitted, Stack)  # of one scale
    return fitted


def noise(count: int) -> Swarm:
    rng = np.random.default_rng(count)
    return Swarm(
        DOMAINS, ("x", "y"), rng.dirichlet(np.ones(4), size=count), 3 + rng.normal(0, 0.1, (count, 2))
    )


def test_the_stack_is_nearly_as_good_as_the_law_that_made_the_data(
    simulation: Simulation, stack: Stack
) -> None:
    swarm = simulation.swarm(count=40, noise=0.01, rng=np.random.default_rng(6))
    unseen = simulation.swarm(count=300, noise=0.0, rng=np.random.default_rng(8))
    law = ExponentialLaw().fit(swarm, rng=np.random.default_rng(7))
    error, best = (np.abs(p.predict(unseen.weights) - unseen.values).mean() for p in (stack, law))
    assert error < 1.3 * best
    assert error < 0.1 * unseen.values.std(axis=0).mean()


def test_intervals_hold_about_as_many_unseen_runs_as_they_say(simulation: Simulation) -> None:
    inside = []
    for seed in range(3):
        swarm = simulation.swarm(count=40, noise=0.02, rng=np.random.default_rng(seed))
        unseen = simulation.swarm(count=100, noise=0.02, rng=np.random.default_rng(seed + 100))
        fitted = Auto(seconds=3.0).fit(swarm, rng=np.random.default_rng(seed))
        off = np.abs(fitted.predict(unseen.weights) - unseen.values) / fitted.deviation(unseen.weights)
        inside.append((off < 1.2816).mean())
    assert 0.7 < np.mean(inside) < 0.9  # 80 % intervals


@pytest.mark.parametrize("count", [15, 40])
def test_of_noise_the_verdict_says_so_and_the_proposal_is_the_prior(count: int) -> None:
    swarm = noise(count)
    fitted = Auto(seconds=3.0).fit(swarm, rng=np.random.default_rng(0))
    assert "nothing speaks against the prior" in fitted.verdict
    assert set(fitted.shares) == {"constant"}
    problem = MixtureProblem.create(DOMAINS)
    proposal = ConvexProposer().propose(fitted, problem, count=1, rng=np.random.default_rng(0))[0]
    assert proposal.weights == pytest.approx(problem.prior, abs=1e-3)


def test_a_member_that_is_too_costly_is_listed_with_its_cost(simulation: Simulation) -> None:
    swarm = simulation.swarm(count=20, noise=0.01, rng=np.random.default_rng(6))
    fitted = Auto(seconds=1e-3).fit(swarm, rng=np.random.default_rng(7))
    left_out = {row.member: row for row in fitted.table if row.mae is None}
    assert {"gaussian_process", "transfer"} <= set(left_out)
    assert "of no use below 60 runs" in left_out.pop("lightgbm").note
    assert all("too costly" in row.note and row.seconds > 1e-3 for row in left_out.values())


def test_for_transfer_only_laws_are_asked(simulation: Simulation) -> None:
    swarm = simulation.swarm(count=30, noise=0.01, rng=np.random.default_rng(6))
    fitted = Auto(prefer="transfer").fit(swarm, rng=np.random.default_rng(7))
    assert set(fitted.shares) <= {"constant", "exponential", "additive", "transfer"}


def test_the_whole_table_comes_with_the_answer_and_survives_json(stack: Stack) -> None:
    again = Auto().load(json.loads(json.dumps(stack.dump())))
    assert [dataclasses.asdict(row) for row in again.table] == [
        dataclasses.asdict(row) for row in stack.table
    ]
    assert sum(row.weight for row in stack.table) == pytest.approx(1.0)
    scored = [row for row in stack.table if row.mae is not None]
    assert [row.mae for row in scored] == sorted(row.mae for row in scored if row.mae is not None)


def test_slopes_are_those_of_the_prediction(stack: Stack, rng: np.random.Generator) -> None:
    at = rng.dirichlet(5 * np.ones(4), size=6)
    along = rng.dirichlet(np.ones(4), size=6) - at
    step = 1e-5
    told = np.einsum("ntd,nd->nt", stack.jacobian(at), along)
    measured = (stack.predict(at + step * along) - stack.predict(at - step * along)) / (2 * step)
    assert told == pytest.approx(measured, rel=1e-3, abs=1e-4)


def test_an_objective_of_an_unknown_target_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="unknown target 'z'"):
        Auto(objective={"z": 1.0}).fit(noise(10), rng=np.random.default_rng(0))


def test_repeats_of_few_mixtures_are_too_few() -> None:
    weights = np.tile(np.eye(4), (5, 1))
    swarm = Swarm(DOMAINS, ("x",), weights, np.random.default_rng(0).normal(3, 0.1, (20, 1)))
    with pytest.raises(SwarmTooSmallError, match="needs at least 6"):
        Auto().fit(swarm, rng=np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(5))
def test_a_stack_is_never_worse_than_its_members_on_what_it_was_weighed_by(seed: int) -> None:
    errors = (
        np.random.default_rng(seed).normal(size=(4, 30, 2)) * np.array([1.0, 1.2, 1.5, 1.6])[:, None, None]
    )
    shares = stacked(errors)
    assert shares.min() >= 0
    assert shares.sum(axis=0) == pytest.approx(np.ones(2))
    assert (np.einsum("mt,mnt->nt", shares, errors) ** 2).sum() <= 1.02 * (errors**2).sum(axis=(1, 2)).min()
