"""The steering of a job as a trainer meets it, without a service in between."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.driving import Drive, PlanFollower
from mixlaws.feedback import Evaluation, Feedback
from mixlaws.policies.aioli import Aioli
from mixlaws.policies.handwritten import Handwritten, HandwrittenState, PlannedStage
from mixlaws.policies.odm import Odm, OdmState
from mixlaws.policies.static import Static
from mixlaws.policy import AnyPolicy, Stage
from mixlaws.problem import MixtureProblem
from mixlaws.steering.events import Event, EventKind
from mixlaws.steering.guards import Guards
from mixlaws.steering.steering import Steering
from tests.support.following import TOKENS, Follower, reloaded

DOMAINS = DomainSet(("web", "code", "law"), (9_000_000, 3_000_000, 1_000_000))
PRIOR = DOMAINS.natural


def losses(drawn: FloatArray) -> FloatArray:
    return np.asarray(np.array([3.0, 2.0, 4.0]) + 2 * (1 + drawn / np.array([2e4, 1e4, 5e4])) ** -0.4)


def steering(policy: AnyPolicy, guards: Guards | None = None, **more: Any) -> Steering:
    problem = MixtureProblem.create(DOMAINS, max_epochs=more.pop("max_epochs", None))
    return Steering(problem, policy, "mine", guards or Guards(), **{"lead_steps": 7, **more})


def order(follower: Follower, kind: EventKind, **payload: Any) -> None:
    event = Event(kind, {"reason": "because", **payload})
    follower.state = follower.steering.obey(follower.state, event)
    follower.publish(follower.step - 1 + follower.steering.lead)


def test_without_guards_a_trainer_follows_the_policy_itself() -> None:
    follower = Follower(steering(Odm()), losses)
    policy, drawn = Odm(), np.zeros(3)
    state = policy.init(MixtureProblem.create(DOMAINS))
    for _ in range(30):
        weights = follower.weights(follower.step)
        follower.train(1)
        drawn += weights * TOKENS
        counts = np.round(weights * TOKENS).astype(np.int64)
        state = policy.update(state, Feedback(follower.step, losses(drawn) * counts, counts, weights))
    assert np.array_equal(follower.stages[-1].weights, state.weights)
    assert {stage.reason for stage in follower.stages} == {"prior", "mine"}


def test_plans_with_probes_are_followed_as_in_a_simulation() -> None:
    policy = Aioli(probe_steps=3, sweeps=1, round_steps=40)
    follower = Follower(steering(policy), losses, every=1000)
    follower.train(400)
    drive, plan = Drive(policy, policy.init(MixtureProblem.create(DOMAINS))), PlanFollower(lead=6)
    step, drawn, followed = 0, np.zeros(3), []
    while step < 400:
        plan.follow(drive.plan, step)
        weights, steps = plan.train(step, 400 - step)
        drawn += weights * TOKENS * steps
        followed += [weights] * steps
        step += steps
        counts = np.full(3, TOKENS)
        held_out = Evaluation(losses(drawn) * counts, counts, step, "held-out")
        done = plan.stages_done
        drive.tell(Feedback(step, np.zeros(3), 0 * counts, weights, stages_done=done, evaluation=held_out))
    assert np.allclose(follower.followed, followed, atol=1e-12)
    assert len({tuple(weights) for weights in followed}) > 8, "several rounds of probes"


@pytest.mark.parametrize(
    "policy", [Odm(), Aioli(probe_steps=3, sweeps=1, round_steps=40)], ids=["odm", "aioli"]
)
def test_a_state_that_was_stored_goes_on_to_the_last_bit(policy: AnyPolicy) -> None:
    guards = Guards(floor=0.05, trust_kl=0.02, loss_spike=5.0)
    whole, stored = (Follower(steering(policy, guards), losses) for _ in range(2))
    for _ in range(40):
        whole.train(7)
        stored.train(7)
        stored.state = stored.steering.load(json.loads(json.dumps(stored.steering.dump(stored.state))))
    assert [stage.weights.tolist() for stage in stored.stages] == [s.weights.tolist() for s in whole.stages]
    assert stored.steering.dump(stored.state) == whole.steering.dump(whole.state)


def test_held_weights_stay_while_the_policy_learns_and_move_again_when_released() -> None:
    follower = Follower(steering(Odm()), losses)
    follower.train(50)
    before: OdmState = follower.state.policy
    order(follower, EventKind.PIN, weights={"web": 0.5, "code": 0.25, "law": 0.25})
    follower.train(50)
    assert follower.weights(follower.step).tolist() == [0.5, 0.25, 0.25]
    assert follower.stages[-1].reason == "pinned: because"
    assert not np.array_equal(before.rewards, follower.state.policy.rewards)
    order(follower, EventKind.FREEZE)
    order(follower, EventKind.RELEASE)
    assert np.array_equal(follower.stages[-1].weights, follower.state.policy.weights)
    assert "released: because" in follower.stages[-1].reason


def test_probes_end_where_a_job_is_frozen() -> None:
    follower = Follower(steering(Aioli(probe_steps=30, sweeps=2)), losses)
    follower.train(40)
    order(follower, EventKind.FREEZE)
    held = follower.stages[-1].effective_step
    assert held == 40 - 1 + 7
    follower.train(200)
    assert all(np.array_equal(weights, np.full(3, 1 / 3)) for weights in follower.followed[held:])


def test_a_round_of_probes_that_was_interrupted_teaches_nothing() -> None:
    follower = Follower(steering(Aioli(probe_steps=5, sweeps=1, round_steps=40)), losses)
    follower.train(12)
    order(follower, EventKind.FREEZE)
    follower.train(30)
    order(follower, EventKind.RELEASE)
    while follower.state.policy.round == 0:
        follower.train(1)
    assert follower.state.policy.weights.tolist() == [1 / 3] * 3
    while follower.state.policy.round == 1:
        follower.train(1)
    assert follower.state.policy.weights.tolist() != [1 / 3] * 3, "the next round teaches again"


def test_a_curriculum_that_is_frozen_stays_in_its_stage() -> None:
    plan = (PlannedStage({"web": 1.0}, 30), PlannedStage({"code": 1.0}, 90), PlannedStage({"law": 1.0}))
    for guards in (Guards(), Guards(cooldown_step=60)):
        follower = Follower(steering(Handwritten(plan), guards), losses)
        follower.train(50)
        if guards.cooldown_step is None:
            order(follower, EventKind.FREEZE)
        follower.train(200)
        assert [int(weights.argmax()) for weights in follower.followed] == [0] * 30 + [1] * 220


def test_a_stage_that_came_too_late_moves_with_all_that_follow_it() -> None:
    plan = (PlannedStage({"web": 1.0}, 30), PlannedStage({"code": 1.0}, 20), PlannedStage({"law": 1.0}))
    follower = Follower(steering(Handwritten(plan)), losses)
    assert [stage.effective_step for stage in follower.stages] == [0, 30, 50]
    late = {"effective_step": 30, "drawn_step": 33}
    follower.state = follower.steering.obey(follower.state, Event(EventKind.TOO_LATE, late))
    follower.publish(33 + 7)
    assert [(s.effective_step, int(s.weights.argmax())) for s in follower.stages[-2:]] == [(40, 1), (60, 2)]


def test_a_stage_that_is_still_ahead_outlives_news_of_a_domain_that_runs_dry() -> None:
    follower = Follower(steering(Static(), max_epochs={"code": 0.1}), losses)
    follower.train(10)
    order(follower, EventKind.PIN, weights={"web": 0.8, "code": 0.2})
    follower.stages = follower.stages[:1]
    late = {"effective_step": 16, "drawn_step": 200}
    follower.state = follower.steering.obey(follower.state, Event(EventKind.TOO_LATE, late))
    follower.publish(200 + 7)
    pinned = follower.stages[-2:]
    assert pinned[0].effective_step == 207
    many = np.array([40_000, 15_000, 5_000])
    told = Feedback(20, 3.0 * many, many, PRIOR, steps=10)
    follower.state = follower.steering.learn(follower.state, told, non_finite=many < 0, drawn=many)
    follower.publish(20 + 6)
    assert follower.stages[-1].effective_step < pinned[1].effective_step, "code ends earlier"
    assert follower.weights(207).tolist() == [0.8, 0.2, 0.0]


def test_warm_up_and_cool_down_bound_what_a_policy_says() -> None:
    follower = Follower(steering(Odm(), Guards(warmup_steps=60, cooldown_step=120)), losses)
    follower.train(300)
    steps = [stage.effective_step for stage in follower.stages]
    assert np.allclose(follower.followed[:60], PRIOR)
    assert min(step for step in steps if step) >= 60
    assert max(steps) < 120
    assert not np.allclose(follower.followed[-1], PRIOR)


def test_in_shadow_the_prior_holds_and_the_policy_learns_the_same() -> None:
    watching = Follower(steering(Odm(), shadow=True), losses)
    watching.train(80)
    assert watching.publications == 1
    assert not np.array_equal(watching.state.policy.weights, PRIOR)
    order(watching, EventKind.SHADOW, on=False)
    assert np.array_equal(watching.stages[-1].weights, watching.state.policy.weights)


class Failing(Odm):
    """Fails once it has learnt something."""

    def update(self, state: OdmState, feedback: Feedback, /) -> OdmState:
        if feedback.step > 50:
            raise ZeroDivisionError("a bad day")
        return super().update(state, feedback)


class Astray(Odm):
    """Gives weights that are no mixture."""

    def update(self, state: OdmState, feedback: Feedback, /) -> OdmState:
        state = super().update(state, feedback)
        return OdmState(state.rewards, state.exploration, 2 * state.weights)


class Unstorable(Odm):
    """Remembers what is no number."""

    def update(self, state: OdmState, feedback: Feedback, /) -> OdmState:
        state = super().update(state, feedback)
        return OdmState(state.rewards * np.inf, state.exploration, state.weights)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (Failing(), "ZeroDivisionError: a bad day"),
        (Astray(), "off the simplex"),
        (Unstorable(), "not JSON compliant"),
    ],
)
def test_a_policy_that_fails_freezes_its_job_and_costs_nothing_else(policy: Odm, words: str) -> None:
    follower = Follower(steering(policy), losses)
    follower.train(200)
    hold = follower.state.hold
    assert hold is not None
    assert words in hold.reason
    assert hold.by == "policy"
    assert np.all(np.isfinite(follower.followed))
    assert follower.state.step == 200
    json.dumps(follower.steering.dump(follower.state), allow_nan=False)


class Forgetful(Handwritten):
    """Fails where it has no plan."""

    def stages(self, state: HandwrittenState, /) -> Sequence[Stage]:
        if not state.plan:
            raise KeyError("plan")
        return super().stages(state)


def test_whoever_freezes_a_job_need_not_hear_its_policy() -> None:
    plan = (PlannedStage({"web": 1.0}, 30), PlannedStage({"code": 1.0}))
    for by_alarm in (True, False):
        follower = Follower(steering(Forgetful(plan), Guards(freeze_after_non_finite=1)), losses)
        follower.train(20)
        follower.state = replace(follower.state, policy=HandwrittenState(DOMAINS.names, ()))
        if by_alarm:
            follower.train(10, non_finite=np.array([True, False, False]))
        else:
            order(follower, EventKind.FREEZE)
        assert follower.state.hold is not None
        assert follower.stages[-1].weights.tolist() == [0.0, 1.0, 0.0]


def test_alarms_freeze_and_a_release_gives_them_a_new_start() -> None:
    follower = Follower(steering(Odm(), Guards(freeze_after_non_finite=2)), losses)
    follower.train(30)
    follower.train(20, non_finite=np.array([False, True, False]))
    hold = follower.state.hold
    assert hold is not None
    assert "'code'" in hold.reason
    assert follower.stages[-1].reason == hold.reason, "people see why"
    order(follower, EventKind.RELEASE)
    follower.train(5, non_finite=np.array([False, True, False]))
    assert follower.state.hold is None


def test_no_domain_is_read_beyond_its_epochs_and_the_forecast_tells_when() -> None:
    epochs = {"web": 0.05, "code": 0.01, "law": 1.0}
    follower = Follower(steering(Static(), max_epochs=epochs, ttl_steps=200), losses)
    budgets = follower.steering.budget
    follower.train(100)
    told = follower.steering.forecast(follower.state)
    assert told[1] == pytest.approx(30_000 / (TOKENS * PRIOR[1]), abs=2)
    follower.train(700)
    assert np.all(follower.drawn <= budgets)
    assert follower.drawn[1] > budgets[1] - TOKENS * 10, "what was left is less than the lead's worth"
    assert follower.weights(follower.step)[1] == 0
    assert any("code runs dry" in stage.reason for stage in follower.stages)
    assert follower.publications < 20, "told early, not again with every report"


def test_a_retired_domain_leaves_at_once_and_comes_back_when_it_is_readmitted() -> None:
    follower = Follower(steering(Odm(), Guards(spread="prior")), losses)
    follower.train(50)
    order(follower, EventKind.RETIRE, domain="code")
    follower.train(100)
    assert all(weights[1] == 0 for weights in follower.followed[56:150])
    assert "code retired: because" in [stage.reason.partition("; ")[2] for stage in follower.stages]
    order(follower, EventKind.READMIT, domain="code")
    follower.train(20)
    assert follower.weights(follower.step)[1] > 0


def test_the_trust_region_bounds_each_update_and_lets_every_mixture_be_reached() -> None:
    far = Handwritten((PlannedStage({"web": 0.0, "code": 0.1, "law": 0.9}),))
    follower = Follower(steering(far, Guards(trust_ratio=1.5)), losses)
    follower.train(400)
    assert np.allclose(follower.weights(follower.step), [0.0, 0.1, 0.9])
    assert follower.publications > 3


def test_a_restart_keeps_what_people_ordered_and_forgets_alarms() -> None:
    follower = Follower(steering(Odm(), Guards(freeze_after_non_finite=1)), losses)
    follower.train(50)
    checkpoint = follower.state
    follower.train(10, non_finite=np.array([True, False, False]))
    assert follower.state.hold is not None
    back = Event(EventKind.ATTEMPT, {"from_step": 50, "seq": 5})
    restarted = follower.steering.obey(follower.state, back, checkpoint)
    assert restarted.hold is None
    assert restarted.policy is checkpoint.policy
    order(follower, EventKind.PIN, weights={"web": 1.0})
    order(follower, EventKind.RETIRE, domain="law")
    restarted = follower.steering.obey(follower.state, back, checkpoint)
    assert restarted.hold is follower.state.hold
    assert restarted.retired == (2,)
    assert reloaded(follower.steering, restarted).retired == (2,)


def test_an_alarm_stays_if_the_checkpoint_is_younger_than_its_cause() -> None:
    follower = Follower(steering(Odm(), Guards(freeze_after_non_finite=1)), losses)
    follower.train(10, non_finite=np.array([True, False, False]))
    follower.train(50)
    back = Event(EventKind.ATTEMPT, {"from_step": 60, "seq": 6})
    assert follower.steering.obey(follower.state, back, follower.state).hold is follower.state.hold
