"""The expensive step of a policy: a task, whose result enters the log between two reports."""

from typing import Any

import numpy as np
from sqlalchemy import select

from mixlaws.domains import DomainSet
from mixlaws.feedback import Feedback
from mixlaws.policies.ado import Ado
from mixlaws.policy import History, HistoryRequest
from mixlaws.problem import MixtureProblem
from service.jobs import expensive, log_repository
from service.models import ExpensiveStep, TaskState
from tests.service.embedded_postgres.actors import until
from tests.service.reports import JOB
from tests.support.replaying import same_again
from tests.support.servers import Service

PARAMS: dict[str, Any] = {"start_step": 50, "fit_every": 50, "ignore_steps": 0, "fit_rows": 1, "window": 5}
NAMES = [domain["name"] for domain in JOB["domains"]]
PATH = f"/v1/jobs/{JOB['name']}"


def losses(step: int) -> dict[str, float]:
    drawn = np.array([3.0, 2.0, 1.0]) * step
    return dict(zip(NAMES, (2 + np.array([3.0, 1.0, 2.0]) * drawn**-0.3).tolist(), strict=True))


def send(service: Service, step: int, version: int, attempt: int = 1) -> dict[str, Any]:
    sums = {name: 512 * loss for name, loss in losses(step + 1).items()}
    report = {
        "attempt": attempt, "source": "rank0", "step_from": step - 9, "step_to": step,
        "schedule_version": version, "loss_sums": sums, "token_counts": dict.fromkeys(NAMES, 512),
    }  # fmt: skip
    answer: dict[str, Any] = service.client.call("POST", f"{PATH}/reports", body=report)
    return answer


def results(service: Service) -> list[dict[str, Any]]:
    entries = service.client.call("GET", f"{PATH}/log")["entries"]
    return [entry["event"] for entry in entries if entry["event"] and entry["event"]["kind"] == "result"]


def test_a_fit_of_ado_is_a_task_whose_result_the_next_report_follows(service: Service) -> None:
    service.client.create_job({**JOB, "policy": "ado", "params": PARAMS})
    version = 1
    for step in range(9, 60, 10):
        version = send(service, step, version)["version"]
    assert version == 1, "without curves the prior holds"
    until(lambda: len(results(service)) == 1)
    policy = Ado(**PARAMS)
    counts = np.full(3, 512)
    steps = np.arange(10, 61, 10)
    told = np.array([[512 * loss for loss in losses(int(step)).values()] for step in steps])
    request = HistoryRequest(1, 60)
    past = History(steps, told, np.tile(counts, (len(steps), 1)))
    assert results(service)[0]["payload"]["result"] == policy.compute(request, past)
    assert send(service, 69, version)["version"] == 2

    state = policy.init(MixtureProblem.create(DomainSet(tuple(NAMES), (9_000, 3_000, 1_000))))
    prior = state.prior
    for step, sums in zip(steps.tolist(), told, strict=True):
        state = policy.update(state, Feedback(step, sums, counts, prior, steps=10, version=1))
    state = policy.absorb(state, policy.compute(request, past))
    last = np.array([512 * loss for loss in losses(70).values()])
    state = policy.update(state, Feedback(70, last, counts, prior, steps=10, version=1))
    versions = same_again(service, JOB["name"])
    assert list(versions[-1].weights.values()) == state.weights.tolist()


def computed(service: Service) -> None:
    """The one step that waits, computed here and entered as its task would."""
    with service.database.session() as session:
        waiting = select(ExpensiveStep.id).where(ExpensiveStep.state == TaskState.QUEUED)
        step_id = session.scalars(waiting).one()
        result = expensive.compute(expensive.task_input(session, session.get_one(ExpensiveStep, step_id)))
    with service.database.session() as session:
        step = log_repository.locked_step(session, step_id)
        assert step is not None
        step.state = TaskState.DONE
        expensive.enter(session, step, result, None)


def test_a_restart_before_a_fit_asks_for_it_again(tenant: Service) -> None:
    tenant.client.create_job({**JOB, "policy": "ado", "params": PARAMS})
    for step in range(9, 60, 10):
        send(tenant, step, 1)
    computed(tenant)
    tenant.client.call("POST", f"{PATH}/attempts", body={"from_step": 40})
    for step in (49, 59):
        send(tenant, step, 1, attempt=2)
    computed(tenant)
    first, second = results(tenant)
    assert first["payload"]["result"] == second["payload"]["result"], "the same reports, the same curves"
    same_again(tenant, JOB["name"])


def test_a_rollback_to_a_version_that_waited_for_a_fit_asks_for_it_again(tenant: Service) -> None:
    tenant.client.create_job({**JOB, "policy": "ado", "params": PARAMS})
    version = 1
    for steps in (range(9, 60, 10), range(69, 110, 10)):
        for step in steps:
            version = send(tenant, step, version)["version"]
        computed(tenant)
    order = {"version": version, "reason": "as it was when the second fit fell due"}
    tenant.client.call("POST", f"{PATH}/rollback", body=order)
    computed(tenant)
    _, second, third = results(tenant)
    assert second["payload"]["result"] == third["payload"]["result"], "the same reports, the same curves"
    same_again(tenant, JOB["name"])
