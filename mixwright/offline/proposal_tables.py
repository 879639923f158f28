"""How proposals are shown: on the terminal, as JSON, as CSV. This file alone knows their fields.

A number that a `Proposal` has beyond the mixture and its predictions is shown wherever the gain is: a field
that is added to the class, or an entry of its details, needs no line here. `_WORDS` gives it better words.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import Console

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Proposal
from mixlaws.judging import BETTER_THAN
from mixlaws.rivals import admissible
from mixlaws.two_stages import ORDER_NOTE
from mixwright.offline.cells import inert
from mixwright.offline.proposing import Proposed
from mixwright.showing import say, table

_SHOWN_APART = {"weights", "predicted", "deviation", "half_width", "objective", "details", "gain_by_member"}


def _number(value: float) -> str:
    return "0" if abs(value) < _NOTHING else f"{value:.3g}"


def _yes(value: float) -> str:
    return "yes" if value else "no"


def _chance(value: float) -> str:
    return "> 99 %" if value > _SURE else f"{value:.0%}".replace("%", " %")


_NOTHING = 1e-6  # what a solver or rounding leaves
_SURE = 0.995
_WORDS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "kl": ("pull to the prior", _number),
    "divergence": ("KL from the prior, nats", _number),
    "gap": ("optimum, off by at most", _number),
    "probability_better": ("chance to beat the prior", _chance),
    "expected_regret": ("expected regret, nats", _number),
    "flatness": ("as good up to distance", _number),
    "hull_distance": ("distance from runs", _number),
    "extrapolates": ("extrapolation", _yes),
    "at_cap": ("domains at their cap", _number),
    "disagreement": ("members differ by, nats", _number),
    "members_disagree": ("beyond the noise", _yes),
    "largest_loss": ("worst target, change", _number),
}
_NEGLIGIBLE = 5e-5  # a share that would be shown as 0.0 %


def tell(proposed: Proposed, console: Console) -> None:
    """Print the mixtures, then what is predicted of them."""
    if not proposed.proposals:
        console.print("no proposal: bounds and caps leave no room")
        return
    console.print(table(console, *mixtures(proposed)))
    console.print()
    console.print(table(console, *predictions(proposed)))
    console.print()
    console.print(table(console, *judgements(proposed)))
    if proposed.second is not None:
        console.print()
        console.print(table(console, *stages(proposed)))
        say(console, ORDER_NOTE)
    if proposed.rivals:
        console.print()
        console.print(table(console, *rivals(proposed)))
    for name, reason in proposed.rivals_left_out.items():
        say(console, f"no mixture by {name}: {reason}", style="yellow", indent=2)
    for number, proposal in enumerate(proposed.proposals, start=1):
        if proposal.details.get("members_disagree"):
            say(
                console,
                f"proposal {number}: the members of the fit disagree on its gain by more than the noise: "
                "train this mixture before you trust it",
                style="yellow",
            )


def to_json(proposed: Proposed) -> dict[str, Any]:
    """Proposals for programs."""
    return {
        "reference": {"name": proposed.prior_name, **_plain(proposed, proposed.prior)},
        "rivals": [
            {
                "name": name,
                **_plain(proposed, p),
                **numbers(p),
                "admissible": admissible(p.weights, proposed.problem),
            }
            for name, p in proposed.rivals.items()
        ],
        "rivals_left_out": dict(proposed.rivals_left_out),
        "proposals": [
            {
                **_plain(proposed, proposal),
                "gain": proposed.gain(proposal),
                "gain_by_member": dict(proposal.gain_by_member),
                **numbers(proposal),
                **_staged(proposed, proposal),
            }
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
    rows += proposed.rivals.items()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "objective", "gain", *map(inert, extra)])
        for name, proposal in rows:
            deviation = [""] * len(proposed.targets) if proposal.deviation is None else proposal.deviation
            told = numbers(proposal)
            cells = [*proposal.weights, *proposal.predicted, *deviation, proposal.objective]
            written = [
                cell if cell == "" else repr(float(cell)) for cell in (*cells, proposed.gain(proposal))
            ]
            writer.writerow([inert(name), *written, *(told.get(key, "") for key in extra)])


def numbers(proposal: Proposal) -> dict[str, float]:
    """Whatever else a proposal tells in a number."""
    own = {field.name: getattr(proposal, field.name) for field in fields(proposal)}
    told = {name: value for name, value in own.items() if name not in _SHOWN_APART}
    return {
        name: float(value)
        for name, value in {**told, **proposal.details}.items()
        if isinstance(value, int | float)
    }


def mixtures(proposed: Proposed) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the shares, the prior first."""
    problem = proposed.problem
    capped = bool((problem.caps < 1).any())
    rows = [
        [
            domain,
            *([_share(problem.caps[at])] if capped else []),
            *(_share(mixture.weights[at]) for mixture in (proposed.prior, *proposed.proposals)),
        ]
        for at, domain in enumerate(problem.domains.names)
    ]
    return _heads("domain", proposed, ["largest"] if capped else []), rows


