"""Every command, file and setting of docs/operations.md is there."""

import re
import shlex

import pytest
from typer.main import get_command

from mixwright.cli import app
from tests.architecture.container_files import ROOT, compose, parse, stages, variables

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TYPED = [
    line.split(" #")[0].strip()
    for block in re.findall(r"```\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]


def of_mixwright(words: list[str]) -> None:
    assert parse(words)


def of_compose(words: list[str]) -> None:
    """`docker compose`: the services that it names are there, and so is what runs in them."""
    services = set(compose()["services"])
    assert words[1] == "compose" or "--target" in words
    if words[1] == "build":
        assert words[words.index("--target") + 1] in stages()
        return
    named = [at for at, word in enumerate(words) if word in services]
    if "mixwright" in words:
        parse(words[words.index("mixwright") :])
    assert named or words[2:] in (["build"], ["up", "--detach"])
    if "--profile" in words:
        assert compose()["services"][words[named[0]]]["profiles"] == [words[words.index("--profile") + 1]]


def of_the_tree(words: list[str]) -> None:
    """A script, or the chart, of this tree."""
    files = [word for word in words if word.startswith("examples/")]
    assert files
    assert all((ROOT / file).exists() for file in files)


def of_kubernetes(words: list[str]) -> None:
    """The secret holds what the chart asks it for."""
    helpers = (ROOT / "examples" / "helm" / "mixwright" / "templates" / "_helpers.tpl").read_text()
    keys = {word.split("=")[1] for word in words if word.startswith("--from")}
    assert keys == set(re.findall(r"key: (admin-key|database-url)", helpers))


CHECKS = {
    "mixwright": of_mixwright, "docker": of_compose, "sh": of_the_tree, "helm": of_the_tree,
    "kubectl": of_kubernetes,
}  # fmt: skip


@pytest.mark.parametrize("line", TYPED)
def test_what_an_operator_types_exists(line: str) -> None:
    words = shlex.split(line)
    assert words[0] in CHECKS
    CHECKS[words[0]](words)


def test_commands_within_sentences_exist() -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = re.findall(r"`mixwright (\w+)", TEXT)
    assert len(named) > 8
    assert set(named) <= known


def test_the_table_names_settings_that_are_read() -> None:
    named = set(re.findall(r"\bMIXWRIGHT_\w+", TEXT))
    assert {"MIXWRIGHT_DATABASE_URL", "MIXWRIGHT_ADMIN_KEY_FILE"} <= named <= variables()


def test_what_it_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / "docs" / target).resolve().exists(), target
