"""Commands in a home of their own: nothing of the user's reaches them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mixwright.commands import Command
from tests.service.embedded_postgres.actors import sweep


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, no settings, and a terminal wide enough for a sentence."""
    for name in os.environ:
        if name.startswith(("MIXWRIGHT_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process."""
    return Command(monkeypatch, capsys)


@pytest.fixture(scope="module")
def data_folder() -> Iterator[Path]:
    """A data folder that every account can enter, so that root's server finds its place there, too."""
    place = Path(tempfile.mkdtemp(prefix="mw-")).resolve()
    place.chmod(0o755)
    yield place / "data"
    sweep(place)
    shutil.rmtree(place)
