"""The whole story, with its server killed in the live phase: training goes on, and nothing is lost."""

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from mixclient import MixclientError, ServiceClient
from mixwright.demo.plan import QUICK, Plan
from mixwright.demo.telling import tell

# Small models and little text; but the live run takes long enough to outlast the server's absence.
TINY = Plan(
    proxy=replace(QUICK.proxy, tokens=8_192, width=16, hidden=32, evaluation_tokens=1_024),
    target=replace(
        QUICK.target, tokens=256_000, context=16, batch=8, layers=2, width=48, hidden=128,
        evaluation_tokens=1_024,
    ),
    designed=10, repeats=0, seeds=1, noise_seeds=1, methods=("gaussian_process", "linear"), folds=3,
    lead_steps=20, megabytes=0.15, vocabulary=512,
)  # fmt: skip


@dataclass
class Killer:
    """Kills the server once the live job has moved, and notes what it had reached."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def run(self) -> None:
        try:
            server, told = self._wait_for(_server)
            with ServiceClient(told["url"], Path(told["key_file"]).read_text().strip()) as client:
                self.before = self._wait_for(lambda: _live_job(client, versions=5))
                os.kill(server, signal.SIGKILL)
                self.after = self._wait_for(lambda: _live_job(client, versions=0))
        except BaseException as error:  # noqa: BLE001 - told by the test, which runs in another thread
            self.error = error

    def _wait_for(self, look: Callable[[], Any]) -> Any:
        while (found := look()) is None:
            if self.ended.wait(0.05):
                raise AssertionError("the demo ended before")
        return found


def _server() -> tuple[int, dict[str, Any]] | None:
    for child in psutil.Process().children(recursive=True):
        try:
            command = child.cmdline()
        except psutil.Error:
            continue
        if "--ready-file" in command and "serve" in command:
            ready = Path(command[command.index("--ready-file") + 1])
            return (child.pid, json.loads(ready.read_text())) if ready.exists() else None
    return None


def _live_job(client: ServiceClient, *, versions: int) -> dict[str, Any] | None:
    try:
        jobs = client.jobs()
        if not jobs or jobs[0]["versions_applied"] < versions:
            return None
        name = jobs[0]["name"]
        return {**client.job(name), "versions": client.versions(name)}
    except MixclientError:
        return None  # not there yet, or just killed


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Killer]:
    """What the demo found, with its server killed."""
    home = tmp_path_factory.mktemp("home")
    killer = Killer()
    thread = threading.Thread(target=killer.run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for variable in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.delenv(variable, raising=False)
        thread.start()
        try:
            found = tell(TINY, leave=True, file=home / "found.json", port=0)
        finally:
            killer.ended.set()
            thread.join()
    assert json.loads((home / "found.json").read_text()) == found
    return found, killer


def test_the_server_was_killed_in_the_live_phase_and_came_back(
    told: tuple[dict[str, Any], Killer],
) -> None:
    found, killer = told
    assert killer.error is None, killer.error
    assert found["service_restarts"] == 1
    assert found["live"]["versions_published"] > killer.after["versions_published"]


def test_no_report_is_lost_or_counted_twice(told: tuple[dict[str, Any], Killer]) -> None:
    live = told[0]["live"]
    assert live["reports_accepted"] == live["reports_expected"]
    assert live["reports_late"] == 0
    assert live["client"]["delivered"] == 1


def test_training_went_on_while_the_server_was_away(told: tuple[dict[str, Any], Killer]) -> None:
    live = told[0]["live"]
    assert live["client"]["failed_sends"] > 0, "the trainer never noticed: nothing was tested"
    # Reports wait for nobody: those of the outage came together, so that one version covers many of them.
    steps = sorted(version["effective_step"] for version in live["versions"])
    longest = max(later - earlier for earlier, later in pairwise(steps))
    assert longest >= 3 * TINY.target.report_every
    # One unbroken run: had it begun anew, a second attempt would have been opened.
    assert live["attempt"] == 1


def test_the_weights_go_on_from_where_they_were(told: tuple[dict[str, Any], Killer]) -> None:
    found, killer = told
    kept = {version["version"]: version for version in found["live"]["versions"]}
    for version in killer.before["versions"]:
        same = kept[version["version"]]
        assert (same["weights"], same["effective_step"]) == (version["weights"], version["effective_step"])
    assert [version["version"] for version in found["live"]["versions"]] == list(range(1, len(kept) + 1))


def test_applied_steps_and_token_shares_are_those_of_the_schedule(
    told: tuple[dict[str, Any], Killer],
) -> None:
    live = told[0]["live"]
    assert live["versions_published"] > 10
    assert live["applied_at_effective_step"]
    assert live["largest_share_difference"] < 0.01


def test_the_findings_are_complete(told: tuple[dict[str, Any], Killer]) -> None:
    found, _ = told
    names = {row["name"] for row in found["domains"]}
    assert len(names) >= 6
    assert all(row["train_tokens"] > 0 for row in found["domains"])
    assert len(found["proxy_runs"]) == TINY.designed + 2
    assert {row["method"] for row in found["fits"]} == set(TINY.methods)
    assert {row["target"] for row in found["fits"]} == names | {"objective"}
    assert [proposal["method"] for proposal in found["proposals"]] == list(TINY.methods)
    for proposal in found["proposals"]:
        assert sum(proposal["weights"].values()) == pytest.approx(1)
        assert set(proposal["predicted"]) == names
    assert [row["method"] for row in found["targets"]] == ["natural", "uniform", "proposal", "odm, live"]
    assert all(set(row["losses"]) == names for row in found["targets"])
