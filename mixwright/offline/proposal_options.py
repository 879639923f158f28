"""Options of `mixwright propose` alone, and the constraints that they make together."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixwright.offline.options import named_numbers, numbers_of_file, token_count
from mixwright.problems import CommandError

if TYPE_CHECKING:
    from mixwright.offline.posing import Constraints
    from mixwright.offline.proposing import Rivalry

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
Beyond = Annotated[bool, typer.Option("--beyond-sampled", help="Also where no run was made: a guess.")]
Rival = Annotated[
    list[str] | None,
    typer.Option(help="A mixture to compare with, as name=FILE.json; repeat it for more."),
]
Statistics = Annotated[
    Path | None, typer.Option(help="What `mixwright measure` wrote, for rules that need it.")
]


def rivalry(texts: list[str] | None, statistics: Path | None) -> "Rivalry":
    """What proposals are compared with, read from files.

    Raises:
        BadParameter: a text is not of the form name=FILE, a name stands twice, or a file cannot be read.
        InvalidInputError: a file holds no statistics.
    """
    from mixwright.offline.mixing import read_statistics  # noqa: PLC0415 - brings in numpy
    from mixwright.offline.proposing import Rivalry  # noqa: PLC0415

    found: dict[str, dict[str, float]] = {}
    for text in texts or ():
        name, equals, file = text.partition("=")
        if not (name and equals and file) or name in found:
            raise typer.BadParameter(f"--rival {text!r}: write name=FILE.json, each name once")
        found[name] = numbers_of_file(Path(file), "the share")
    return Rivalry(None if statistics is None else read_statistics(statistics), found)


def constraints(
    *,
    prior: str | None,
    tokens: Path | None,
    final_tokens: str | None,
    max_epochs: float | None,
    lower: list[str] | None,
    upper: list[str] | None,
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
    )
