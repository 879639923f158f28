"""docker-compose.yml and what it mounts agree with each other, with the commands and the settings."""

import json
import re
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.keys.secrets import is_random, parse_key
from service.settings import Settings
from tests.architecture.container_files import (
    ROOT,
    built_services,
    compose,
    parse,
    stages,
    started_words,
    variables,
)

FILES = ROOT / "examples" / "compose"
REPLICAS = {"api-1", "api-2"}
OURS = {*REPLICAS, "migrate", "scrape-key", "tasks"}


def services() -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"]
    return found


def test_a_plain_start_needs_no_accelerator() -> None:
    plain = {name for name, service in services().items() if "profiles" not in service}
    assert plain == {*OURS, "postgres", "front", "prometheus"}
    assert set(services()) - plain == {"gpu"}
    assert not [name for name in plain if "deploy" in services()[name]]


@pytest.mark.parametrize("name", sorted({*OURS, "postgres", "front", "prometheus", "gpu"}))
def test_every_container_is_confined(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert name == "gpu" or "mem_limit" in service
    assert not {"network_mode", "privileged", "cap_add", "pid", "devices"} & set(service)


def test_images_from_elsewhere_have_a_version() -> None:
    for name, service in services().items():
        _, _, tag = service["image"].partition(":")
        assert re.match(r"v?\d", tag), name


def test_what_is_published_is_published_on_loopback_alone() -> None:
    published = [port for service in services().values() for port in service.get("ports", [])]
    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_database_is_reached_by_the_service_alone() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    inside = {name for name, service in services().items() if "inside" in service["networks"]}
    assert inside == {*OURS, "postgres"}
    assert services()["postgres"]["networks"] == ["inside"]


def test_no_secret_has_a_value_in_the_file() -> None:
    secret = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")
    for name, service in services().items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable):
                assert value.startswith("/run/secrets/") or value == "${MIXWRIGHT_KEY:-}", (
                    f"{name}: {variable}"
                )
                assert value[0] == "$" or Path(value).name in service["secrets"]
            assert not re.search(r"://\w+:", value), f"{name}: {variable} holds a password"


def test_the_script_makes_the_secrets_that_are_mounted_and_keeps_those_that_are_there(tmp_path: Path) -> None:
    wanted = {name: tmp_path / entry["file"] for name, entry in compose()["secrets"].items()}
    made = []
    for _ in range(2):
        subprocess.run(["/bin/sh", str(FILES / "make_secrets.sh")], cwd=tmp_path, check=True)
        made.append({name: file.read_text().strip() for name, file in wanted.items()})
    assert made[0] == made[1]
    assert {file.name for file in (tmp_path / "secrets").iterdir()} == set(wanted)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    keys = [parse_key(made[0][name]) for name in ("admin_key", "scrape_key")]
    assert all(key is not None and is_random(key) for key in keys)
    assert len(made[0]["database_password"]) == 48


def test_whoever_is_waited_for_says_when_it_is_well() -> None:
    for service in services().values():
        for name, condition in service.get("depends_on", {}).items():
            awaited = services()[name]
            if condition["condition"] == "service_completed_successfully":
                assert "restart" not in awaited, f"{name} would never be done"
            if condition["condition"] == "service_healthy" and "build" not in awaited:
                assert awaited["healthcheck"]["test"]
    # They have the image of the API and no port: without this they would count as ill for ever.
    for name in OURS - REPLICAS:
        assert services()[name]["healthcheck"] == {"disable": True}


def test_every_service_starts_the_command_that_it_is_there_for() -> None:
    started = {name: parse(started_words(*built)) for name, built in built_services().items()}
    assert started == {
        **{name: ["serve"] for name in REPLICAS},
        "migrate": ["db", "upgrade"],
        "scrape-key": ["key", "create"],
        "tasks": ["worker"],
        "gpu": ["worker"],
    }


