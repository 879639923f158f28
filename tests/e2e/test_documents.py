"""What the documents and examples show does what they say."""

import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from mixclient import Sampler, Schedule
from mixlaws.domains import DomainSet
from mixlaws.problem import MixtureProblem
from mixlaws.simulation import Simulation
from proxy_training.model import Decoder
from service.jobs.definition import JobDefinition
from service.jobs.schemas import JobIn, ReportIn, ScheduleOut
from tests.proxy_training.probes.small import CONTEXT, VOCABULARY, decoder
from tests.support.forking import Program
from tests.support.populated import finish_runs, settled
from tests.support.servers import Service
from tests.support.trainers import until

ROOT = Path(__file__).parents[2]


def text(document: str) -> str:
    return (ROOT / "docs" / document).read_text()


def blocks(document: str, language: str = "python") -> list[str]:
    """Python of a document, or another language, block by block."""
    return re.findall(rf"```{language}\n(.*?)```", text(document), re.DOTALL)


def test_the_pages_of_the_client_run_as_they_are_printed(
    tenant: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"key": tenant.key}
    for block in blocks("client.md"):
        exec(block.replace("http://127.0.0.1:8321", tenant.url), names)  # noqa: S102
    runs, printed = tenant.client.runs("first"), capsys.readouterr().out.splitlines()
    assert len(runs) == 8
    assert printed[:8] == [f"{run['label']} {run['weights']}" for run in runs]
    assert printed[8] == str([run["label"] for run in runs])
    assert names["everything"] == runs
    assert len(names["first"].items) == len(names["second"].items) == 3


def test_the_walk_from_a_study_to_a_proposal_runs_as_it_is_printed(
    service: Service, rng: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    create, fit, propose, look, own, elsewhere = blocks("proxy_runs.md")
    names: dict[str, Any] = {"key": service.key}
    exec(create.replace("http://127.0.0.1:8321", service.url), names)  # noqa: S102
    truth = Simulation.create(domains=3, rng=rng).truth
    domains = DomainSet(("web", "code", "papers"), (8_000_000_000, 2_000_000_000, 500_000_000))
    assert finish_runs(service, Simulation(MixtureProblem.create(domains), truth), noise=0.01, seed=0) == 32
    exec(fit, names)  # noqa: S102
    assert settled(service.client.fit, names["fit"]["id"])["state"] == "done"
    exec(propose, names)  # noqa: S102
    assert settled(service.client.proposal, names["asked"]["id"])["state"] == "done"
    exec(look, names)  # noqa: S102
    assert "'papers'" in capsys.readouterr().out
    exec(own, names)  # noqa: S102
    assert service.client.observations(names["run"]["id"])[0]["value"] == 3.4
    exec(elsewhere, names)  # noqa: S102
    newest = service.client.runs("first", state="completed")
    assert {"web": 3.2, "code": 1.9, "papers": 2.8} in [run["result"]["losses"] for run in newest]
    names["service"].close()


def test_the_example_trains_and_follows(service: Service, tmp_path: Path) -> None:
    example = Program(
        ROOT / "examples" / "follow_a_schedule.py",
        ["--url", service.url, "--steps", "80", "--megabytes", "0.1"],
        environment={"MIXWRIGHT_KEY": service.key, "HOME": str(tmp_path)},
        folder=tmp_path / "printed",
    )
    assert example.ended() == 0, example.err
    (job,) = service.client.jobs()
    assert f"{job['name']}: {job['reports_accepted']} reports sent" in example.out
    assert job["reported_step"] == 79
    assert job["versions_published"] > 1


def test_the_loop_for_a_trainer_of_ones_own_runs_as_it_is_printed(service: Service, tmp_path: Path) -> None:
    loop, signals, probes, checkpoint, resume, ranks = blocks("integrate.md")
    assert len(loop.strip().splitlines()) < 20
    domains = [{"name": "web", "tokens": 9_000}, {"name": "code", "tokens": 3_000}]
    job = {"name": "first", "policy": "odm", "domains": domains, "samples_per_step": 8, "lead_steps": 5}
    service.client.create_job(job)
    trained: list[list[int]] = []

    def train_on(domains: list[int]) -> list[tuple[float, int]]:
        trained.append(domains)
        return [(64 * (2.0 + domain), 64) for domain in domains]

    names: dict[str, Any] = {"url": service.url, "key": service.key, "train_on": train_on}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))  # where reports wait
        exec(loop, names)  # noqa: S102
        exec(signals, names)  # noqa: S102
        names |= {"model": decoder(), "losses": Decoder.losses}
        exec(probes, names)  # noqa: S102
        trained.append(names["client"].step(len(trained)))
        tokens = torch.randint(VOCABULARY, (8, CONTEXT + 1))
        names["measured_step"](len(trained) - 1, tokens, torch.tensor(trained[-1]))
        evaluated: list[int] = []

        def evaluate() -> tuple[list[float], list[int]]:
            evaluated.append(len(trained))
            return [3.0, 2.0], [1, 1]

        names["evaluate"] = evaluate
        until(lambda: names["client"].schedule.stages[-1].effective_step > 100)
        while not evaluated:
            trained.append(names["client"].step(len(trained)))
            names["record"](len(trained) - 1, [3.0, 2.0], [1, 1], [4, 4])
        names["step"] = last = len(trained) - 1
        exec(checkpoint, names)  # noqa: S102
        assert service.client.job("first")["reported_step"] == last
        assert Schedule.parse(json.loads(names["saved"]["schedule"])).stage_ends(last)
        counters = names["client"].counters()
        assert not {"unusable_measurements", "failed_sends"} & set(counters), counters
        exec(resume, names)  # noqa: S102
    resumed = names["client"]
    sampler = Sampler(resumed.schedule, seed=17)
    assert [sampler.step(step) for step in range(last + 1)] == trained
    assert (resumed.schedule.attempt, service.client.job("first")["attempt"]) == (2, 2)
    for rank in range(2):
        names |= {"rank": rank, "world": 2}
        exec(ranks, names)  # noqa: S102
        assert names["own"] == resumed.step(last + 1)[rank::2]
    resumed.close()


def test_the_way_of_a_report_names_what_there_is() -> None:
    names = set(re.findall(r"\b(?:mixclient|mixlaws|service)(?:\.\w+)+", text("live.md")))
    assert len(names) > 40
    assert [name for name in names if pkgutil.resolve_name(name) is None] == []


def test_jobs_schedules_and_reports_are_taken_as_they_are_printed() -> None:
    job, schedule, report, policy = (json.loads(block) for block in blocks("live.md", "json"))
    domains = JobDefinition.of(JobIn.model_validate(job)).domains.names
    assert JobDefinition.of(JobIn.model_validate(job | policy)).domains.names == domains
    assert Schedule.parse(schedule).domains == domains
    assert ScheduleOut.model_validate(schedule).model_dump(mode="json", by_alias=True) == schedule
    ReportIn.model_validate(report)
    assert set(report["loss_sums"]) == set(domains)


def test_what_an_operator_types_is_done(service: Service) -> None:
    service.client.create_job(json.loads(blocks("live.md", "json")[0]))
    typed = re.findall(r'"\$URL(/\S*)"(?: --json \'(.*)\')?', text("operators.md"))
    assert len(typed) > 15
    for path, body in typed:
        answer = service.call("POST" if body else "GET", path, json.loads(body) if body else None)
        assert answer.is_success, (path, body, answer.text)
