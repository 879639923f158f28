"""Studies from the command line: shown, moved as files, deleted once their name was repeated."""

import gzip
import json
from pathlib import Path

import pytest

from mixclient import NotFoundError
from tests.mixwright.commands import Command
from tests.service.reports import JOB, report
from tests.support.servers import Service
from tests.support.trials import STUDY, claimed, let_leases_expire, result


@pytest.fixture
def study(tenant: Service, command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A study with a finished run and one in training, and commands that find it."""
    monkeypatch.setenv("MIXWRIGHT_URL", tenant.url)
    monkeypatch.setenv("MIXWRIGHT_KEY", tenant.key)
    lease = claimed(tenant)
    tenant.client.put_result(lease["run"]["id"], result(lease))
    tenant.client.create_sweep(STUDY, {"design": "sobol", "count": 1})
    assert tenant.client.claim_run("worker-2") is not None
    return command


def test_studies_are_listed_and_shown(study: Command) -> None:
    listed, shown = study("study", "list"), study("study", "show", STUDY)
    assert listed.code == shown.code == 0, listed.err + shown.err
    assert "1 completed, 1 running" in listed.out
    assert "9,000,000" in shown.out
    assert json.loads(study("study", "show", STUDY, "--json").out)["name"] == STUDY
    assert json.loads(study("study", "list", "--json").out)[0]["runs"] == {"completed": 1, "running": 1}


@pytest.mark.parametrize("name", ["trial.jsonl", "trial.jsonl.gz"])
def test_a_study_goes_to_a_file_and_comes_back_under_another_name(
    study: Command, tenant: Service, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    written = study("study", "export", STUDY, "--to", str(file))
    assert written.code == 0, written.err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("trial")] == [name]
    plain = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
    assert plain == tenant.call("GET", f"/v1/studies/{STUDY}/export").content
    back = study("study", "import", str(file), "--name", "copy")
    assert (back.code, back.out) == (0, "study copy with 2 runs\n"), back.err
    assert tenant.client.study("copy")["runs"] == {"completed": 1, "pending": 1}
    file.write_bytes(file.read_bytes()[:-9])
    assert study("study", "import", str(file), "--name", "cut").sentence
    with pytest.raises(NotFoundError):
        tenant.client.study("cut")
    assert "cannot be read" in study("study", "import", str(tmp_path / "nothing")).sentence


def test_what_cannot_be_exported_leaves_no_file(study: Command, tmp_path: Path) -> None:
    file = tmp_path / "none.jsonl"
    assert "no study 'nothing'" in study("study", "export", "nothing", "--to", str(file)).sentence
    assert not list(tmp_path.glob("none*"))
    assert study("study", "export", STUDY, "--csv", "--to", str(file)).code == 0
    assert file.read_text().startswith("id,label,")


def test_a_study_and_a_job_are_deleted_once_their_names_were_repeated(
    study: Command, tenant: Service
) -> None:
    assert "nothing was deleted" in study("study", "delete", STUDY, "--confirm", "trail").sentence
    assert "in training" in study("study", "delete", STUDY, "--confirm", STUDY).sentence
    let_leases_expire(tenant)
    assert study("study", "delete", STUDY, "--confirm", STUDY).out == f"study {STUDY} is deleted\n"
    with pytest.raises(NotFoundError):
        tenant.client.study(STUDY)
    name = JOB["name"]
    tenant.client.create_job(JOB)
    tenant.client.call("POST", f"/v1/jobs/{name}/reports", body=report(9))
    assert "end it" in study("job", "delete", name, "--confirm", name).sentence
    assert study("job", "end", name, "--reason", "enough").out == f"job {name} ended at step 9\n"
    assert "by key test: enough" in study("job", "show", name).out
    assert study("job", "delete", name, "--confirm", name).code == 0
    with pytest.raises(NotFoundError):
        tenant.client.job(name)


def test_cleaning_says_what_went(service: Service, command: Command) -> None:
    service.client.create_job(JOB)
    name = JOB["name"]
    service.client.call("POST", f"/v1/jobs/{name}/reports", body=report(9))
    service.client.call("POST", f"/v1/jobs/{name}/end", body={"reason": "enough"})
    where = {"MIXWRIGHT_DATABASE_URL": service.database.url}
    assert command("db", "clean", **where).out == "nothing to remove\n"
    assert "removed 1 rows of reports\n" in command("db", "clean", "--keep-reports-days", "0", **where).out
    assert service.client.job(name)["reports_forgotten"] == 1
