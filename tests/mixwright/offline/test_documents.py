"""The commands that README and docs/offline.md print do what they say, on the example's own table."""

import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest

from tests.mixwright.commands import Command
from tests.support.servers import Service

ROOT = Path(__file__).parents[3]


def typed(document: str) -> list[list[str]]:
    """Offline commands of a document, word by word."""
    # Blocks of other languages are taken in, so that fences pair up.
    blocks = re.findall(r"```\w*\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [
        shlex.split(line)[1:]
        for line in lines
        if re.match(r"mixwright (fit|propose|plan|mix|scale|import) ", line)
    ]


def test_the_commands_of_the_readme_run(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    commands = typed("README.md")
    assert [words[0] for words in commands] == ["fit", "propose"]
    for words in commands:
        # Pages go where they do no harm.
        done = command(*(str(tmp_path / word) if word.endswith(".html") else word for word in words))
        assert done.code == 0, done.err
        assert "objective" in done.out


def test_the_walk_of_the_offline_page_runs(
    command: Command, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    commands = typed("docs/offline.md")
    assert " ".join(words[0] for words in commands) == (
        "fit propose propose mix propose plan scale fit import"
    )
    for words in commands:
        done = command(*words, MIXWRIGHT_URL=service.url, MIXWRIGHT_KEY=service.key)
        assert done.code == 0, done.err
    assert len(service.client.runs("mine", state="completed")) == 32


@pytest.mark.parametrize(
    ("example", "names"), [("swarm", ("runs.csv", "tokens.json")), ("curves", ("curves.csv",))]
)
def test_an_example_is_what_its_script_makes(tmp_path: Path, example: str, names: tuple[str, ...]) -> None:
    kept = ROOT / "examples" / example
    shutil.copy(kept / "make.py", tmp_path / "make.py")
    runpy.run_path(str(tmp_path / "make.py"), run_name="__main__")
    for name in names:
        assert (tmp_path / name).read_text() == (kept / name).read_text()
