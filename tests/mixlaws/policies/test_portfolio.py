"""A portfolio does as well as its best member without being told which, and outlives those that fail."""

import json
from typing import Any

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.driving import Drive
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.live_environments import ENVIRONMENTS, OTHERS, suited
from mixlaws.live_simulation import LiveSimulation
from mixlaws.live_trainer import Pace
from mixlaws.policies.portfolio import PRIOR, Portfolio
from mixlaws.policies.portfolio_curves import fitted
from mixlaws.policies.portfolio_record import MOST_SPANS
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES

PACE = Pace(steps=2000, batch=768, evaluate_every=100)
SEEDS = (2001, 2002)  # of no development
DOMAINS = DomainSet(("web", "code", "law"), (600, 300, 100))


def regret(name: str, world: LiveSimulation, seed: int) -> float:
    return world.regret(world.play(suited(name, world).policy, rng=np.random.default_rng([seed, 1])).shares)


@pytest.mark.parametrize("environment", ["transfer", "dozen", "shifted", "settled"])
def test_it_ends_no_worse_than_its_best_member_and_the_prior(environment: str) -> None:
    worlds = [({**ENVIRONMENTS, **OTHERS}[environment](np.random.default_rng(s), PACE), s) for s in SEEDS]
    names = ("ado", "odm", "portfolio", "static", "stratified", "temperature")
    means = {name: np.mean([regret(name, world, seed) for world, seed in worlds]) for name in names}
    own = means.pop("portfolio")
    assert own <= 1.1 * min(means.values()) + 0.003  # by noise: of two runs, not of twenty


def driven(policy: Portfolio, losses: np.ndarray) -> Drive:
    """A portfolio that was told of one step for each row of losses."""
    drive = Drive(policy, policy.init(MixtureProblem.create(DOMAINS)))
    for step, row in enumerate(losses, start=1):
        weights = drive.plan[0].weights
        counts = np.maximum(weights * 1e6, 1).astype(np.int64)
        drive.tell(Feedback(step, row * counts, counts, weights))
    return drive


@pytest.mark.filterwarnings("ignore:overflow|invalid value")
def test_a_member_that_fails_is_dropped_and_named_and_the_others_go_on() -> None:
    losses = np.full((40, 3), 3.0) - 0.01 * np.arange(40)[:, None]
    losses[20] = 1e4  # the perplexity that odm takes of it is no number
    drive = driven(Portfolio({"odm": {}, "stratified": {}}), losses)
    assert set(drive.state.members) == {"stratified"}
    assert "odm" in drive.policy.dump(drive.state)["dropped"]
    assert drive.plan[0].weights.sum() == pytest.approx(1)


def test_without_a_faithful_forecast_the_prior_holds() -> None:
    noise = 3 + np.random.default_rng(0).normal(0, 0.1, (200, 3))
    rising = 2 + 0.005 * np.arange(200)[:, None] + np.zeros(3)
    for losses in (np.full((200, 3), 3.0), rising):
        drive = driven(Portfolio({"odm": {}, "stratified": {}}), losses)
        assert drive.state.following == PRIOR
        assert drive.plan[0].weights == pytest.approx(DOMAINS.natural)
    drive = driven(Portfolio({"odm": {}, "stratified": {}}), noise)
    assert drive.state.record.curve_error > 0.5 * drive.state.record.still_error, "nothing was to be forecast"


def test_a_member_has_its_expensive_steps() -> None:
    ado = {"start_step": 50, "fit_every": 50, "ignore_steps": 0}
    steps = np.arange(1, 121)[:, None]
    drive = driven(Portfolio({"ado": ado, "stratified": {}}), 2 + np.array([5, 4, 3]) * steps**-0.3)
    assert drive.state.members["ado"].curves is not None
    assert isinstance(drive.policy, Portfolio)
    assert drive.policy.due(drive.state) is None


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"aioli": {}}, "stages of its own"),
        ({"portfolio": {}}, "no portfolio"),
        ({}, "at least one"),
        ({"odm": {"smooth": 0.5}}, "smooth"),
        ({"odn": {}}, "did you mean 'odm'"),
    ],
)
def test_what_cannot_be_a_member_is_refused_by_name(members: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        Portfolio(members).init(MixtureProblem.create(DOMAINS))


@pytest.mark.parametrize("horizon", [0.0, np.nan, 1e300])
def test_a_reach_that_no_forecast_has_is_refused(horizon: float) -> None:
    with pytest.raises(InvalidInputError, match="horizon"):
        Portfolio(horizon=horizon)


def test_it_needs_what_its_members_need() -> None:
    assert Portfolio({"skillit": {}}).signals == POLICIES["skillit"]().signals | Portfolio().signals


def test_curves_tell_losses_far_beyond_what_was_read() -> None:
    floor, height, exponent = np.array([2.0, 1.5]), np.array([40.0, 300.0]), np.array([0.2, 0.4])
    tokens = np.full((MOST_SPANS - 1, 2), [1e8, 2e7])
    middle = tokens.cumsum(axis=0) - tokens / 2
    curves = fitted(np.zeros(2), tokens, floor + height * middle**-exponent)
    ahead = 2 * tokens.sum(axis=0)
    assert curves.losses(ahead) == pytest.approx(floor + height * ahead**-exponent, abs=2e-3)


def test_a_state_of_a_hundred_domains_stays_small_however_many_tokens_are_read() -> None:
    known = DomainSet(tuple(f"domain-{i}" for i in range(100)), tuple(range(1000, 1100)))
    ado = {"start_step": 20, "fit_every": 20, "ignore_steps": 0}
    policy = Portfolio({"ado": ado, "odm": {}, "stratified": {}, "temperature": {}})
    drive, rng, largest = (
        Drive(policy, policy.init(MixtureProblem.create(known))),
        np.random.default_rng(0),
        0,
    )
    for step in range(1, 160):
        counts = rng.integers(10**11, 10**12, 100)
        sums = counts * (2 + rng.random(100) + step**-0.3)
        drive.tell(Feedback(step, sums, counts, drive.plan[0].weights))
        largest = max(largest, len(json.dumps(policy.dump(drive.state))))
    assert drive.state.members["ado"].curves is not None
    assert largest <= 64 * 1024
