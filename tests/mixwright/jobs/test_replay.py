"""A job is replayed from its exported log, to the last bit, by its own policy and by others."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from mixlaws.driving import Drive
from mixwright.jobs.comparing import compared
from mixwright.jobs.counterfactual import counterfactual, redefined
from mixwright.jobs.log_file import JobLog, fetched, parsed, read
from service.jobs.folding import feedback
from tests.mixwright.commands import Command
from tests.support.databases import fresh_database
from tests.support.servers import Service, running

# Their shares, made to sum to 1 once more, differ in the last bit.
DOMAINS = [
    {"name": "web", "tokens": 3_000_000},
    {"name": "code", "tokens": 2_000_000},
    {"name": "law", "tokens": 1_000_000},
]
JOB: dict[str, Any] = {
    "name": "run", "policy": "odm", "domains": DOMAINS, "samples_per_step": 8, "lead_steps": 11,
    "guards": {"floor": 0.01},
}  # fmt: skip


class Trainer:
    """Reports losses that differ from step to step."""

    def __init__(self, service: Service, **job: Any) -> None:
        self.service, self.path = service, "/v1/jobs/run"
        service.client.create_job({**JOB, **job})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.service.client.call(method, self.path + path, body=body)

    def train(self, first: int, last: int) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for start in range(first, last, 10):
            schedule = self.call("GET", "/schedule")
            begun = [s["version"] for s in schedule["stages"] if s["effective_step"] <= start]
            losses = {"web": 2 + 30 / (start + 10), "code": 1 + 0.1 * (start % 7), "law": 3.0}
            counts = {"web": 512, "code": 64 * (start % 30 > 0), "law": 128}
            body = {
                "attempt": schedule["attempt"], "source": "rank0", "step_from": start, "step_to": start + 9,
                "schedule_version": (begun or [schedule["version"]])[-1],
                "loss_sums": {name: loss * counts[name] for name, loss in losses.items()},
                "token_counts": counts,
            }  # fmt: skip
            answer = self.call("POST", "/reports", body)
        return answer


@pytest.fixture(scope="module")
def exported(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The log of a job that went through everything; its service is stopped, its database gone."""
    folder = tmp_path_factory.mktemp("service")
    with fresh_database(postgres_url) as database, running(database, folder, tasks_inside=False) as service:
        trainer = Trainer(service)
        trainer.train(0, 50)
        newest = trainer.call("GET", "")["version"]
        late = {"attempt": 1, "version": newest, "step": 90, "outcome": "too_late"}
        trainer.call("POST", "/acks", late)
        token = trainer.train(50, 120)["state_token"]
        trainer.train(120, 170)
        trainer.call("POST", "/attempts", {"from_step": 120, "state_token": token})
        trainer.train(120, 150)
        pinned = {"web": 0.5, "code": 0.3, "law": 0.2}
        trainer.call("POST", "/pin", {"weights": pinned, "reason": "a look at law"})
        trainer.train(150, 180)
        trainer.call("POST", "/release", {"reason": "seen"})
        trainer.call("POST", "/retire", {"domain": "law", "reason": "a broken shard"})
        trainer.train(180, 220)
        return fetched(service.client, "run")


@pytest.fixture
def eventful(exported: dict[str, Any], tmp_path: Path) -> Path:
    """The same in a file."""
    file = tmp_path / "run.json"
    file.write_text(json.dumps(exported))
    return file


def with_a_bit_changed(number: float) -> float:
    (bits,) = struct.unpack("<Q", struct.pack("<d", number))
    (changed,) = struct.unpack("<d", struct.pack("<Q", bits ^ 2**16))
    return float(changed)


def test_an_exported_job_is_replayed_to_the_last_bit_and_a_changed_bit_is_named(
    eventful: Path, command: Command
) -> None:
    told = json.loads(command("job", "replay", "--from", str(eventful), "--json").out)
    assert told["exact"] == told["versions"] > 20
    assert (told["rounded"], told["different"]) == (0, 0)
    document = json.loads(eventful.read_text())
    kinds = [entry["event"]["kind"] for entry in document["entries"] if entry["event"]]
    assert kinds == ["too_late", "attempt", "pin", "release", "retire"]

    place = next(at for at, entry in enumerate(document["entries"]) if entry["event"]) - 1
    sums = document["entries"][place]["reports"][0]["loss_sums"]
    sums[0] = with_a_bit_changed(sums[0])
    eventful.write_text(json.dumps(document))
    differs = command("job", "replay", "--from", str(eventful))
    assert differs.code == 1
    version = document["entries"][place]["versions"][0]
    assert f"version {version['version']} at place {document['entries'][place]['seq']}" in differs.out
    assert str(version["weights"]) in differs.out
    assert f"steps {10 * (place - 1)} to {10 * (place - 1) + 9} by rank0" in differs.out


