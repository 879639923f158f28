"""Dockerfile and docker-compose.yml, read without a container engine."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


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
