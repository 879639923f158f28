"""How far a stack may be trusted: tails of its intervals, fits that run wild, laws whose form is wrong."""

import json

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from mixlaws.arrays import FloatArray
from mixlaws.auto.auto import Auto
from mixlaws.auto.calibration import freedom_of
from mixlaws.auto.fidelity import told_of_laws
from mixlaws.auto.stack import Row, Stack
from mixlaws.auto.stacking import stacked
from mixlaws.domains import DomainSet
from mixlaws.estimator import Predictor
from mixlaws.intervals import deviations_either_side, half_widths, tail_factors
from mixlaws.judging import judged
from mixlaws.laws.exponential import ExponentialLaw
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.simulate import scored
from mixlaws.simulation import Simulation
from mixlaws.swarm import Swarm
from mixlaws.validation import law_fidelity

DOMAINS = DomainSet(("a", "b", "c"), (1, 1, 1))
PROBLEM = MixtureProblem.create(DOMAINS)


class Plane:
    """A member that predicts level less slope times the first weight, of two targets alike."""

    def __init__(self, level: float, slope: float) -> None:
        self.level, self.slope = level, slope

    def predict(self, weights: FloatArray, /) -> FloatArray:
        return np.repeat((self.level - self.slope * weights[:, :1]), 2, axis=1)

    def dump(self) -> dict[str, object]:
        return {}


def stack_of(*slopes: float) -> Stack:
    members: dict[str, Predictor] = {f"slope {slope}": Plane(3.0, slope) for slope in slopes}
    return Stack(
        members=members,
        shares={name: np.full(2, 1 / len(members)) for name in members},
        base=np.full(2, 1e-4),
        widening=np.ones(2),
        freedom=4.0,
        low=np.full(2, 1.0),
        high=np.full(2, 5.0),
        table=[],
        verdict="",
    )


@pytest.mark.parametrize("freedom", [3.0, 8.0])
def test_the_tails_of_errors_are_found_and_their_intervals_hold_what_they_say(freedom: float) -> None:
    rng = np.random.default_rng(int(freedom))
    scale = norm.ppf(0.9) / student.ppf(0.9, freedom)
    errors = np.abs(scale * student.rvs(freedom, size=(4000, 2), random_state=rng))
    seen, unseen = errors[:3000], errors[3000:]
    found = freedom_of(seen)
    assert found == pytest.approx(freedom, rel=0.35)
    for level in (0.8, 0.95):
        assert (unseen < deviations_either_side(level, freedom=found)).mean() == pytest.approx(
            level, abs=0.02
        )
    assert (unseen < deviations_either_side(0.95)).mean() < 0.95


def test_without_tails_intervals_are_normal() -> None:
    errors = np.abs(np.random.default_rng(0).standard_normal((3000, 3)))
    assert deviations_either_side(0.95, freedom=freedom_of(errors)) == pytest.approx(1.96, abs=0.06)
    assert deviations_either_side(0.95) == pytest.approx(1.96, abs=1e-3)


def test_draws_have_the_tails_of_the_intervals() -> None:
    stack, at = stack_of(0.5), np.array([[0.2, 0.3, 0.5]])
    draws = stack.sample(at, count=20_000, rng=np.random.default_rng(0))
    off = np.abs(draws - stack.predict(at))
    for level in (0.8, 0.95):
        assert (off <= half_widths(stack, stack.deviation(at), level=level)).mean() == pytest.approx(
            level, abs=0.01
        )
    assert np.all(tail_factors(np.inf, (3, 1, 2), np.random.default_rng(0)) == 1.0)


def test_a_member_that_runs_wild_is_held_to_what_the_runs_make_credible() -> None:
    stack, at = stack_of(2000.0, 0.5), np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert stack.predict(at)[0] == pytest.approx((1.0 + 2.5) / 2)
    slopes = stack.jacobian(at)
    assert slopes[0, :, 0] == pytest.approx(np.full(2, -0.25), abs=1e-6)
    assert slopes[1, :, 0] == pytest.approx(np.full(2, -1000.25), rel=1e-6)


