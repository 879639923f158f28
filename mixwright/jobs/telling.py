"""What a replay found, on the terminal and as JSON."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from mixwright.jobs.comparing import ACROSS_BUILDS, Comparison
from mixwright.jobs.counterfactual import Counterfactual
from mixwright.jobs.log_file import JobLog
from mixwright.jobs.tables import shares, worded
from mixwright.showing import say
from service.jobs.building import build
from service.jobs.definition import JobDefinition

CAVEAT = (
    "The reports were measured under the weights that really held: this is what the policy makes of these "
    "losses, and not which losses its own weights would have led to. Orders of people are left out, restarts "
    "are honoured."
)
_MOST_VERSIONS = 20  # on a terminal


def tell_comparison(log: JobLog, found: Comparison, console: Console) -> None:
    """How many versions came out again, and the first that did not."""
    say(console, f"{found.exact} of {found.versions} versions of {log.job} came out again to the last bit")
    if found.rounded:
        say(
            console,
            f"{found.rounded} within {ACROSS_BUILDS:g}: published by another build, {_others(log)}, "
            f"here it is {build()}",
        )
    if found.differences:
        say(console, f"{len(found.differences)} differ; the first:", style="bold red")
        say(console, found.differences[0].sentence, indent=2)


def comparison_json(log: JobLog, found: Comparison) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "job": log.job,
        "versions": found.versions,
        "exact": found.exact,
        "rounded": found.rounded,
        "different": len(found.differences),
        "first_difference": found.differences[0].to_json() if found.differences else None,
        "build": build(),
        "builds": sorted(_builds(log)),
    }


def tell_counterfactual(
    log: JobLog, definitions: Mapping[int, JobDefinition], found: Counterfactual, console: Console
) -> None:
    """The versions that would have been, and how far they are from what really held."""
    names, name = definitions[max(definitions)].domains.names, definitions[1].steering.name
    rows = [
        [
            str(version.stage.effective_step),
            shares(dict(zip(names, version.stage.weights.tolist(), strict=False))),
            version.stage.reason,
        ]
        for version in found.versions[-_MOST_VERSIONS:]
    ]
    say(console, f"What {name} would have published for the reports of {log.job}:", style="bold")
    console.print(worded(["from step", "weights", "reason"], rows, words=["weights", "reason"]))
    if len(found.versions) > len(rows):
        say(console, f"the newest {len(rows)} of {len(found.versions)}: --json tells all", style="dim")
    if found.distance is not None:
        say(console, f"mean total variation from the weights that really held: {found.distance:.4f}")
    if found.steps:
        say(console, f"{found.steps} expensive steps were computed here, {found.failed} taught nothing")
    if found.hold is not None:
        say(console, f"in the end its weights would be held: {found.hold}", style="yellow")
    say(console, CAVEAT, style="dim")


def counterfactual_json(
    log: JobLog, definitions: Mapping[int, JobDefinition], found: Counterfactual
) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "job": log.job,
        "policy": definitions[1].steering.name,
        "domains": list(definitions[max(definitions)].domains.names),
        "versions": [
            {
                "attempt": version.attempt,
                "seq": version.seq,
                "effective_step": version.stage.effective_step,
                "weights": version.stage.weights.tolist(),
                "reason": version.stage.reason,
            }
            for version in found.versions
        ],
        "mean_total_variation": found.distance,
        "expensive_steps": found.steps,
        "expensive_steps_failed": found.failed,
        "hold": found.hold,
        "caveat": CAVEAT,
    }


def _builds(log: JobLog) -> set[str]:
    return {version.build for entry in log.entries for version in entry.versions}


def _others(log: JobLog) -> str:
    return ", ".join(sorted(_builds(log) - {build()}))