def test_every_variable_is_one_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for service, stage in built_services().values():
        environment = {**stage.environment, **service.get("environment", {})}
        assert {name for name in environment if name.startswith("MIXWRIGHT_")} <= variables()
    for name, value in services()["tasks"]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert {"localhost", "front", *REPLICAS} <= set(settings.allowed_hosts)
    assert settings.task_concurrency * settings.task_memory_bytes == 8 * 2**30
    assert services()["tasks"]["mem_limit"] == "8g"


def test_what_must_outlive_a_container_lies_on_a_volume() -> None:
    mounts = {
        name: dict(mount.split(":")[:2] for mount in service.get("volumes", []) if not mount.startswith("."))
        for name, service in services().items()
    }
    assert {source for mount in mounts.values() for source in mount} == set(compose()["volumes"])
    assert mounts["postgres"] == {"database": "/var/lib/postgresql"}
    assert mounts["gpu"] == {"texts": stages()["gpu"].environment["XDG_CACHE_HOME"]}
    data = stages()["service"].environment["MIXWRIGHT_DATA_FOLDER"]
    for name in OURS:
        assert any(mount.startswith(f"{data}:uid=10001,gid=10001") for mount in services()[name]["tmpfs"])


def test_files_that_are_mounted_are_there_and_cannot_be_written() -> None:
    mounted = [
        mount
        for service in services().values()
        for mount in service.get("volumes", [])
        if mount.startswith(".")
    ]
    assert len(mounted) == 3
    for mount in mounted:
        source, _, how = mount.split(":")
        assert (ROOT / source).is_file()
        assert how == "ro"


def test_the_front_and_prometheus_know_the_same_replicas() -> None:
    front = (FILES / "haproxy.cfg").read_text()
    for backend in ("replicas", "alive"):
        part = front.split(f"\nbackend {backend}\n")[1].split("\n\n")[0]
        assert dict(re.findall(r"^    server (\S+) (\S+)$", part, re.MULTILINE)) == {
            name: f"{name}:8321" for name in REPLICAS
        }
    scraped = yaml.safe_load((FILES / "prometheus.yml").read_text())["scrape_configs"][0]
    assert set(scraped["static_configs"][0]["targets"]) == {f"{name}:8321" for name in REPLICAS}
    assert scraped["authorization"]["credentials_file"] == "/run/secrets/scrape_key"
    assert services()["scrape-key"]["command"][-2:] == ["--file", "/run/secrets/scrape_key"]


def test_the_front_alone_is_believed_and_says_itself_what_it_is_believed_for() -> None:
    address = services()["front"]["networks"]["outside"]["ipv4_address"]
    for name in REPLICAS:
        assert json.loads(services()[name]["environment"]["MIXWRIGHT_TRUSTED_PROXIES"]) == [address]
    (given,) = compose()["networks"]["outside"]["ipam"]["config"]
    assert ip_address(address) in ip_network(given["subnet"])
    assert ip_address(address) not in ip_network(given["ip_range"]), "another container may get it"
    front = (FILES / "haproxy.cfg").read_text()
    said = re.findall(r"^    http-request set-header (X-Forwarded-\w+) ", front, re.MULTILINE)
    assert set(said) == {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"}


def test_the_front_has_the_files_that_its_connections_need() -> None:
    (most,) = re.findall(r"maxconn (\d+)", (FILES / "haproxy.cfg").read_text())
    assert services()["front"]["ulimits"]["nofile"] > 2 * int(most) + 100


def test_the_front_outwaits_a_poll() -> None:
    front = (FILES / "haproxy.cfg").read_text()
    for side in ("client", "server"):
        (seconds,) = re.findall(rf"timeout {side} (\d+)s", front)
        assert int(seconds) > 2 * 25


def test_alerts_say_how_urgent_they_are_and_what_is_seen() -> None:
    (group,) = yaml.safe_load((FILES / "alerts.yml").read_text())["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names)) >= 10
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert set(re.findall(r"\b(?:mixwright_\w+|up)\b", rule["expr"]))