def test_versions_of_another_build_may_differ_by_rounding_and_by_no_more(eventful: Path) -> None:
    document = json.loads(eventful.read_text())
    version = document["entries"][3]["versions"][0]
    version["build"] = "another"
    version["weights"][0] += 1e-14
    found = compared(parsed(document, "run"))
    assert (found.exact, found.rounded, len(found.differences)) == (found.versions - 1, 1, 0)
    version["weights"][0] += 1e-9
    assert [
        one.published.version for one in compared(parsed(document, "run")).differences if one.published
    ] == [version["version"]]
    version["build"] = document["entries"][2]["versions"][0]["build"]
    version["weights"][0] -= 1e-9
    assert len(compared(parsed(document, "run")).differences) == 1


def test_the_same_policy_would_have_published_the_same(
    service: Service, tmp_path: Path, command: Command
) -> None:
    Trainer(service).train(0, 200)
    where = {"MIXWRIGHT_URL": service.url, "MIXWRIGHT_KEY": service.key}
    file = tmp_path / "run.json"
    written = command("job", "log", "run", "--out", str(file), **where)
    assert "21 places with" in written.out
    log = read(file)
    found = counterfactual(log, redefined(log, policy="odm"))
    published = [version for entry in log.entries for version in entry.versions]
    assert len(published) > 15
    again = [(v.stage.effective_step, v.stage.weights.tolist(), v.stage.reason) for v in found.versions]
    assert again == [(v.effective_step, v.weights, v.reason) for v in published]
    assert found.distance == 0
    replayed = command("job", "replay", "run", **where)
    assert f"{len(published)} of {len(published)} versions of run came out again" in replayed.out


def test_another_policy_forgets_what_restarts_took_back(eventful: Path, command: Command) -> None:
    log = read(eventful)
    static = counterfactual(log, redefined(log, policy="static"))
    prior = log.definitions[1].steering.problem.prior
    assert [version.stage.weights.tolist() for version in static.versions] == [prior.tolist()]
    steps = [(first, last) for first, last, _ in static.held]
    assert steps == [(first, first + 9) for first in range(0, 220, 10)]
    apart = [abs(weights - prior).sum() / 2 for _, _, weights in static.held]
    assert static.distance == pytest.approx(sum(apart) / len(apart), rel=1e-12)

    # Without the orders, the last attempt is a job that never was anywhere else.
    odm = counterfactual(log, redefined(log, guards={"floor": 0.01}))
    every = [version for entry in log.entries for version in entry.versions]
    first = log.entries[0].model_copy(update={"versions": every})
    straight = [entry for entry in log.entries if entry.reports and _counts(log, entry.seq)]
    alone = JobLog("run", {1: log.bodies[1]}, (first, *straight))
    plan = counterfactual(alone, redefined(alone)).plan
    assert [s.weights.tolist() for s in odm.plan] == [s.weights.tolist() for s in plan]
    assert [s.effective_step for s in odm.plan] == [s.effective_step for s in plan]

    fits = {"start_step": 50, "fit_every": 50, "ignore_steps": 0, "fit_rows": 1, "window": 5}
    definitions = redefined(log, policy="ado", params=fits, guards={"floor": 0.0})
    ado = counterfactual(log, definitions)
    steering = definitions[2].steering
    drive = Drive(steering.policy, steering.policy.init(steering.problem))
    for entry in log.folded:
        if entry.reports and _counts(log, entry.seq):
            drive.tell(feedback(definitions[2].domains, entry.reports, [0, 0, 0])[0])
    assert ado.plan[-1].weights.tolist() == drive.plan[0].weights.tolist() != prior.tolist()
    assert (ado.steps, ado.failed) == (5, 0), "at 50, 100, 150 and 200; at 150 once more after the restart"

    page = eventful.with_suffix(".html")
    told = command("job", "replay", "--from", str(eventful), "--policy", "static", "--figure", str(page))
    assert f"{static.distance:.4f}" in told.out
    assert "measured under the weights that really held" in " ".join(told.out.split())
    assert "What really held" in page.read_text()


def _counts(log: JobLog, seq: int) -> bool:
    (restart,) = [entry for entry in log.folded if entry.event and entry.event.kind == "attempt"]
    assert restart.event is not None
    return not restart.event.payload["seq"] < seq < restart.seq
