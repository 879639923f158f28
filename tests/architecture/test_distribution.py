"""The wheels hold what an installation needs, and importing one part brings in no other."""

import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"numpy", "torch", "sqlalchemy", "fastapi", "pydantic", "plotly", "lightgbm"}


def built(project: Path, folder: Path) -> Path:
    """Build a wheel with the backend that is installed, so that no network is needed."""
    arguments = ["--wheel", "--no-isolation", "--outdir", str(folder), str(project)]
    done = subprocess.run(
        [sys.executable, "-m", "build", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of Mixwright."""
    return built(ROOT, tmp_path_factory.mktemp("mixwright"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of mixclient."""
    return built(ROOT / "mixclient", tmp_path_factory.mktemp("mixclient"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata(wheel: Path) -> Message:
    (name,) = (name for name in names(wheel) if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        return message_from_bytes(archive.read(name))


def probe(program: str, *, path: Path) -> str:
    """Output of a program in a fresh Python that finds the wheel before the tree."""
    words = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(path)!r})\n{program}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def loaded(module: str, *, path: Path) -> set[str]:
    """Which heavy packages an import brings in."""
    program = f"import {module}; print({module}.__file__, *sys.modules.keys() & {HEAVY!r})"
    file, *found = probe(program, path=path).split()
    assert file.startswith(str(path))
    return set(found)


def tree(folder: str, pattern: str) -> set[str]:
    files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(pattern) if path.is_file()}
    assert files
    return files


def test_the_wheel_holds_every_module_and_what_pages_are_made_of(product: Path) -> None:
    wanted = tree("service/dashboard/templates", "*.html") | tree("service/dashboard/static", "*")
    for package in ("mixlaws", "proxy_training", "service", "mixwright"):
        wanted |= tree(package, "*.py") | {f"{package}/py.typed"}
    assert wanted <= names(product)


def test_the_wheel_holds_the_migrations_where_the_service_looks_for_them(product: Path) -> None:
    moved = {name.replace("migrations/", "service/_migrations/", 1) for name in tree("migrations", "*.py")}
    assert moved | {"service/_migrations/script.py.mako"} <= names(product)


def test_the_wheels_hold_nothing_else(product: Path, client: Path) -> None:
    for wheel, packages in (
        (product, {"mixlaws", "proxy_training", "service", "mixwright"}),
        (client, {"mixclient"}),
    ):
        tops = {name.split("/")[0] for name in names(wheel)}
        assert {top for top in tops if not top.endswith(".dist-info")} == packages
    for name in names(product) | names(client):
        assert not re.search(r"__pycache__|\.pyc$|(^|/)tests?/|\.env$|\.key$", name)


def test_the_command_and_the_licence_travel(product: Path) -> None:
    with zipfile.ZipFile(product) as archive:
        (points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "mixwright = mixwright.cli:main" in archive.read(points).decode()
    assert [name for name in names(product) if name.endswith("licenses/LICENSE")]


def test_an_installation_without_extras_brings_the_command_line_alone(product: Path) -> None:
    required = metadata(product).get_all("Requires-Dist") or []
    always = {re.split(r"[><=]", line)[0] for line in required if "extra ==" not in line}
    assert always == {"platformdirs", "rich", "typer"}
    extras = set(metadata(product).get_all("Provides-Extra") or [])
    assert {"laws", "service", "proxy", "plots", "ray", "dev", "all"} <= extras


def test_mixclient_needs_httpx_alone(client: Path) -> None:
    assert [line.split(">")[0] for line in metadata(client).get_all("Requires-Dist") or []] == ["httpx"]
    assert "mixclient/py.typed" in names(client)
    assert metadata(client)["Requires-Python"] == ">=3.10"


def test_importing_mixclient_from_its_wheel_loads_nothing_heavy(client: Path) -> None:
    assert loaded("mixclient", path=client) == set()


def test_importing_mixlaws_from_the_wheel_loads_arrays_at_most(product: Path) -> None:
    assert loaded("mixlaws", path=product) <= {"numpy"}


def test_the_command_line_starts_without_loading_what_its_commands_need(product: Path) -> None:
    assert loaded("mixwright.cli", path=product) == set()


def test_an_installed_service_finds_its_migrations_and_templates(product: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(product) as archive:
        archive.extractall(tmp_path)
    program = """
from service import migrate
from service.dashboard.rendering import _environment
print(migrate._config().get_main_option("script_location"))
print(migrate.newest(), len(_environment.list_templates()))
"""
    place, revision, count = probe(program, path=tmp_path).split()
    assert place == str(tmp_path / "service" / "_migrations")
    assert revision == max(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    assert int(count) == len(tree("service/dashboard/templates", "*.html"))
