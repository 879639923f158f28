"""The first thing that anybody runs, on a machine where nothing else is installed."""

import pytest

from mixwright.problems import _EXTRAS
from tests.mixwright.commands import Command, without_packages

COMMANDS = [
    "serve",
    "worker",
    "demo",
    "fit",
    "propose",
    "plan",
    "scale",
    "mix",
    "measure",
    "import",
    "job list",
    "job show",
    "job versions",
    "job audit",
    "job pin",
    "job freeze",
    "job release",
    "job rollback",
    "job retire",
    "job readmit",
    "job shadow",
    "job add-domain",
    "job log",
    "job replay",
    "key create",
    "key list",
    "key rotate",
    "key revoke",
    "project create",
    "project list",
    "project rename",
    "project delete",
    "db upgrade",
    "db backup",
    "db restore",
    "db restored",
]


def test_help_lists_the_commands_without_any_extra() -> None:
    shown = without_packages(_EXTRAS, "--help")
    assert shown.code == 0, shown.err
    for name in dict.fromkeys(words.split()[0] for words in COMMANDS):
        assert f" {name} " in shown.out


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help_that_says_what_it_does(command: Command, words: str) -> None:
    shown = command(*words.split(), "--help")
    assert shown.code == 0
    assert "--help" in shown.out
    described = [line for line in shown.out.splitlines() if line.strip()][1]
    assert described.strip().endswith(".")


@pytest.mark.parametrize("words", ["frobnicate", "key frobnicate", "serve --frobnicate", "key create"])
def test_what_is_no_command_is_told_with_the_way_to_help(command: Command, words: str) -> None:
    refused = command(*words.split())
    assert refused.code == 2
    assert "--help" in refused.sentence


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("fastapi", ("serve",), "service"),
        ("tokenizers", ("worker", "--key", "k"), "proxy"),
        ("mixclient", ("demo",), "proxy"),
        ("procrastinate", ("worker", "--tasks"), "service"),
        ("psycopg", ("db", "current"), "service"),
        ("scipy", ("fit", "runs.csv"), "laws"),
    ],
)
def test_a_missing_extra_is_told_with_the_command_that_installs_it(
    missing: str, arguments: tuple[str, ...], extra: str
) -> None:
    refused = without_packages({missing: extra}, *arguments)
    assert refused.code == 1
    assert f"{missing} is not installed: pip install 'mixwright[{extra}]'" in refused.sentence
