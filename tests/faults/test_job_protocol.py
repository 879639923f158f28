"""The job protocol against a model of it, in any order of reports, restarts, orders and polls.

Covers cases 1 to 4, 8, 13 to 15, 17 and 26 in their combinations.
"""

import itertools
from collections.abc import Callable
from typing import Any

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.service.problems import problem_of
from tests.support.job_model import DOMAINS, GO_BACK_STEPS, SOURCES, WAIT_STEPS, JobModel, Refusal
from tests.support.replaying import same_again
from tests.support.servers import Service

NUMBERS = itertools.count()
INDEX = st.integers(0, 10**6)
STEPS = 10  # of a report
SOME = 5  # batches of reports that a job has taken before it may end

# What a trainer may send: how far its step is from the last reported one, and what is odd about it.
OFFERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "next": lambda body: body,
    "of an old attempt": lambda body: {**body, "attempt": max(1, body["attempt"] - 1)},
    "of no attempt": lambda body: {**body, "attempt": body["attempt"] + 1},
    "of a stranger": lambda body: {**body, "source": "c"},
    "of no version": lambda body: {**body, "schedule_version": 10**6},
    "of no domain": lambda body: {**body, "loss_sums": {**body["loss_sums"], "moon": 1.0}},
}
AWAY = {
    "next": STEPS,
    "again": 0,
    "gap": 3 * STEPS,
    "before": -STEPS,
    "far": 2 * GO_BACK_STEPS,
    "back": -1500,
}
offers = st.tuples(
    st.sampled_from(["next"] * 6 + sorted(OFFERS)),
    st.sampled_from(["next"] * 6 + sorted(AWAY)),
    st.sampled_from(SOURCES),
    st.integers(0, 1),
)


