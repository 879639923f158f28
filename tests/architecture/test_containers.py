"""The container files agree with the tree, with the command line and with the settings."""

import re
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest
from typer.main import get_command

from mixwright.cli import app
from service.health import router
from service.settings import Settings
from tests.architecture.container_files import ROOT, Stage, built_services, compose, stages, started_words

TARGETS = ("service", "gpu")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")
with (ROOT / "pyproject.toml").open("rb") as _file:
    PROJECT = tomllib.load(_file)


def closure(extra: str) -> set[str]:
    """Names of what an extra installs, through the extras that it names."""
    found: set[str] = set()
    for requirement in PROJECT["project"]["optional-dependencies"][extra]:
        name, _, inner = re.split(r"[><=]", requirement)[0].partition("[")
        found.add(name)
        if name == "mixwright":
            found |= set().union(*(closure(part) for part in inner.rstrip("]").split(",")))
    return found


def copied(stage: Stage) -> list[str]:
    return [source for line in stage.all("COPY") for source in line.split()[:-1]]


def test_the_services_are_those_that_the_documents_name() -> None:
    assert set(compose()["services"]) == {"postgres", "api", "tasks", "gpu"}
    assert {service["build"]["target"] for service, _ in built_services().values()} == set(TARGETS)


def test_a_plain_start_needs_no_accelerator() -> None:
    services = compose()["services"]
    plain = {name for name, service in services.items() if "profiles" not in service}
    assert plain == {"postgres", "api", "tasks"}
    assert not [name for name in plain if "deploy" in services[name]]


@pytest.mark.parametrize("name", [*TARGETS, "base"])
def test_what_is_copied_exists_and_is_not_ignored(name: str) -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().split() if "*" not in line]
    for source in copied(stages()[name]):
        assert (ROOT / source).exists(), source
        assert not [pattern for pattern in ignored if fnmatch(source, pattern)], source


def test_what_is_ignored_holds_nothing_that_the_packages_need() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert {".git", ".venv", "**/__pycache__", "tests"} <= ignored
    assert not ignored & set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    # An entry that names nothing was left behind by a renaming; what is made here may not be made yet.
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split()}
    assert not [entry for entry in ignored - made if "*" not in entry and not (ROOT / entry).exists()]


def test_everything_that_the_wheel_is_built_from_is_copied() -> None:
    project, wheel = PROJECT["project"], PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], project["readme"], *project["license-files"]}
    assert needed | {"pyproject.toml", "mixclient"} <= set(copied(stages()["base"]))


@pytest.mark.parametrize(("name", "extra", "has", "lacks"), [
    ("service", "service", {"fastapi", "sqlalchemy"}, {"torch"}),
    ("gpu", "proxy", {"torch", "mixclient"}, {"fastapi"}),
])  # fmt: skip
def test_an_image_installs_its_extra_and_no_more(
    name: str, extra: str, has: set[str], lacks: set[str]
) -> None:
    (installs,) = [line for line in stages()[name].all("RUN") if "pip install" in line]
    assert f".[{extra}]" in installs
    assert "-c constraints.txt" in installs
    assert has <= closure(extra)
    assert not lacks & closure(extra)


@pytest.mark.parametrize("name", TARGETS)
def test_an_image_runs_as_an_ordinary_user_in_a_folder_of_its_own(name: str) -> None:
    stage = stages()[name]
    kinds = [kind for kind, _ in stage.instructions]
    (user,) = stage.all("USER")
    assert user not in {"root", "0"}
    assert f"useradd --create-home --uid 10001 {user}" in stage.all("RUN")[0]
    assert "RUN" not in kinds[kinds.index("USER") :]
    (data,) = stage.all("VOLUME")
    assert f"-o {user} -g {user} {data}" in stage.all("RUN")[0]
    assert stage.environment["MIXWRIGHT_DATA_FOLDER"] == data


def test_images_from_elsewhere_have_a_version() -> None:
    images = [*stages()["base"].all("FROM"), compose()["services"]["postgres"]["image"]]
    for image in images:
        _, _, tag = image.partition(":")
        assert tag[:1].isdigit(), image


