"""The Dockerfile agrees with the tree and the command line; its images hold little and may do little."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from service.health import router
from service.settings import Settings
from tests.architecture.container_files import PROJECT, ROOT, parse, sent, stages, started_words, unsent

TARGETS = ("service", "gpu")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")


def closure(extra: str) -> set[str]:
    """Names of what an extra installs, through the extras that it names."""
    found: set[str] = set()
    for requirement in PROJECT["project"]["optional-dependencies"][extra]:
        name, _, inner = re.split(r"[><=]", requirement)[0].partition("[")
        found.add(name)
        if name == "mixwright":
            found |= set().union(*(closure(part) for part in inner.rstrip("]").split(",")))
    return found


def installs(name: str) -> list[str]:
    """Arguments of each `pip install` of the stage that builds an image, in order."""
    lines = " && ".join(stages()[f"build-{name}"].all("RUN"))
    return re.findall(r"pip install ([^&]+?)(?: *&&|$)", lines)


def test_what_is_sent_to_the_builder_is_what_the_packages_are_made_of() -> None:
    project, wheel = PROJECT["project"], PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], project["readme"], *project["license-files"]}
    assert sent() == needed | {"pyproject.toml", "constraints.txt", "mixclient"}
    assert all((ROOT / name).exists() for name in sent())
    # A password or a key that lies beside the tree reaches no builder and no repository.
    assert "/secrets/" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize(("name", "extra", "has", "lacks"), [
    ("service", "service", {"fastapi", "sqlalchemy"}, {"torch"}),
    ("gpu", "proxy", {"torch", "mixclient"}, {"fastapi"}),
])  # fmt: skip
def test_an_image_installs_its_extra_and_no_more(
    name: str, extra: str, has: set[str], lacks: set[str]
) -> None:
    elsewhere, own = installs(name)
    assert f".[{extra}]" in elsewhere
    assert "-c constraints.txt" in elsewhere
    # The second adds the code and no package: what it needs is in a layer that a change of code keeps.
    assert "--no-deps" in own
    assert ("./mixclient" in elsewhere) == ("./mixclient" in own) == ("mixclient" in has)
    assert has <= closure(extra)
    assert not lacks & closure(extra)


@pytest.mark.parametrize("name", TARGETS)
def test_packages_are_a_layer_of_their_own_that_only_their_files_renew(name: str) -> None:
    kinds = [
        (kind, words) for kind, words in stages()[f"build-{name}"].instructions if kind in {"COPY", "RUN"}
    ]
    first = next(at for at, (_, words) in enumerate(kinds) if "pip install" in words)
    before = {name for kind, words in kinds[:first] if kind == "COPY" for name in words.split()[:-1]}
    assert before == {"pyproject.toml", "constraints.txt", "mixclient/pyproject.toml"}
    assert [words for kind, words in kinds[first:] if kind == "COPY"] == [". ."]


@pytest.mark.parametrize("name", TARGETS)
def test_an_image_holds_no_tool_that_builds_or_installs(name: str) -> None:
    image = stages()[name]
    assert "pip uninstall --yes" in " ".join(image.all("RUN"))
    (copied,) = image.all("COPY")
    assert copied == f"--from=build-{name} /opt/mixwright /opt/mixwright"
    assert stages()[f"build-{name}"].all("RUN")[-1].endswith("pip uninstall --yes pip")
    assert not re.search(r"\b(gcc|g\+\+|build-essential|git|curl)\b", " ".join(image.all("RUN")))


@pytest.mark.parametrize("name", TARGETS)
def test_an_image_runs_as_an_ordinary_user_in_a_folder_of_its_own(name: str) -> None:
    stage = stages()[name]
    kinds = [kind for kind, _ in stage.instructions]
    # By number: an orchestrator that refuses root cannot look a name up.
    assert stage.all("USER") == ["10001:10001"]
    assert "useradd --uid 10001 --gid 10001" in stage.all("RUN")[0]
    assert not {"RUN", "ADD"} & set(kinds[kinds.index("USER") :])
    (data,) = stage.all("VOLUME")
    assert f"-o 10001 -g 10001 -m 0700 {data}" in stage.all("RUN")[0]
    assert stage.environment["MIXWRIGHT_DATA_FOLDER"] == stage.environment["HOME"] == data
    assert not [variable for variable in stage.environment if SECRET.search(variable)]


def test_images_say_what_they_are_and_of_which_version() -> None:
    labels = " ".join(stages()["base"].all("LABEL"))
    assert f'image.version="{PROJECT["project"]["version"]}"' in labels
    assert f'image.licenses="{PROJECT["project"]["license"]}"' in labels


def test_images_from_elsewhere_have_a_version() -> None:
    for stage in stages().values():
        for image in stage.all("FROM"):
            assert re.fullmatch(r"[a-z]+:\d+\.\d+-slim-[a-z]+", image), image


def test_whoever_waits_for_the_service_asks_what_it_answers() -> None:
    (check,) = stages()["service"].all("HEALTHCHECK")
    asked = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)
    assert asked is not None
    assert asked[2] in {getattr(route, "path", None) for route in router.routes}
    assert int(asked[1]) == Settings.model_fields["port"].default


def test_every_image_alone_starts_the_command_that_it_is_made_for() -> None:
    started = {name: parse(started_words({}, stages()[name])) for name in TARGETS}
    assert started == {"service": ["serve"], "gpu": ["worker"]}


def test_a_command_that_does_not_exist_would_be_seen() -> None:
    for words in (["mixwright", "serv"], ["mixwright", "serve", "--hots", "x"], ["mixwright", "db", "up"]):
        with pytest.raises(Exception, match="No such"):
            parse(words)


def laid_out(folder: Path, *, at: str) -> Path:
    """What the builder has of the tree in a stage, before or after its own code is copied."""
    shutil.copytree(ROOT, folder, ignore=lambda place, names: [
        name for name in names if unsent(Path(name)) or (Path(place) == ROOT and name not in sent())
    ])  # fmt: skip
    if at == "packages":
        for name in sent() - {"pyproject.toml", "constraints.txt"}:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (folder / "mixclient").mkdir()
        shutil.copy(ROOT / "mixclient" / "pyproject.toml", folder / "mixclient")
        for step in stages()["build"].all("RUN")[1:]:
            subprocess.run(["/bin/sh", "-euc", step], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("at", ["packages", "code"])
def test_a_wheel_is_built_of_what_the_builder_is_sent(tmp_path: Path, at: str) -> None:
    folder = laid_out(tmp_path / "src", at=at)
    arguments = ["--wheel", "--no-isolation", "--outdir", str(tmp_path), str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "build", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert ("mixwright/cli.py" in names) == (at == "code")
    assert any(name.endswith("METADATA") for name in names)


@pytest.mark.registry
@pytest.mark.slow
def test_the_steps_of_an_image_make_an_installation_that_works(tmp_path: Path) -> None:
    """Every `pip` step of the target `service`, in a clean virtual environment."""
    place, environment = tmp_path / "opt", {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment["PATH"] = f"{place}/bin:{os.environ['PATH']}"
    environment.pop("PYTHONPATH", None)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    packages, code = (laid_out(tmp_path / at, at=at) for at in ("packages", "code"))
    steps = [re.sub(r"^--mount=\S+ ", "", step) for step in stages()["build-service"].all("RUN")][2:]
    for step, folder in zip(steps, (packages, code), strict=True):
        subprocess.run(["/bin/sh", "-euc", step], cwd=folder, env=environment, check=True)
    probe = "import mixwright.cli, service.app, service.migrate as m; print(m.newest(), service.app.__file__)"
    said = subprocess.run(
        [place / "bin" / "python", "-c", probe],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert said[0] == max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    assert said[1].startswith(str(place))
    for missing in ("pip", "torch", "mixclient"):
        assert subprocess.run(
            [place / "bin" / "python", "-c", f"import {missing}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=False,
        ).returncode
    told = subprocess.run(
        [place / "bin" / "mixwright", "serve", "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--remote" in told.stdout
