"""`mixwright propose`: the mixtures that a fit of finished runs expects to be best."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mixwright.offline import options
from mixwright.offline import proposal_options as own


def propose(
    runs: options.Runs,
    *,
    method: options.Method = None,
    setting: options.Setting = None,
    stored: own.Stored = None,
    proposer: own.Proposer = "convex",
    proposer_setting: own.ProposerSetting = None,
    kl: own.Kl = None,
    count: own.Count = 3,
    target: options.Target = None,
    objective: options.Objective = None,
    prior: own.Prior = None,
    tokens: own.Tokens = None,
    final_tokens: own.FinalTokens = None,
    max_epochs: own.MaxEpochs = None,
    lower: own.Lower = None,
    upper: own.Upper = None,
    beyond: own.Beyond = False,
    seed: options.Seed = 0,
    maximise: options.Maximise = None,
    format_name: options.Format = None,
    size: options.Size = None,
    step: options.Step = None,
    json: options.Json = False,
    csv: Annotated[Path | None, options.written_file("Write the mixtures as a table.")] = None,
) -> None:
    """Propose mixtures from finished runs."""
    from mixlaws.scales import holds_for  # noqa: PLC0415
    from mixwright.offline import hyperparameters, loading, posing, proposal_tables, proposing  # noqa: PLC0415
    from mixwright.offline.expectation import expectation  # noqa: PLC0415
    from service.importers.reading import read_runs  # noqa: PLC0415

    asked = own.constraints(
        prior=prior, tokens=tokens, final_tokens=final_tokens, max_epochs=max_epochs, lower=lower, upper=upper
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
        search = proposing.Search(proposer, params, count=count, seed=seed, within_sampled=not beyond)
        proposed = proposing.propose(expected.predictor, posed, expected.swarm, search)
    if json:
        told = {"method": expected.method, "seed": seed, "proposer": proposer, "params": params}
        told["scale"] = holds_for(expected.predictor, expected.swarm)._asdict()
        told |= proposal_tables.to_json(proposed) | {"import": imported.report.to_json()}
        typer.echo(json_module.dumps(told, allow_nan=False))
    else:
        proposal_tables.tell(proposed, console)
    if csv is not None:
        proposal_tables.write_csv(csv, proposed)
