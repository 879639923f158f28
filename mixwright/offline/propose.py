"""`mixwright propose`: the mixtures that a fit of finished runs expects to be best."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline import proposal_options as own


def propose(
    runs: options.Runs, *, method: options.Method = None, setting: options.Setting = None,
    stored: own.Stored = None, proposer: own.Proposer = "convex", kl: own.Kl = None,
    proposer_setting: own.ProposerSetting = None, count: own.Count = 3, target: options.Target = None,
    objective: options.Objective = None, prior: own.Prior = None, tokens: own.Tokens = None,
    final_tokens: own.FinalTokens = None, max_epochs: own.MaxEpochs = None, lower: own.Lower = None,
    upper: own.Upper = None, freeze: own.Freeze = None, groups: own.Groups = None, max_kl: own.MaxKl = None,
    max_l1: own.MaxL1 = None, repetition: own.Repetition = "cap", per_efold: own.PerEfold = None,
    second_share: own.SecondShare = None, second: own.Second = None,
    second_objective: own.SecondObjective = None, steps: own.Steps = None,
    samples_per_step: own.SamplesPerStep = None, json: options.Json = False,
    schedule: Annotated[Path | None, options.written_file("Write the first proposal's stages.")] = None,
    beyond: own.Beyond = False, seed: options.Seed = 0, maximise: options.Maximise = None,
    format_name: options.Format = None, size: options.Size = None, step: options.Step = None,
    csv: Annotated[Path | None, options.written_file("Write the mixtures as a table.")] = None,
) -> None:  # fmt: skip
    """Propose mixtures from finished runs."""
    from mixwright.offline import (  # noqa: PLC0415
        hyperparameters,
        loading,
        posing,
        proposal_tables,
        proposing,
        staging,
    )
    from mixwright.offline.expectation import expectation  # noqa: PLC0415
    from service.importers.reading import read_runs  # noqa: PLC0415

    asked = own.constraints(
        prior=prior, tokens=tokens, final_tokens=final_tokens, max_epochs=max_epochs, lower=lower,
        upper=upper, freeze=freeze, groups=groups, max_kl=max_kl, max_l1=max_l1, repetition=repetition,
        per_efold=per_efold,
    )  # fmt: skip
    plan = staging.Plan.checked(
        second_share, second, second_objective, steps=steps, samples_per_step=samples_per_step, out=schedule
    )
    coefficients = options.named_numbers(objective)
    params = hyperparameters.settings(proposer_setting) | ({} if kl is None else {"kl": kl})
    imported = read_runs(runs, format_name=format_name, size=size, step=step, maximise=maximise or ())
    console = Console()
    if not json:
        loading.tell(imported.report, console)
    with Console(stderr=True).status("working"):
        expected = expectation(imported.swarm, stored, method, setting, target, coefficients, seed=seed)
        posed = posing.pose(expected.swarm, asked, expected.coefficients)
        predictor = posing.repeated(expected.predictor, asked, posed.problem)
        search = proposing.Search(
            proposer, params, count=count, seed=seed, within_sampled=not beyond,
            second=plan.second(expected.swarm),
        )  # fmt: skip
        proposed = proposing.propose(predictor, posed, expected.swarm, search)
    if json:
        told = {"method": expected.method, "seed": seed, "proposer": proposer, "params": params}
        told |= proposal_tables.to_json(proposed) | {"import": imported.report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        proposal_tables.tell(proposed, console)
    plan.write(proposed)
    if csv is not None:
        proposal_tables.write_csv(csv, proposed)
