"""What an import took and what it left out: nothing is lost in silence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_SHOWN = 8  # names that a sentence holds


@dataclass(frozen=True)
class Finding:
    """Something that an import changed or left out.

    Args:
        kind: name for programs, such as merged_duplicates.
        text: what it means, as a sentence for people goes on after a number.
        names: the runs, targets, columns or rows that it concerns.
    """

    kind: str
    text: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class ImportReport:
    """The account of an import.

    Args:
        format: name of the format that was read.
        files: the files, as they were named.
        rows: rows that were read.
        runs: runs that the swarm holds.
        domains: their number.
        targets: their names.
        scale: what the runs have in common, such as the size and the step that were chosen.
        findings: what was changed or left out.
        what: what a run of the table is: a run, or an observation of one.
    """

    format: str
    files: tuple[str, ...]
    rows: int
    runs: int
    domains: int
    targets: tuple[str, ...]
    scale: str
    findings: tuple[Finding, ...]
    what: str = "runs"

    def count(self, kind: str) -> int:
        """How many things a kind of finding concerns."""
        return sum(len(finding.names) for finding in self.findings if finding.kind == kind)

    def sentences(self) -> list[str]:
        """The report for people, a line each."""
        where = f", {self.scale}" if self.scale else ""
        head = (
            f"{self.runs} {self.what} over {self.domains} domains with {len(self.targets)} targets{where}, "
            f"from {self.rows} rows of {', '.join(self.files)} ({self.format})"
        )
        return [head, *(f"{len(f.names)} {f.text}: {_listed(f.names)}" for f in self.findings)]

    def to_json(self) -> dict[str, Any]:
        """The report for programs: findings by kind, with their number."""
        plain = asdict(self)
        plain["findings"] = {
            finding.kind: {"count": len(finding.names), "text": finding.text, "names": list(finding.names)}
            for finding in self.findings
        }
        return plain


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