def _staged(proposed: Proposed, proposal: Proposal) -> dict[str, Any]:
    if proposed.second is None:
        return {}
    named = proposed.problem.domains.to_mapping
    parts = [{"share": share, "weights": named(weights)} for share, weights in proposed.stages(proposal)]
    return {"stages": parts}


def stages(proposed: Proposed) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the stages of the first proposal, which its mixture is the mean of."""
    parts = proposed.stages(proposed.proposals[0])
    heads = [f"stage {at}, {_share(share)}" for at, (share, _) in enumerate(parts, start=1)]
    rows = [
        [domain, *(_share(weights[at]) for _, weights in parts)]
        for at, domain in enumerate(proposed.problem.domains.names)
    ]
    return ["domain", *heads], rows


def predictions(proposed: Proposed) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of what is predicted, the prior first."""
    everything = (proposed.prior, *proposed.proposals)
    rows = [
        [target, *(_value(p.predicted, p.half_width, at) for p in everything)]
        for at, target in enumerate(proposed.targets)
    ]
    rows.append(["objective", *(f"{p.objective:.4f}" for p in everything)])
    gains = (f"{proposed.gain(p):+.4f}" for p in proposed.proposals)
    rows.append([f"gain over {proposed.prior_name}", "", *gains])
    for member in dict.fromkeys(name for p in proposed.proposals for name in p.gain_by_member):
        said = (p.gain_by_member.get(member) for p in proposed.proposals)
        rows.append([f"  by {member}", "", *("–" if gain is None else f"{gain:+.4f}" for gain in said)])
    return _heads("predicted, ± of 95 %", proposed, []), rows


def judgements(proposed: Proposed) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of all that is known of the proposals beside predictions."""
    told = [
        {name: value for name, value in numbers(p).items() if not name.startswith(BETTER_THAN)}
        for p in proposed.proposals
    ]
    rows = []
    for name in dict.fromkeys(name for row in told for name in row):
        words, write = _WORDS.get(name, (name.replace("_", " "), _number))
        rows.append([words, *(write(row[name]) if name in row else "–" for row in told)])
    return ["judged", *(str(number) for number in range(1, len(told) + 1))], rows


def rivals(proposed: Proposed) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of what is predicted of mixtures chosen otherwise, beside the first proposal."""
    best = proposed.proposals[0]
    rows = []
    for name, rival in proposed.rivals.items():
        chance = best.details.get(f"{BETTER_THAN}{name}")
        rows.append(
            [
                name if admissible(rival.weights, proposed.problem) else f"{name} (breaks bounds)",
                f"{rival.objective:.4f}",
                f"{rival.objective - best.objective:+.4f}",
                "–" if chance is None else _chance(chance),
                f"{rival.details['hull_distance']:.3f}",
            ]
        )
    return ["compared with", "objective", "gain of 1", "chance that 1 is better", "distance from runs"], rows


def _heads(first: str, proposed: Proposed, between: list[str]) -> list[str]:
    counted = (str(number) for number in range(1, len(proposed.proposals) + 1))
    return [first, *between, proposed.prior_name, *counted]


def _share(weight: float) -> str:
    return "–" if weight < _NEGLIGIBLE else f"{100 * weight:.1f} %"


def _value(predicted: FloatArray, half_width: FloatArray | None, at: int) -> str:
    spread = "" if half_width is None else f" ± {half_width[at]:.3f}"
    return f"{predicted[at]:.3f}{spread}"


def _plain(proposed: Proposed, proposal: Proposal) -> dict[str, Any]:
    def named(values: FloatArray) -> dict[str, float]:
        return dict(zip(proposed.targets, values.tolist(), strict=True))

    return {
        "weights": proposed.problem.domains.to_mapping(proposal.weights),
        "predicted": named(proposal.predicted),
        "deviation": None if proposal.deviation is None else named(proposal.deviation),
        "half_width_95": None if proposal.half_width is None else named(proposal.half_width),
        "objective": proposal.objective,
    }
