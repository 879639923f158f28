"""A policy whose state grows beyond what is kept begins again, under held weights, and the log says so."""

from dataclasses import replace

import numpy as np
import pytest

from mixlaws.arrays import JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.feedback import Feedback
from mixlaws.policies.odm import Odm, OdmState
from mixlaws.problem import MixtureProblem
from mixlaws.steering.steering import STATE_BYTES, Steering
from service.jobs.definition import JobDefinition
from service.jobs.folding import Entry
from service.jobs.recording import published, within_size
from service.jobs.replaying import advanced
from service.jobs.states import Head


class Hoarder(Odm):
    """Keeps everything that it was ever told."""

    def dump(self, state: OdmState, /) -> JsonObject:
        return {**super().dump(state), "hoard": "x" * int(100 * state.rewards.sum())}


def test_a_state_that_grew_too_large_begins_again_under_held_weights() -> None:
    steering = Steering(MixtureProblem.create(DomainSet(("web", "code"), (3, 1))), Hoarder(), "hoarder")
    definition = JobDefinition(steering, ("rank0",), 0)
    head, first = published(definition, Head(0, -1, -1, 0, -1, steering.init()), 0)
    assert first is not None
    counts = np.full(2, 100)
    step = 0
    while within_size(definition, head)[1] == []:
        step = head.state.step + 1
        told = Feedback(step, 6.0 * counts, counts, steering.problem.prior, version=1)
        learnt = steering.learn(head.state, told, non_finite=counts < 0, drawn=counts)
        head, _ = published(definition, replace(head, applied_seq=step, state=learnt), step + 50)
    before = head.state
    head, events = within_size(definition, head)
    assert [(seq, event.kind) for seq, event in events] == [(step + 1, "reset")]
    assert steering.policy_bytes(head.state) <= STATE_BYTES
    hold = head.state.hold
    assert hold is not None
    assert str(STATE_BYTES) in hold.reason
    again = advanced(definition, before, [Entry(events[0][0], event=events[0][1])], {})
    assert steering.dump(again) == steering.dump(head.state)
    held, _ = steering.publish(head.state, step + 60)
    assert np.array_equal(held.anchor, before.anchor)


def test_a_job_whose_policy_is_too_large_from_the_start_is_refused() -> None:
    names = tuple(f"domain-{index}" for index in range(2000))
    problem = MixtureProblem.create(DomainSet(names, tuple(range(1, 2001))))
    with pytest.raises(InvalidInputError, match="2000 domains, 65536 are allowed"):
        Steering(problem, Odm(), "odm").init()