def test_what_is_published_is_published_on_loopback_alone() -> None:
    published = [port for service in compose()["services"].values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8321:8321"]
    for service in compose()["services"].values():
        assert not {"network_mode", "privileged", "cap_add", "pid"} & set(service)


def test_no_secret_has_a_value_in_the_file() -> None:
    for name, service in compose()["services"].items():
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable):
                # Refused when it is missing, or empty and refused by what reads it.
                assert re.fullmatch(r"\$\{\w+(:\?[^}]+|:-)?\}", value), f"{name}: {variable}"
            if (password := re.search(r"://\w+:([^@]+)@", value)) is not None:
                assert re.fullmatch(r"\$\{\w+\}", password[1]), f"{name}: {variable}"
    server = compose()["services"]["postgres"]["environment"]
    assert server["POSTGRES_PASSWORD"].startswith("${MIXWRIGHT_DATABASE_PASSWORD:?")
    for stage in stages().values():
        assert not [variable for variable in stage.environment if SECRET.search(variable)]


def test_whoever_is_waited_for_says_when_it_is_well() -> None:
    services = compose()["services"]
    awaited = {
        (name, condition["condition"])
        for service in services.values()
        for name, condition in service.get("depends_on", {}).items()
    }
    assert awaited == {("postgres", "service_healthy"), ("api", "service_healthy")}
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"][1]
    (check,) = stages()["service"].all("HEALTHCHECK")
    paths = {getattr(route, "path", None) for route in router.routes}
    asked = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)
    assert asked is not None
    assert asked[2] in paths
    assert int(asked[1]) == Settings.model_fields["port"].default
    # It has the image of the API and no port: without this it would count as ill for ever.
    assert services["tasks"]["healthcheck"] == {"disable": True}


def parse(words: list[str]) -> None:
    """Parse a command line as the program does; what it does not know is an error."""
    assert words[0] == PROJECT["project"]["name"]
    group = get_command(app)
    with group.make_context(words[0], words[1:2]) as context:
        name, command, rest = group.resolve_command(context, words[1:])  # type: ignore[attr-defined]
        command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("name", ["api", "tasks", "gpu"])
def test_every_service_starts_a_command_that_exists(name: str) -> None:
    parse(started_words(*built_services()[name]))


@pytest.mark.parametrize("name", TARGETS)
def test_every_image_alone_starts_a_command_that_exists(name: str) -> None:
    parse(started_words({}, stages()[name]))


def test_a_command_that_does_not_exist_would_be_seen() -> None:
    for words in (["mixwright", "serv"], ["mixwright", "serve", "--hots", "x"]):
        with pytest.raises(Exception, match="No such"):
            parse(words)


def test_every_variable_is_one_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {parameter.envvar for command in commands() for parameter in command.params}
    known = {f"MIXWRIGHT_{name.upper()}" for name in Settings.model_fields} | options
    for service, stage in built_services().values():
        environment = {**stage.environment, **service.get("environment", {})}
        assert {name for name in environment if name.startswith("MIXWRIGHT_")} <= known
    for name, value in built_services()["api"][0]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{\w+\}", "5ec7e7", value))
    settings = Settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://mixwright:5ec7e7@postgres/mixwright"
    assert "api" in settings.allowed_hosts  # by which the workers call it


def commands() -> list[Any]:
    return list(get_command(app).commands.values())  # type: ignore[attr-defined]


def test_what_must_outlive_a_container_lies_on_a_volume() -> None:
    services, volumes = compose()["services"], set(compose()["volumes"])
    mounts = {
        name: dict(mount.split(":")[:2] for mount in service.get("volumes", []))
        for name, service in services.items()
    }
    assert {source for mount in mounts.values() for source in mount} == volumes
    assert mounts["postgres"] == {"database": "/var/lib/postgresql"}
    assert mounts["api"] == {"keys": stages()["service"].environment["MIXWRIGHT_DATA_FOLDER"]}
    assert mounts["gpu"] == {"texts": stages()["gpu"].environment["XDG_CACHE_HOME"]}
