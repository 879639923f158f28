"""Dockerfile, docker-compose.yml and the chart, read without a container engine."""

import json
import re
import shlex
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command

from mixwright.cli import app
from service.settings import Settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "examples" / "helm" / "mixwright"
with (ROOT / "pyproject.toml").open("rb") as _file:
    PROJECT = tomllib.load(_file)


@dataclass
class Stage:
    """One stage of the Dockerfile: its instructions, after those of the stage that it builds on."""

    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        """Arguments of every instruction of a kind, in order."""
        return [arguments for kind, arguments in self.instructions if kind == instruction]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        return dict(pair.split("=", 1) for line in self.all("ENV") for pair in shlex.split(line))

    def command(self, kind: str) -> list[str]:
        """The last CMD or ENTRYPOINT, which is in the form without a shell."""
        lines = self.all(kind)
        words: list[str] = json.loads(lines[-1]) if lines else []
        return words


@cache
def stages() -> dict[str, Stage]:
    """The stages of the Dockerfile by name."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: dict[str, Stage] = {}
    current = Stage("before the first")
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if not line.strip():
            continue
        kind, arguments = line.split(None, 1)
        if kind == "FROM":
            image, _, name = arguments.partition(" AS ")
            built_on = found[image].instructions if image in found else [("FROM", image)]
            found[name] = current = Stage(name, list(built_on))
        else:
            current.instructions.append((kind, arguments))
    return found


def sent() -> set[str]:
    """What .dockerignore sends to the builder: names at the root of the tree."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in lines if line and not line.startswith("#")) == "*"
    return {line[1:] for line in lines if line.startswith("!")}


def unsent(path: Path) -> bool:
    """Whether .dockerignore leaves out a file below what it sends, such as compiled modules."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("**/")]
    return any(fnmatch(part, pattern[3:]) for part in path.parts for pattern in patterns)


@cache
def compose() -> dict[str, Any]:
    """docker-compose.yml."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return read


def built_services() -> dict[str, tuple[dict[str, Any], Stage]]:
    """Services that are built from this tree, with the stage of each."""
    return {
        name: (service, stages()[service["build"]["target"]])
        for name, service in compose()["services"].items()
        if "build" in service
    }


def started_words(service: dict[str, Any], stage: Stage) -> list[str]:
    """What a service starts: the entry point with the command of the service, or else of the image."""
    return [*stage.command("ENTRYPOINT"), *service.get("command", stage.command("CMD"))]


def parse(words: list[str]) -> list[str]:
    """Parse a command line as the program does; what it does not know is an error.

    Returns:
        The command that it names: `mixwright db upgrade --url x` is ["db", "upgrade"].
    """
    assert words[0] == PROJECT["project"]["name"]
    context, group = None, get_command(app)
    rest, named = words[1:], []
    while hasattr(group, "resolve_command"):
        context = group.make_context(words[0], rest[:1], parent=context)
        name, group, rest = group.resolve_command(context, rest)
        named.append(name)
    group.make_context(words[-1], rest, parent=context)
    return named


def variables() -> set[str]:
    """Every variable that a setting or an option of a command reads."""
    options = {parameter.envvar for command in _commands() for parameter in command.params}
    return {f"MIXWRIGHT_{name.upper()}" for name in Settings.model_fields} | options


def _commands() -> list[Any]:
    return list(get_command(app).commands.values())  # type: ignore[attr-defined]
