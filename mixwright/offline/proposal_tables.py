"""How proposals are shown: on the terminal, as JSON, as CSV. This file alone knows their fields.

A number that a `Proposal` has beyond the mixture and its predictions is shown wherever the gain is: a field
that is added to the class, or an entry of its details, needs no line here. `_WORDS` gives it better words.
"""

import csv
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Proposal
from mixlaws.two_stages import ORDER_NOTE
from mixwright.offline.proposing import Proposed

_SHOWN_APART = {"weights", "predicted", "deviation", "objective", "details"}
_WORDS: Mapping[str, str] = {
    "kl": "pull towards the prior",
    "divergence": "divergence from the prior, nats",
    "gap": "distance to the optimum, at most",
    "probability_better": "chance to beat the prior",
    "expected_regret": "expected regret",
    "flatness": "as good within the noise up to",
    "hull_distance": "distance from mixtures that were run",
    "extrapolates": "extrapolation (1 is yes)",
    "at_cap": "domains at their cap",
    "largest_loss": "change of the least fortunate target",
}
_NEGLIGIBLE = 5e-5  # a share that would be shown as 0.0 %


def tell(proposed: Proposed, console: Console) -> None:
    """Print the mixtures, then what is predicted of them."""
    if not proposed.proposals:
        console.print("no proposal: bounds and caps leave no room")
        return
    console.print(_mixtures(proposed))
    console.print(_predictions(proposed))
    if proposed.second is not None:
        console.print(_stages(proposed))
        console.print(ORDER_NOTE)


def to_json(proposed: Proposed) -> dict[str, Any]:
    """Proposals for programs."""
    return {
        "reference": {"name": proposed.prior_name, **_plain(proposed, proposed.prior)},
        "proposals": [
            {**_plain(proposed, proposal), "gain": proposed.gain(proposal), **numbers(proposal)}
            | _staged(proposed, proposal)
            for proposal in proposed.proposals
        ],
        **({} if proposed.second is None else {"note": ORDER_NOTE}),
    }


def write_csv(path: Path, proposed: Proposed) -> None:
    """One row a mixture, the reference first."""
    domains = proposed.problem.domains.names
    extra = list(dict.fromkeys(name for proposal in proposed.proposals for name in numbers(proposal)))
    header = ["run", *(f"weight_{name}" for name in domains)]
    header += [f"{kind}_{name}" for kind in ("predicted", "deviation") for name in proposed.targets]
    rows = [(proposed.prior_name, proposed.prior)]
    rows += [(f"proposal {number}", p) for number, p in enumerate(proposed.proposals, start=1)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "objective", "gain", *extra])
        for name, proposal in rows:
            deviation = [""] * len(proposed.targets) if proposal.deviation is None else proposal.deviation
            told = numbers(proposal)
            cells = [*proposal.weights, *proposal.predicted, *deviation, proposal.objective]
            written = [
                cell if cell == "" else repr(float(cell)) for cell in (*cells, proposed.gain(proposal))
            ]
            writer.writerow([name, *written, *(told.get(key, "") for key in extra)])


def numbers(proposal: Proposal) -> dict[str, float]:
    """Whatever else a proposal tells in a number."""
    own = {field.name: getattr(proposal, field.name) for field in fields(proposal)}
    told = {name: value for name, value in own.items() if name not in _SHOWN_APART}
    return {
        name: float(value)
        for name, value in {**told, **proposal.details}.items()
        if isinstance(value, int | float)
    }


def _mixtures(proposed: Proposed) -> Table:
    problem = proposed.problem
    capped = bool((problem.caps < 1).any())
    table = Table(*_heads("domain", proposed, ["largest"] if capped else []))
    for at, domain in enumerate(problem.domains.names):
        shares = [_share(p.weights[at]) for p in (proposed.prior, *proposed.proposals)]
        table.add_row(escape(domain), *([_share(problem.caps[at])] if capped else []), *shares)
    return table


def _staged(proposed: Proposed, proposal: Proposal) -> dict[str, Any]:
    if proposed.second is None:
        return {}
    named = proposed.problem.domains.to_mapping
    stages = [{"share": share, "weights": named(weights)} for share, weights in proposed.stages(proposal)]
    return {"stages": stages}


def _stages(proposed: Proposed) -> Table:
    """The stages of the first proposal, which its mixture is the mean of."""
    stages = proposed.stages(proposed.proposals[0])
    heads = [f"stage {at}, {_share(share)}" for at, (share, _) in enumerate(stages, start=1)]
    table = Table(Column("domain", overflow="fold"), *(Column(head, justify="right") for head in heads))
    for at, domain in enumerate(proposed.problem.domains.names):
        table.add_row(escape(domain), *(_share(weights[at]) for _, weights in stages))
    return table


def _predictions(proposed: Proposed) -> Table:
    table = Table(*_heads("predicted", proposed, []))
    everything = (proposed.prior, *proposed.proposals)
    for at, target in enumerate(proposed.targets):
        table.add_row(escape(target), *(_value(p.predicted, p.deviation, at) for p in everything))
    table.add_section()
    table.add_row("[bold]objective[/]", *(f"{p.objective:.4f}" for p in everything))
    gains = (f"{proposed.gain(p):+.4f}" for p in proposed.proposals)
    table.add_row(f"[bold]gain over {escape(proposed.prior_name)}[/]", "", *gains)
    told = [numbers(p) for p in proposed.proposals]
    for name in dict.fromkeys(name for row in told for name in row):
        words = _WORDS.get(name, name.replace("_", " "))
        table.add_row(escape(words), "", *(f"{row[name]:.4g}" if name in row else "–" for row in told))
    return table


def _heads(first: str, proposed: Proposed, between: list[str]) -> list[Column]:
    names = [*between, proposed.prior_name, *(str(n) for n in range(1, len(proposed.proposals) + 1))]
    return [Column(first, overflow="fold"), *(Column(escape(name), justify="right") for name in names)]


def _share(weight: float) -> str:
    return "–" if weight < _NEGLIGIBLE else f"{100 * weight:.1f} %"


def _value(predicted: FloatArray, deviation: FloatArray | None, at: int) -> str:
    spread = "" if deviation is None else f" ± {deviation[at]:.3f}"
    return f"{predicted[at]:.3f}{spread}"


def _plain(proposed: Proposed, proposal: Proposal) -> dict[str, Any]:
    def named(values: FloatArray) -> dict[str, float]:
        return dict(zip(proposed.targets, values.tolist(), strict=True))

    return {
        "weights": proposed.problem.domains.to_mapping(proposal.weights),
        "predicted": named(proposal.predicted),
        "deviation": None if proposal.deviation is None else named(proposal.deviation),
        "objective": proposal.objective,
    }
