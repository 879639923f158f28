"""Live jobs on the terminal: tables with a column of words, shares of domains in a few of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column, Table

from mixwright.showing import say, visible

_MOST_NAMED = 4  # domains in a cell; the largest ones


def shares(weights: Mapping[str, float]) -> str:
    """The largest weights, by domain."""
    largest = sorted(weights.items(), key=lambda pair: -pair[1])
    told = [f"{name} {weight:.1%}" for name, weight in largest[:_MOST_NAMED]]
    return ", ".join([*told, f"{len(largest) - _MOST_NAMED} more"] if len(largest) > _MOST_NAMED else told)


def moment(told: str | None) -> str:
    """A time of the service, as people read it, with its zone."""
    return f"{datetime.fromisoformat(told):%Y-%m-%d %H:%M %Z}" if told else "never"


def worded(heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: Sequence[str]) -> Table:
    """A table whose columns of words are broken where a terminal is narrow; all others stand on one line."""
    columns = [
        Column(head, overflow="fold", ratio=1) if head in words else Column(head, no_wrap=True)
        for head in heads
    ]
    table = Table(*columns, box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for row in rows:
        table.add_row(*(visible(cell) for cell in row))
    return table


def tell_stages(console: Console, schedule: Mapping[str, Any]) -> None:
    """The stage in force and those to come."""
    rows = [
        [str(stage["effective_step"]), str(stage["version"]), shares(stage["weights"]), stage["reason"]]
        for stage in schedule["stages"]
    ]
    console.print(worded(["from step", "version", "weights", "reason"], rows, words=["weights", "reason"]))


def of_domains(domains: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of what was read of each domain, and how long it lasts."""
    heads = ["domain", "weight", "realised", "intended", "tokens left", "dry at step", "zero from", "retired"]
    rows = [
        [
            domain["name"],
            f"{domain['weight']:.1%}",
            _part(domain["realised_share"]),
            _part(domain["intended_share"]),
            _number(domain["tokens_left"], "any number"),
            _number(domain["dry_step"], "never"),
            _number(domain["zero_step"], "–"),
            "yes" if domain["retired"] else "–",
        ]
        for domain in domains
    ]
    return heads, rows


def fate(version: Mapping[str, Any]) -> str:
    """What became of a version."""
    for flag, told in (("taken_back", "taken back"), ("too_late", "too late"), ("superseded", "replaced")):
        if version[flag]:
            return told
    applied = version["applied_at_step"]
    return "in the plan" if applied is None else f"applied at {applied}"


def tell_hidden(console: Console, shown: int, total: int) -> None:
    """Say how much of a list is not shown."""
    if shown < total:
        say(console, f"the newest {shown} of {total}: --last shows more, --json all", style="dim")


def _part(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _number(value: int | None, absent: str) -> str:
    return absent if value is None else f"{value:,}"
