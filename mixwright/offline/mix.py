"""`mixwright mix`: a mixture by a rule that needs no proxy runs."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline import proposal_options as shared
from mixwright.offline.grouped import grouped


@grouped
def mix(
    domains: Annotated[
        str,
        typer.Argument(
            help="JSON file with the tokens of each domain, a built corpus, or service:STUDY.",
            metavar="DOMAINS",
        ),
    ],
    *,
    rule: Annotated[
        str,
        typer.Option(help="natural, temperature, unimax, entropy, chameleon, utilimax or mixmin."),
    ],
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A hyperparameter of the rule, as name=value.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", "--final-tokens", help="Tokens of the run that it is for: 2e9, 100B."),
    ] = None,
    max_epochs: shared.MaxEpochs = None,
    statistics: shared.Statistics = None,
    prior: shared.Prior = None,
    objective: options.Objective = None,
    lower: shared.Lower = None,
    upper: shared.Upper = None,
    json: options.Json = False,
    out: Annotated[Path | None, options.written_file("Write the shares: a prior for other commands.")] = None,
    schedule: Annotated[
        Path | None, options.written_file("Write a schedule that a trainer can follow.")
    ] = None,
    samples_per_step: Annotated[
        int, typer.Option(min=1, help="Samples of one optimiser step, for the schedule.")
    ] = 512,
    service: options.Service,
) -> None:
    """Choose a mixture by a rule, without proxy runs."""
    from mixwright.offline import hyperparameters, mixing  # noqa: PLC0415

    params = hyperparameters.settings(setting)
    chosen = mixing.build_rule(rule, params)
    asked = shared.constraints(
        shared.Bounds(prior=prior, final_tokens=budget, max_epochs=max_epochs, lower=lower, upper=upper)
    )
    wanted = options.named_numbers(objective)
    measured = None if statistics is None else mixing.read_statistics(statistics)
    mixed = mixing.mix(domains, rule, chosen, asked, wanted, measured, service)
    if json:
        typer.echo(json_module.dumps({"rule": rule, "params": params, **mixed.to_json()}, allow_nan=False))
    else:
        mixing.tell(mixed, Console())
    if out is not None:
        out.write_text(json_module.dumps(mixed.shares, indent=1) + "\n", encoding="utf-8")
    if schedule is not None:
        mixing.write_schedule(schedule, mixed, samples_per_step=samples_per_step)
