"""The trainer on many ranks: it follows its job through kills and outages, and loses no sample."""

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import torch
from sqlalchemy import text

from mixclient import Sampler, Schedule, Stage
from proxy_training.corpus import Corpus
from service.db import Database
from tests.support.forking import Program
from tests.support.replaying import same_again
from tests.support.servers import Service, running
from tests.support.walks import build_walks

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_gpt.py"
NAMES = ("capitals", "small")
SAMPLES = 8
SEED = 3

Sample = tuple[int, int, int]  # step, domain, number in the domain


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_walks(tmp_path_factory.mktemp("walks"))


def create(service: Service, corpus: Corpus, **more: Any) -> None:
    rows = [
        {"name": name, "tokens": tokens} for name, tokens in zip(NAMES, corpus.domains.tokens, strict=True)
    ]
    job = {"name": "run", "policy": "odm", "domains": rows, "samples_per_step": SAMPLES, "lead_steps": 30}
    service.client.create_job({**job, **more})


@dataclass
class Trainer:
    """The example in processes of its own, one a rank."""

    service: Service
    corpus: Corpus
    folder: Path
    ranks: int = 1
    options: tuple[str, ...] = ()
    processes: list[Program] = field(default_factory=list)

    def start(self) -> None:
        port = free_port()
        for rank in range(self.ranks):
            arguments = [
                "--url", self.service.url, "--job", "run",
                "--corpus", str(self.corpus.folder), "--folder", str(self.folder / "state"),
                "--log-domains", str(self.folder), "--seed", str(SEED), "--report-every", "5",
                "--context", "16", "--layers", "1", "--width", "16", *self.options,
            ]  # fmt: skip
            environment = {
                "RANK": str(rank), "WORLD_SIZE": str(self.ranks), "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port), "MIXWRIGHT_KEY": self.service.key,
            }  # fmt: skip
            self.processes.append(
                Program(EXAMPLE, arguments, environment=environment, folder=self.folder / "printed")
            )

    def samples(self, rank: int = 0) -> list[Sample]:
        """What a rank has read so far."""
        path = self.folder / f"rank{rank}.txt"
        text = path.read_text() if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        return [(int(s), int(d), int(n)) for s, d, n in (line.split() for line in whole.splitlines())]

    def reached(self) -> int:
        """The last step that rank 0 has begun."""
        read = self.samples()
        return read[-1][0] if read else -1

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to happen while every rank trains."""
        deadline = time.monotonic() + 60
        while not condition():
            for process in self.processes:
                assert process.code is None, process.err
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.005)

    def ended(self) -> dict[str, int]:
        """What rank 0 counted, once all ranks have ended well."""
        ends = [process.ended() for process in self.processes]
        assert ends == [0] * self.ranks, [process.err for process in self.processes]
        counted: dict[str, int] = json.loads(self.processes[0].out.splitlines()[-1])
        return counted

    def end(self) -> dict[str, int]:
        """Ask rank 0 to end."""
        self.processes[0].signal(signal.SIGTERM)
        return self.ended()


@contextmanager
def trainer(
    service: Service, corpus: Corpus, folder: Path, *options: str, ranks: int = 1
) -> Iterator[Trainer]:
    started = Trainer(service, corpus, folder, ranks, options)
    started.start()
    try:
        yield started
    finally:
        for process in started.processes:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def applied(service: Service) -> Schedule:
    """The plan as the service says that it was followed."""
    stages = [
        Stage(v["applied_at_step"], tuple(v["weights"][name] for name in NAMES), v["version"])
        for v in service.client.versions("run")
        if v["applied_at_step"] is not None
    ]
    return Schedule("run", 1, stages[-1].version, SAMPLES, NAMES, tuple(stages))


def weights_followed(service: Service) -> set[tuple[float, ...]]:
    versions = service.client.versions("run")
    return {tuple(v["weights"].values()) for v in versions if v["applied_at_step"] is not None}


def counted(service: Service, what: str) -> int:
    return int(service.client.job("run")[what])


def test_all_ranks_draw_what_the_applied_versions_say(
    service: Service, corpus: Corpus, tmp_path: Path
) -> None:
    create(service, corpus)
    with trainer(service, corpus, tmp_path, "--steps", "100000", ranks=2) as running_trainer:
        running_trainer.until(lambda: counted(service, "versions_applied") >= 3)
        running_trainer.end()
        ranks = [running_trainer.samples(rank) for rank in range(2)]
    assert running_trainer.reached() == counted(service, "reported_step")
    sampler = Sampler(applied(service), seed=SEED)
    assert len({stage.weights for stage in sampler.schedule.stages}) >= 4
    taken = [0, 0]
    expected: list[list[Sample]] = [[], []]
    for step in range(running_trainer.reached() + 1):
        for place, domain in enumerate(sampler.step(step)):
            expected[place % 2].append((step, domain, taken[domain]))
            taken[domain] += 1
    assert ranks == expected


def test_a_run_that_was_killed_goes_on_with_the_very_next_sample(
    service: Service, corpus: Corpus, tmp_path: Path
) -> None:
    create(service, corpus, policy="static", prior={"capitals": 0.3, "small": 0.7})
    steps = 160
    options = ("--steps", str(steps), "--checkpoint-every", "25")
    folders = [tmp_path / name for name in ("whole", "killed", "resumed")]
    with trainer(service, corpus, folders[0], *options) as whole:
        whole.ended()
    service.client.open_attempt("run", 0)
    with trainer(service, corpus, folders[1], *options) as killed:
        killed.until(lambda: killed.reached() >= 60)
        killed.processes[0].kill()
        assert killed.processes[0].code == -signal.SIGKILL
    (folders[1] / "state").rename(tmp_path / "kept")
    folders[2].mkdir()
    (tmp_path / "kept").rename(folders[2] / "state")
    with trainer(service, corpus, folders[2], *options, "--resume") as resumed:
        resumed.ended()
    first = resumed.samples()[0][0]
    assert 50 <= first < steps
    before = [sample for sample in killed.samples() if sample[0] < first]
    assert before + resumed.samples() == whole.samples()
    assert len(set(whole.samples())) == steps * SAMPLES
    ends = [torch.load(run.folder / "state" / "checkpoint.pt", weights_only=True) for run in (whole, resumed)]
    assert ends[0]["step"] == ends[1]["step"] == steps
    assert ends[0]["model"].keys() == ends[1]["model"].keys()
    assert all(torch.equal(ends[0]["model"][name], ends[1]["model"][name]) for name in ends[0]["model"])


def test_what_one_rank_began_two_go_on_with(service: Service, corpus: Corpus, tmp_path: Path) -> None:
    create(service, corpus, policy="static", prior={"capitals": 0.3, "small": 0.7})
    with trainer(service, corpus, tmp_path, "--steps", "100000") as alone:
        alone.until(lambda: alone.reached() >= 20)
        alone.end()
        first = alone.samples()
    begun = len(first)
    with trainer(service, corpus, tmp_path, "--steps", "100000", "--resume", ranks=2) as together:
        together.until(lambda: len(together.samples()) >= begun + 100)
        together.end()
        ranks = [together.samples()[begun:], together.samples(1)]
    assert ranks[0][0][0] == first[-1][0] + 1
    later = [sample for pair in zip(*ranks, strict=True) for sample in pair]
    for domain in range(2):
        numbers = [number for _, d, number in first + later if d == domain]
        assert numbers == list(range(len(numbers)))
    assert counted(service, "reported_step") == together.reached()


def test_an_outage_stops_no_rank_and_every_report_counts_once(
    database: Database, corpus: Corpus, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        with running(database, tmp_path / "service") as before:
            create(before, corpus)
            training = stack.enter_context(trainer(before, corpus, tmp_path, "--steps", "100000", ranks=2))
            training.until(lambda: counted(before, "reported_step") >= 20)
        last_heard = training.reached()
        training.until(lambda: training.reached() > last_heard + 100)
        port = urlsplit(before.url).port
        assert port is not None
        with running(database, tmp_path / "service", port=port) as after:
            training.until(lambda: counted(after, "reported_step") > last_heard + 100)
            sent = training.end()
            job = after.client.job("run")
            with database.session() as session:
                steps = session.execute(text("SELECT sum(step_to - step_from + 1) FROM reports")).scalar_one()
    assert sent["failed_sends"] > 0
    assert job["reported_step"] == training.reached()
    assert steps == training.reached() + 1, "each step is in one report"
    assert job["reports_accepted"] + job["reports_duplicate"] == sent["sent_reports"]
    assert job["reports_late"] == 0


def test_a_version_that_comes_too_late_is_refused_and_training_goes_on(
    service: Service, corpus: Corpus, tmp_path: Path
) -> None:
    create(service, corpus, lead_steps=0)
    with trainer(service, corpus, tmp_path, "--steps", "100000", ranks=2) as training:
        training.until(lambda: counted(service, "versions_too_late") >= 1)
        reached = training.reached()
        training.until(lambda: training.reached() > reached + 20)
        training.end()
    refused = [v for v in service.client.versions("run") if v["too_late"]]
    assert all(v["applied_at_step"] is None for v in refused)
    assert counted(service, "reported_step") == training.reached()


def test_a_policy_with_probes_gets_an_evaluation_at_the_end_of_each_stage(
    service: Service, corpus: Corpus, tmp_path: Path
) -> None:
    params = {"sweeps": 1, "probe_steps": 8, "round_steps": 80, "ema": None}
    signals = ["losses", "eval_losses"]
    create(service, corpus, policy="aioli", params=params, signals=signals, lead_steps=40)
    with trainer(service, corpus, tmp_path, "--steps", "100000", "--evaluate", "4", ranks=2) as training:
        # Two domains, hence two probes; other weights than these and the first come of a round's end.
        training.until(lambda: len(weights_followed(service)) > 4)
        training.end()
    entries = service.client.call("GET", "/v1/jobs/run/log?limit=1000")["entries"]
    reports = [report for entry in entries for report in entry["reports"]]
    evaluated = {r["signals"]["eval_losses"]["step"] for r in reports if "eval_losses" in r["signals"]}
    versions = same_again(service, "run")
    begun = {v.applied_at_step for v in versions if v.applied_at_step}
    assert begun <= evaluated, "where one stage ended, the next began"