def test_every_target_gets_the_member_that_describes_it() -> None:
    rng = np.random.default_rng(3)
    errors = rng.normal(size=(2, 40, 2)) * np.array([[0.1, 1.0], [1.0, 0.1]])[:, None, :]
    shares = stacked(errors)
    assert shares[0, 0] > 0.8
    assert shares[1, 1] > 0.8
    # Six runs do not tell two of the same error apart: targets stay near what they say together.
    alike = stacked(rng.normal(size=(2, 6, 2)))
    assert np.ptp(alike, axis=1).max() < 0.5


def verdict_on(stack: Stack, noise: float) -> dict[str, float]:
    weights = np.array([0.6, 0.2, 0.2])
    proposal = scored(weights, stack, PROBLEM, details={})
    sampled = np.random.default_rng(0).dirichlet(np.ones(3), size=20)
    told = judged(proposal, stack, PROBLEM, sampled=sampled, noise=noise, rng=np.random.default_rng(0))
    gains = {f"slope {slope}": slope * (0.6 - 1 / 3) for slope in (0.3, 0.9)}
    if len(stack.members) > 1:
        assert dict(told.gain_by_member) == pytest.approx(gains)
    return dict(told.details)


def test_members_that_promise_different_gains_are_told_apart_from_noise() -> None:
    divided = stack_of(0.3, 0.9)
    apart = 0.3 * (0.6 - 1 / 3)  # half of what two alike in weight differ by
    assert verdict_on(divided, noise=0.05)["disagreement"] == pytest.approx(apart)
    assert verdict_on(divided, noise=0.05)["members_disagree"] == 1.0
    assert verdict_on(divided, noise=0.2)["members_disagree"] == 0.0
    assert "disagreement" not in verdict_on(stack_of(0.5), noise=0.01)


def test_fidelity_is_high_for_the_true_form_and_low_for_another() -> None:
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(3), size=60)
    alike = 2 + np.exp(-weights @ np.array([[3.0, 0.5, 0.1]]).T)
    # A hump in the middle: no sum of exponentials of one direction has it.
    hump = 3 - np.cos(3 * np.pi * weights[:, :1]) * np.cos(3 * np.pi * weights[:, 1:2])
    for values, low, high in ((alike, 0.99, 1.0), (hump, -0.1, 0.5)):
        swarm = Swarm(DOMAINS, ("loss",), weights, values)
        fitted = ExponentialLaw().fit(swarm, rng=np.random.default_rng(0))
        found = law_fidelity(fitted, swarm, np.ones(1))
        assert found is not None
        assert low <= found <= high


def test_the_table_tells_the_fidelity_of_laws_alone() -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(1))
    swarm = simulation.swarm(count=20, noise=0.01, rng=np.random.default_rng(2))
    fitted = Auto(seconds=0.05).fit(swarm, rng=np.random.default_rng(3))
    told = {row.member: row.fidelity_in_sample for row in fitted.table if row.mae is not None}
    assert told["constant"] is None
    assert told["linear"] is None
    law = told["exponential"]
    row = next(row for row in fitted.table if row.member == "exponential")
    assert law is not None
    assert row.r2 is not None
    assert row.r2 < law <= 1
    again = Auto().load(json.loads(json.dumps(fitted.dump())))
    at = simulation.swarm(count=5, noise=0.0, rng=np.random.default_rng(4)).weights
    assert again.predict(at) == pytest.approx(fitted.predict(at))
    assert half_widths(again, again.deviation(at), level=0.95) == pytest.approx(
        half_widths(fitted, fitted.deviation(at), level=0.95)
    )


def test_the_verdict_tells_a_wrong_form_from_too_much_freedom() -> None:
    assert "not its form" in told_of_laws([Row("additive", r2=0.3, fidelity_in_sample=0.5)])
    assert "more freedom" in told_of_laws([Row("additive", r2=0.6, fidelity_in_sample=0.99)])
    assert told_of_laws([Row("additive", r2=0.95, fidelity_in_sample=0.99)]) == ""
    assert told_of_laws([Row("lightgbm", r2=0.3)]) == ""
