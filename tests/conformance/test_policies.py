"""What every online policy must do, whatever it is and whatever a trainer measures."""

import dataclasses
import json
import os
from typing import Any

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.driving import Drive
from mixlaws.errors import StateError
from mixlaws.feedback import Evaluation, Feedback, Signal, TokenSums
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES
from tests.support.steering import Trainer, example, followed, guarded, measurements, permuted

SOAK_UPDATES = int(os.environ.get("MIXWRIGHT_SOAK_UPDATES", "5000"))


def domains(d: int) -> DomainSet:
    return DomainSet(tuple(f"domain-{i}" for i in range(d)), tuple(range(1000, 1000 + 10 * d, 10)))


def driven(name: str, known: DomainSet, *, updates: int = 0) -> Drive:
    policy = example(name, known, updates=updates)
    return Drive(policy, policy.init(MixtureProblem.create(known)))


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_weights_stay_on_the_simplex_and_above_the_floor_through_a_long_run(name: str) -> None:
    drive, guards = driven(name, domains(5), updates=SOAK_UPDATES), guarded(5, floor=0.001)
    first = drive.plan[-1].weights
    learns = bool(drive.policy.signals)
    for number, _ in enumerate(followed(drive, Trainer(5, seed=3), SOAK_UPDATES if learns else 100)):
        weights = drive.plan[0].weights
        assert abs(weights.sum() - 1) <= 1e-12
        assert weights.min() >= 0
        if number % 50 == 0:
            for stage in drive.plan:
                limited = guards.within(stage.weights)
                assert abs(limited.sum() - 1) <= 1e-12
                assert limited.min() >= 0.001 - 1e-15
            json.dumps(drive.policy.dump(drive.state), allow_nan=False)
    assert learns != np.array_equal(drive.plan[-1].weights, first), "what was reported must have mattered"


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_policy_resumed_after_any_step_equals_the_uninterrupted_one(name: str) -> None:
    straight, resumed = driven(name, domains(5)), driven(name, domains(5))
    for feedback in followed(straight, Trainer(5, seed=1, pace=16), 400):
        resumed.tell(feedback)
        resumed.state = resumed.policy.load(json.loads(json.dumps(resumed.policy.dump(resumed.state))))
    assert straight.policy.dump(straight.state) == resumed.policy.dump(resumed.state)
    for stage, other in zip(straight.plan, resumed.plan, strict=True):
        assert np.array_equal(stage.weights, other.weights)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_asking_for_stages_does_not_move_a_policy(name: str) -> None:
    asked, quiet = driven(name, domains(5)), driven(name, domains(5))
    for feedback in followed(asked, Trainer(5, seed=2), 40):
        assert [stage.weights.tolist() for stage in asked.plan] == [s.weights.tolist() for s in asked.plan]
        quiet.tell(feedback)
    assert asked.policy.dump(asked.state) == quiet.policy.dump(quiet.state)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_policy_does_not_care_how_domains_are_numbered(name: str) -> None:
    order = np.random.default_rng(0).permutation(5)
    known = domains(5)
    turned = DomainSet(tuple(known.names[j] for j in order), tuple(known.tokens[j] for j in order))
    straight, other = driven(name, known), driven(name, turned)
    for feedback in followed(straight, Trainer(5, seed=4, pace=16), 400):
        other.tell(permuted(feedback, order))
    for stage, twin in zip(straight.plan, other.plan, strict=True):
        assert twin.weights == pytest.approx(stage.weights[order], abs=1e-9)
        assert twin.steps == stage.steps


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_state_is_small_and_refuses_to_load_as_another(name: str) -> None:
    drive = driven(name, domains(100))
    largest = 0
    for number, _ in enumerate(followed(drive, Trainer(100, seed=5, pace=16, broken=0.0), 480)):
        if number % 20 == 0:
            largest = max(largest, len(json.dumps(drive.policy.dump(drive.state))))
    assert largest <= 64 * 1024
    with pytest.raises(StateError):
        drive.policy.load({"schema": 1, "policy": "another"})


@pytest.mark.parametrize("name", sorted(POLICIES))
@pytest.mark.parametrize("d", [1, 2])
def test_one_domain_and_two_work(name: str, d: int) -> None:
    drive = driven(name, domains(d))
    for _ in followed(drive, Trainer(d, seed=6, pace=16), 400):
        for stage in drive.plan:
            assert abs(stage.weights.sum() - 1) <= 1e-12
            assert stage.weights.min() >= 0
    assert d > 1 or drive.plan[0].weights.tolist() == [1.0]


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_what_stands_beside_a_count_of_zero_is_never_read(name: str) -> None:
    clean, littered = driven(name, domains(5)), driven(name, domains(5))
    for feedback in followed(clean, Trainer(5, seed=7, pace=16), 400):
        changed: dict[str, Any] = {
            signal.field: _littered(measured)
            for signal in Signal
            if isinstance(measured := getattr(feedback, signal.field), TokenSums)
        }
        sums = _littered(feedback.training).sums
        littered.tell(dataclasses.replace(feedback, loss_sums=sums, **changed))
    assert littered.policy.dump(littered.state) == clean.policy.dump(clean.state)


def _littered(measured: TokenSums) -> TokenSums:
    return dataclasses.replace(measured, sums=np.where(measured.observed, measured.sums, 1e9))


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_policy_needs_no_more_than_the_signals_that_it_names(name: str) -> None:
    full, bare = driven(name, domains(5)), driven(name, domains(5))
    dropped: dict[str, Any] = dict.fromkeys(
        signal.field for signal in set(Signal) - full.policy.signals if signal is not Signal.LOSSES
    )
    if Signal.LOSSES not in full.policy.signals:
        dropped["token_counts"] = np.zeros(5, dtype=np.int64)
    for feedback in followed(full, Trainer(5, seed=8, pace=16), 400):
        bare.tell(dataclasses.replace(feedback, **dropped))
    assert bare.policy.dump(bare.state) == full.policy.dump(full.state)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_alike_domains_stay_alike(name: str) -> None:
    known = DomainSet(tuple("abcd"), (1000,) * 4)
    drive = driven(name, known)
    guards = guarded(4)
    trainer = Trainer(4, seed=9, pace=4, broken=0.0)
    for _ in range(400):
        drive.tell(_alike(trainer.report(drive.plan, guards)))
    final = [stage for stage in drive.plan if stage.steps is None]
    assert final[-1].weights == pytest.approx([0.25] * 4, abs=1e-9)


def _alike(feedback: Feedback) -> Feedback:
    """The same feedback as if all domains had the loss of the first one, and as many tokens."""
    counts, step = np.full(4, 1024), feedback.step
    sums = (3 - 1e-4 * step) * counts  # equal falls, whenever a domain is probed
    alike = TokenSums(sums - 2.0 * counts, counts)
    evaluation = None if feedback.evaluation is None else Evaluation(sums, counts, step, "held-out")
    return dataclasses.replace(
        feedback,
        loss_sums=sums,
        token_counts=counts,
        sequence_counts=counts // 256,
        excess=alike,
        excess_clipped=alike,
        evaluation=evaluation,
        **measurements(np.ones((4, 3)), counts),
    )
