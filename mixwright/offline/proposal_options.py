"""Options of proposals, as groups, and the constraints that they make together."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixwright.offline.options import named_numbers, numbers_of_file, token_count
from mixwright.options import in_existing_folder
from mixwright.problems import CommandError

if TYPE_CHECKING:
    from mixlaws.feasible.constraints import Group, PriorDistance
    from mixwright.offline.posing import Constraints
    from mixwright.offline.proposing import Rivalry

Stored = Annotated[
    Path | None, typer.Option("--fit", help="A fit of these runs that `mixwright fit --out` wrote.")
]
_search = partial(typer.Option, rich_help_panel="How mixtures are looked for")
_bound = partial(typer.Option, rich_help_panel="What a mixture must keep")
_stage = partial(typer.Option, rich_help_panel="Two stages")
_compare = partial(typer.Option, rich_help_panel="What it is compared with")

Prior = Annotated[
    str | None, _bound(help="JSON file with the share of each domain, or natural: by --tokens.")
]
Tokens = Annotated[Path | None, typer.Option(help="JSON file with the tokens that each domain holds.")]
MaxEpochs = Annotated[float | None, _bound(help="How often a domain may be read in that run.")]
Lower = Annotated[list[str] | None, _bound(help="Smallest shares, as domain=number,...")]
Upper = Annotated[list[str] | None, _bound(help="Largest shares, as domain=number,...")]
Statistics = Annotated[Path | None, _compare(help="What `mixwright measure` wrote, for rules that need it.")]


@dataclass(frozen=True)
class Searching:
    """How mixtures are looked for."""

    intent: Annotated[
        str | None,
        _search(
            help="exploit: the best mixture for the final run; explore: a batch of proxy runs, which its "
            "caps do not bind. By default what the proposer is for."
        ),
    ] = None
    proposer: Annotated[
        str | None,
        _search(
            help="convex, explore, pareto, separable, simulate, value_per_flop or worst_case; by default "
            "convex to exploit, explore to explore."
        ),
    ] = None
    proposer_setting: Annotated[
        list[str] | None, _search("--proposer-set", help="A hyperparameter of the proposer, as name=value.")
    ] = None
    kl: Annotated[float | None, _search(min=0, help="Strength of the pull towards the prior (convex).")] = (
        None
    )
    count: Annotated[int, _search(min=1, max=100, help="Most mixtures to propose.")] = 3
    beyond: Annotated[bool, _search("--beyond-sampled", help="Also where no run was made: a guess.")] = False


@dataclass(frozen=True)
class Bounds:
    """What every mixture must keep."""

    prior: Prior = None
    tokens: Tokens = None
    final_tokens: Annotated[
        str | None, _bound(help="Tokens of the run that the mixture is for, such as 6e12 or 100B.")
    ] = None
    max_epochs: MaxEpochs = None
    lower: Lower = None
    upper: Upper = None
    freeze: Annotated[
        list[str] | None,
        _bound(help="A domain whose share stays: domain=number, or domain alone for its share of the prior."),
    ] = None
    groups: Annotated[
        Path | None,
        _bound(help="JSON file with groups by name: domains, lower, upper, keep_proportions (of the prior)."),
    ] = None
    max_kl: Annotated[
        float | None, _bound("--max-kl", help="Largest KL divergence from the prior, nats: a hard bound.")
    ] = None
    max_l1: Annotated[
        float | None, _bound("--max-l1", help="Largest sum of differences from the prior, up to 2.")
    ] = None


@dataclass(frozen=True)
class Repetition:
    """How repeated tokens count."""

    repetition: Annotated[
        str, _bound(help="cap: --max-epochs bounds shares; smooth: repeated tokens count at their worth.")
    ] = "cap"
    per_efold: Annotated[
        float | None,
        _bound(help="By how much targets fall when training tokens grow e-fold, for --repetition smooth."),
    ] = None


@dataclass(frozen=True)
class Staging:
    """A schedule of two stages."""

    second_share: Annotated[
        float | None, _stage(help="A schedule of two stages: the second one's share of the tokens.")
    ] = None
    second: Annotated[Path | None, _stage(help="JSON file with the second stage's mixture.")] = None
    second_objective: Annotated[
        list[str] | None, _stage(help="The second stage is the optimum of these: name=number,...")
    ] = None
    steps: Annotated[int | None, _stage(min=2, help="Optimiser steps of the final run, for --schedule.")] = (
        None
    )
    samples_per_step: Annotated[int | None, _stage(min=1, help="Samples of a step, for --schedule.")] = None
    schedule: Annotated[
        Path | None,
        _stage(
            help="Write the first proposal's stages.", callback=in_existing_folder, dir_okay=False,
            metavar="FILE",
        ),
    ] = None  # fmt: skip


@dataclass(frozen=True)
class Comparing:
    """What proposals are compared with."""

    rival: Annotated[
        list[str] | None, _compare(help="A mixture to compare with, as name=FILE.json; repeat it for more.")
    ] = None
    statistics: Statistics = None


def rivalry(asked: Comparing) -> "Rivalry":
    """What proposals are compared with, read from files.

    Raises:
        BadParameter: a text is not of the form name=FILE, a name stands twice, or a file cannot be read.
        InvalidInputError: a file holds no statistics.
    """
    from mixwright.offline.mixing import read_statistics  # noqa: PLC0415 - brings in numpy
    from mixwright.offline.proposing import Rivalry  # noqa: PLC0415

    found: dict[str, dict[str, float]] = {}
    for text in asked.rival or ():
        name, equals, file = text.partition("=")
        if not (name and equals and file) or name in found:
            raise typer.BadParameter(f"--rival {text!r}: write name=FILE.json, each name once")
        found[name] = numbers_of_file(Path(file), "the share")
    measured = None if asked.statistics is None else read_statistics(asked.statistics)
    return Rivalry(measured, found)


NO_REPETITION = Repetition()


def constraints(bounds: Bounds, repetition: Repetition = NO_REPETITION) -> "Constraints":
    """What a user asks of a mixture, read from text and files."""
    from mixwright.offline.posing import NATURAL, Constraints  # noqa: PLC0415 - brings in numpy

    prior, tokens, epochs = bounds.prior, bounds.tokens, bounds.max_epochs
    if epochs is not None and not epochs > 0:
        raise CommandError(f"--max-epochs is {epochs}: use a value > 0")
    shares = None if prior is None or prior == NATURAL else numbers_of_file(Path(prior), "the share")
    return Constraints(
        prior=NATURAL if prior == NATURAL else shares,
        tokens=None if tokens is None else numbers_of_file(tokens, "the tokens"),
        final_tokens=None if bounds.final_tokens is None else token_count(bounds.final_tokens),
        max_epochs=epochs,
        lower=named_numbers(bounds.lower),
        upper=named_numbers(bounds.upper),
        frozen=_frozen(bounds.freeze),
        groups=() if bounds.groups is None else _groups(bounds.groups),
        distance=_distance(bounds.max_kl, bounds.max_l1),
        repetition=repetition.repetition,
        per_efold=repetition.per_efold,
    )


def _frozen(texts: list[str] | None) -> dict[str, float | None]:
    held: dict[str, float | None] = {}
    for text in texts or ():
        if "=" in text or text.lstrip().startswith("{"):
            held |= named_numbers([text])
        else:
            held[text.strip()] = None
    return held


def _groups(path: Path) -> tuple["Group", ...]:
    from mixlaws.feasible.constraints import Group  # noqa: PLC0415 - brings in numpy

    form = '{"code": {"domains": ["python", "java"], "lower": 0.1, "upper": 0.3, "keep_proportions": false}}'
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        made = tuple(
            Group(name, **{**group, "domains": tuple(group["domains"])}) for name, group in raw.items()
        )
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise typer.BadParameter(f"{path}: {error}: expected {form}") from None
    return made


def _distance(max_kl: float | None, max_l1: float | None) -> "PriorDistance | None":
    from mixlaws.feasible.constraints import Measure, PriorDistance  # noqa: PLC0415 - brings in numpy

    if max_kl is not None and max_l1 is not None:
        raise CommandError("--max-kl and --max-l1 bound the same distance: give one of them")
    if max_kl is not None:
        return PriorDistance(Measure.KL, max_kl)
    return None if max_l1 is None else PriorDistance(Measure.L1, max_l1)