class JobProtocol(RuleBasedStateMachine):
    """A job that is told the same as its model."""

    service: Service

    def __init__(self) -> None:
        super().__init__()
        self.http = self.service.http(self.service.key)
        self.name = f"protocol-{next(NUMBERS)}"
        self.model = JobModel()
        self.tokens: list[str] = [self.model.token]
        domains = [{"name": name, "tokens": 10**12} for name in DOMAINS]
        self.service.client.create_job(
            {
                "name": self.name, "policy": "odm", "domains": domains, "samples_per_step": 8,
                "lead_steps": 20, "sources": SOURCES, "wait_steps": WAIT_STEPS,
            }
        )  # fmt: skip

    def teardown(self) -> None:
        """At its end the log gives every version again."""
        self.http.close()
        same_again(self.service, self.name)

    @rule(offered=st.lists(offers, min_size=1, max_size=3))
    def report(self, offered: list[tuple[str, str, str, int]]) -> None:
        """Reports in order, again, otherwise, late, far ahead, far back, of strangers."""
        bodies = [self._offered(*one) for one in offered]
        before, seq = self.model.version, self.model.seq
        answer = self._post("reports", {"reports": bodies}, lambda: self.model.report(bodies))
        if answer is None:
            return
        told, expected = answer
        assert {key: told[key] for key in ("accepted", "duplicates", "late")} == {
            key: expected[key] for key in ("accepted", "duplicates", "late")
        }
        assert (told["attempt"], told["state_token"]) == (self.model.attempt, self.model.token)
        self._heard(told["version"])
        if self.model.held or self.model.seq == seq:
            assert told["version"] == before
        self.tokens.append(told["state_token"])

    def _offered(self, odd: str, away: str, source: str, value: int) -> dict[str, Any]:
        step = max(STEPS - 1, self.model.reported_step + AWAY[away])
        body = {
            "attempt": self.model.attempt,
            "source": source,
            "step_from": step - STEPS + 1,
            "step_to": step,
            "schedule_version": self.model.version,
            "loss_sums": {"web": 300.0 + step % 7, "code": 200.0 + value},
            "token_counts": dict.fromkeys(DOMAINS, 100),
        }
        known = self.model.stored.get((self.model.attempt, source, step))
        if known is not None and value == 0:  # the very same, else another value
            body = dict(known)
        return OFFERS[odd](body)

    @rule(which=INDEX, outcome=st.sampled_from(["applied", "too_late"]), zombie=st.sampled_from([0, 0, 0, 1]))
    def acknowledge(self, which: int, outcome: str, zombie: int) -> None:
        """A version was applied, or came too late; some are unknown, some trainers fenced."""
        version = 1 + which % (self.model.version + 1)
        attempt = max(1, self.model.attempt - zombie)
        ack = {"attempt": attempt, "version": version, "outcome": outcome}
        answer = self._post(
            "acks",
            {**ack, "step": max(0, self.model.reported_step)},
            lambda: self.model.acknowledge(attempt, version, outcome),
        )
        if answer is not None:
            self._heard(answer[0]["version"])

    @rule(steps_back=st.integers(0, 5), which=st.none() | INDEX)
    def restart(self, steps_back: int, which: int | None) -> None:
        """A restart from a checkpoint, by its step or by a token, which may be of another time."""
        body: dict[str, Any] = {"from_step": max(0, self.model.reported_step + 1 - STEPS * steps_back)}
        token = None if which is None else self.tokens[-1 - which % len(self.tokens)]
        body |= {} if token is None else {"state_token": token}
        answer = self._post("attempts", body, lambda: self.model.restart(body["from_step"], token))
        if answer is not None:
            told, back = answer
            assert told == {
                "number": self.model.attempt,
                "from_step": body["from_step"],
                "restored_seq": back,
            }
            self._heard(self.service.client.job(self.name)["version"])

    @rule(order=st.sampled_from(["pin", "freeze", "release", "rollback"]), which=INDEX)
    def order(self, order: str, which: int) -> None:
        """An order of people: each that is taken is a version."""
        version = 1 + which % (self.model.version + 1)
        more: dict[str, dict[str, Any]] = {
            "pin": {"weights": {"web": 0.5, "code": 0.5}},
            "rollback": {"version": version},
        }
        body = {"reason": "to see", **more.get(order, {})}
        answer = self._post(order, body, lambda: self.model.order(order, version))
        if answer is not None:
            told = answer[0]
            assert (told["seq"], told["schedule"]["frozen"]) == (self.model.seq, self.model.held)
            assert told["version"] > self.model.version
            self._heard(told["version"])

    @precondition(lambda self: len(self.tokens) > SOME)
    @rule()
    def end(self) -> None:
        """The end of the job, which may be said again."""
        assert self.http.post(self._path("end"), json={"reason": "done"}).status_code == 200
        self.model.ended = True

    @rule(knows=st.booleans())
    def poll(self, knows: bool) -> None:
        """Whoever holds the newest version is told so, whoever does not gets it."""
        etag = self.model.etag
        answer = self.http.get(self._path("schedule"), headers={"If-None-Match": etag if knows else '"1-0"'})
        assert (answer.status_code, answer.headers["ETag"]) == (304 if knows else 200, etag)
        if not knows:
            schedule = answer.json()
            assert f'"{schedule["attempt"]}-{schedule["version"]}"' == etag
            assert schedule["frozen"] == self.model.held

    @invariant()
    def tells_the_same(self) -> None:
        """What the service tells of the job is what the model knows."""
        job = self.http.get(self._path()).json()
        expected = self.model.told()
        assert {key: job[key] for key in expected} == expected
        assert (job["hold"] is not None, job["ended"] is not None) == (self.model.held, self.model.ended)

    def _post(self, what: str, body: dict[str, Any], expect: Callable[[], Any]) -> tuple[Any, Any] | None:
        """The answer beside the model's; None if both refuse it for one reason."""
        answer: httpx.Response = self.http.post(self._path(what), json=body)
        try:
            expected = expect()
        except Refusal as refusal:
            problem_of(answer, refusal.status, code=refusal.code)
            return None
        assert answer.is_success, answer.text
        return answer.json(), expected

    def _heard(self, version: int) -> None:
        assert version >= self.model.version, "a version was taken back"
        self.model.heard(version)

    def _path(self, what: str = "") -> str:
        return f"/v1/jobs/{self.name}/{what}".rstrip("/")


def test_the_job_protocol_is_what_its_model_says(tenant: Service) -> None:
    class OfTenant(JobProtocol):
        service = tenant

        def teardown(self) -> None:
            super().teardown()
            heard.append(self.model.version)

    heard: list[int] = []
    few = settings(max_examples=8, stateful_step_count=25, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(OfTenant, settings=few)
    assert len(heard) >= 8
    assert max(heard) > 1, "no walk came as far as a new version"
