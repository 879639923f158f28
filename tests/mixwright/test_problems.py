"""Which errors are told in a sentence: those that a person can mend, and no other."""

import ast
import errno
import os
import sys
import tomllib
from pathlib import Path

import pytest

from mixclient import NotAuthorisedError
from mixlaws.errors import InvalidInputError
from mixwright.problems import _EXTRAS, CommandError, explained
from proxy_training.corpus import FolderError
from service.server import AddressError
from tests.mixwright.commands import Command

ROOT = Path(__file__).parents[2]
COMPOSED = ("mixlaws", "proxy_training", "service", "mixwright")
ALWAYS_THERE = {*COMPOSED, "platformdirs", "rich", "typer", "markdown_it"}  # the last by rich


@pytest.mark.parametrize(
    "error",
    [
        CommandError("start it [red]first[/]"),
        AddressError("start it [red]first[/]"),
        FolderError("start it [red]first[/]"),
        InvalidInputError("start it [red]first[/]"),
    ],
)
def test_our_errors_are_told_in_their_own_words(error: Exception) -> None:
    assert explained(error) == "start it [red]first[/]"


def test_a_refusal_of_the_service_is_told_with_its_detail() -> None:
    error = NotAuthorisedError(401, "unauthorised", "no such key: make one", {})
    assert "no such key: make one" in (explained(error) or "")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EEXIST, errno.ENOTDIR])
def test_a_place_that_cannot_be_written_is_named(number: int) -> None:
    text = explained(OSError(number, os.strerror(number), "/data/mixwright"))
    assert text == f"/data/mixwright: {os.strerror(number)}"


def test_a_full_disk_is_told_though_it_has_no_name() -> None:
    assert explained(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))) == os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("weights"),
        FileNotFoundError(errno.ENOENT, "No such file", "template.html"),
        ModuleNotFoundError("No module named 'service.colour'", name="service.colour"),
    ],
)
def test_an_error_that_nobody_foresaw_keeps_its_stack_trace(error: Exception) -> None:
    assert explained(error) is None


def test_a_message_reaches_the_terminal_as_it_was_written(command: Command, home: Path) -> None:
    # Brackets are markup to the terminal's library: unescaped, a folder of this name would lose them.
    folder = home / "[bold]texts[/]"
    refused = command("worker", "--key", "k", "--url", "http://127.0.0.1:1", "--corpus", str(folder))
    assert f"{folder} cannot be read" in refused.sentence


def test_every_package_that_may_be_missing_has_its_extra_named() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    assert set(_EXTRAS.values()) <= set(extras)
    imported = {
        name.split(".")[0]
        for package in COMPOSED
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
    }
    assert imported - set(sys.stdlib_module_names) - ALWAYS_THERE <= set(_EXTRAS)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
