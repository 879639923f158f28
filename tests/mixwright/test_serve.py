"""`mixwright serve`: what stops it from starting, and that it ends in order when it is asked to."""

import json
import signal
import socket
import stat
from pathlib import Path

import httpx
import pytest

from tests.mixwright.commands import Command, spawned
from tests.service.embedded_postgres.actors import DEADLINE_SECONDS, postmasters, until

UNREACHABLE = "postgresql://someone@127.0.0.1:1/nowhere"


def test_a_port_in_use_is_told_before_the_database_is_touched(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = command("serve", "--port", str(port), MIXWRIGHT_DATABASE_URL=UNREACHABLE)
    assert refused.code == 1
    assert f"port {port} on 127.0.0.1 is in use" in refused.sentence
    assert "choose another with --port" in refused.sentence


def test_an_address_that_others_reach_needs_a_word(command: Command) -> None:
    refused = command("serve", "--host", "0.0.0.0", "--port", "0", MIXWRIGHT_DATABASE_URL=UNREACHABLE)  # noqa: S104
    assert "put TLS in front and pass --remote" in refused.sentence


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "99999"), "'--port'"),
        (("--port", "-1"), "'--port'"),
        (("--ready-file", "nowhere/ready.json"), "there is no folder nowhere: make it first"),
        (("--host", "8.8.8.8", "--remote"), "cannot listen on 8.8.8.8"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    assert message in command("serve", *arguments, MIXWRIGHT_DATABASE_URL=UNREACHABLE).sentence


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MIXWRIGHT_PORT", "ninety"),
        ("MIXWRIGHT_TASK_CONCURRENCY", "0"),
        ("MIXWRIGHT_TASKS_INSIDE", "perhaps"),
    ],
)
def test_a_setting_that_cannot_be_is_told_by_its_variable(
    command: Command, variable: str, value: str
) -> None:
    refused = command("serve", **{variable: value, "MIXWRIGHT_DATABASE_URL": UNREACHABLE})
    assert refused.code == 1
    assert f"{variable}: " in refused.sentence
    assert refused.err.count("\n") == 1


def test_a_setting_that_is_no_list_is_told_with_the_way_to_write_one(command: Command) -> None:
    refused = command("serve", MIXWRIGHT_ALLOWED_HOSTS="here", MIXWRIGHT_DATABASE_URL=UNREACHABLE)
    assert "allowed_hosts" in refused.sentence
    assert '["localhost"]' in refused.sentence


def test_a_data_folder_that_cannot_be_made_is_named(command: Command, home: Path) -> None:
    (home / "file").touch()
    refused = command("serve", "--port", "0", MIXWRIGHT_DATA_FOLDER=str(home / "file" / "data"))
    assert f"{home / 'file'}" in refused.sentence


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_in_order_when_asked_to(
    data_folder: Path, home: Path, number: signal.Signals
) -> None:
    ready = home / "ready.json"
    process = spawned(
        "serve", "--port", "0", "--ready-file", str(ready), MIXWRIGHT_DATA_FOLDER=str(data_folder)
    )
    try:
        until(lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None
        told = json.loads(ready.read_text())
        assert stat.S_IMODE(ready.stat().st_mode) == 0o600
        key_file = Path(told["key_file"])
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        with httpx.Client(base_url=told["url"], trust_env=False) as http:
            assert http.get("/livez").json() == {"status": "ok"}
            bearer = {"Authorization": f"Bearer {key_file.read_text().strip()}"}
            assert http.get("/v1/studies", headers=bearer).json()["items"] == []
        assert len(postmasters(data_folder)) == 1
        process.send_signal(number)
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert out == ""
    assert "Traceback" not in err
    assert f"listens at {told['url']}" in err
    assert told["login"].split("link=")[1] not in err, "whoever reads a log could log in with it"
    # The next start finds its data, and no server of this one.
    assert postmasters(data_folder) == []


@pytest.mark.slow
def test_a_start_that_is_broken_off_leaves_no_server_behind(data_folder: Path) -> None:
    other = data_folder.with_name("broken-off")
    process = spawned("serve", "--port", "0", MIXWRIGHT_DATA_FOLDER=str(other))
    try:
        assert process.stderr is not None
        assert "creating a PostgreSQL database" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE_SECONDS)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert postmasters(other) == []
