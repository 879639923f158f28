"""Options of `mixwright propose` alone, and the constraints that they make together."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixwright.offline.options import named_numbers, numbers_of_file, token_count
from mixwright.problems import CommandError

if TYPE_CHECKING:
    from mixlaws.feasible.constraints import Group, PriorDistance
    from mixwright.offline.posing import Constraints

Stored = Annotated[
    Path | None, typer.Option("--fit", help="A fit of these runs that `mixwright fit --out` wrote.")
]
Proposer = Annotated[str, typer.Option(help="convex, explore, pareto, separable, simulate or worst_case.")]
ProposerSetting = Annotated[
    list[str] | None, typer.Option("--proposer-set", help="A hyperparameter of the proposer, as name=value.")
]
Kl = Annotated[float | None, typer.Option(min=0, help="Strength of the pull towards the prior (convex).")]
Count = Annotated[int, typer.Option(min=1, max=100, help="Most mixtures to propose.")]
Prior = Annotated[
    str | None, typer.Option(help="JSON file with the share of each domain, or natural: by --tokens.")
]
Tokens = Annotated[Path | None, typer.Option(help="JSON file with the tokens that each domain holds.")]
FinalTokens = Annotated[
    str | None, typer.Option(help="Tokens of the run that the mixture is for, such as 6e12 or 100B.")
]
MaxEpochs = Annotated[float | None, typer.Option(help="How often a domain may be read in that run.")]
Lower = Annotated[list[str] | None, typer.Option(help="Smallest shares, as domain=number,...")]
Upper = Annotated[list[str] | None, typer.Option(help="Largest shares, as domain=number,...")]
Freeze = Annotated[
    list[str] | None,
    typer.Option(
        help="A domain whose share stays: domain=number, or domain alone for its share of the prior."
    ),
]
Groups = Annotated[
    Path | None,
    typer.Option(
        help="JSON file with groups by name: domains, lower, upper, keep_proportions (of the prior)."
    ),
]
MaxKl = Annotated[
    float | None, typer.Option("--max-kl", help="Largest KL divergence from the prior, nats: a hard bound.")
]
MaxL1 = Annotated[
    float | None, typer.Option("--max-l1", help="Largest sum of differences from the prior, up to 2.")
]
Repetition = Annotated[
    str, typer.Option(help="cap: --max-epochs bounds shares; smooth: repeated tokens count at their worth.")
]
PerEfold = Annotated[
    float | None,
    typer.Option(help="By how much targets fall when training tokens grow e-fold, for --repetition smooth."),
]
SecondShare = Annotated[
    float | None, typer.Option(help="A schedule of two stages: the second one's share of the tokens.")
]
Second = Annotated[Path | None, typer.Option(help="JSON file with the second stage's mixture.")]
SecondObjective = Annotated[
    list[str] | None, typer.Option(help="The second stage is the optimum of these: name=number,...")
]
Steps = Annotated[int | None, typer.Option(min=2, help="Optimiser steps of the final run, for --schedule.")]
SamplesPerStep = Annotated[int | None, typer.Option(min=1, help="Samples of a step, for --schedule.")]
Beyond = Annotated[bool, typer.Option("--beyond-sampled", help="Also where no run was made: a guess.")]


def constraints(
    *,
    prior: str | None,
    tokens: Path | None,
    final_tokens: str | None,
    max_epochs: float | None,
    lower: list[str] | None,
    upper: list[str] | None,
    freeze: list[str] | None = None,
    groups: Path | None = None,
    max_kl: float | None = None,
    max_l1: float | None = None,
    repetition: str = "cap",
    per_efold: float | None = None,
) -> "Constraints":
    """What a user asks of a mixture, read from text and files."""
    from mixwright.offline.posing import NATURAL, Constraints  # noqa: PLC0415 - brings in numpy

    if max_epochs is not None and not max_epochs > 0:
        raise CommandError(f"--max-epochs is {max_epochs}: use a value > 0")
    shares = None if prior is None or prior == NATURAL else numbers_of_file(Path(prior), "the share")
    return Constraints(
        prior=NATURAL if prior == NATURAL else shares,
        tokens=None if tokens is None else numbers_of_file(tokens, "the tokens"),
        final_tokens=None if final_tokens is None else token_count(final_tokens),
        max_epochs=max_epochs,
        lower=named_numbers(lower),
        upper=named_numbers(upper),
        frozen=_frozen(freeze),
        groups=() if groups is None else _groups(groups),
        distance=_distance(max_kl, max_l1),
        repetition=repetition,
        per_efold=per_efold,
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
