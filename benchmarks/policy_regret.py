"""What online policies lose against the best fixed mixture, in simulated runs with known learning curves.

    OMP_NUM_THREADS=1 python -m benchmarks.policy_regret [--seeds 20] [--first 0] [--environments ...]
        [--policies ...] [--json]

Regret is the mean final loss, over domains and without noise, minus that of the best fixed mixture of the
same run, nats per token. Each seed draws an environment of each name, in which every policy is played once,
with the same seed for its noise. `results` has a row for each policy and environment, with means over seeds:

    regret, median, spread            of the policy; spread is the deviation between seeds
    regret_uniform, regret_natural    of equal shares and of the natural mixture, in the same environments
    noise_share, noise_prior          share of the tokens that a domain of pure noise got, and natural share
    from_uniform                      distance of its shares of tokens from equal ones, total variation
    arguments                         what the policy was told beside its defaults

Policies that need a signal which follows from no learning curve are not played; `left_out` has each of them
with these signals.

By default these are the first four environments and all policies; the other environments are of other shapes.
In all of them (`mixlaws.live_environments`) the order of tokens does not matter: no policy can have a regret
below 0, and what a schedule gains by its order is not measured.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from mixlaws.arrays import FloatArray
from mixlaws.live_environments import ENVIRONMENTS, NOISE, OTHERS, suited
from mixlaws.live_simulation import LiveSimulation
from mixlaws.live_trainer import MEASURED, Pace
from mixlaws.registry import POLICIES

Row = dict[str, Any]
_KNOWN = {**ENVIRONMENTS, **OTHERS}


def main() -> None:
    """Play and print."""
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="environments of each name")
    parser.add_argument("--first", type=int, default=0, help="the first of these seeds")
    parser.add_argument("--environments", nargs="+", choices=[*_KNOWN], default=[*ENVIRONMENTS])
    parser.add_argument("--policies", nargs="+", choices=sorted(POLICIES), default=sorted(POLICIES))
    chosen = parser.parse_args()
    left_out = not_measured(chosen.policies)
    policies = [name for name in chosen.policies if name not in left_out]
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    results = [row for name in chosen.environments for row in played(name, seeds, policies)]
    found = {"seeds": chosen.seeds, "first": chosen.first, "results": results, "left_out": left_out}
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def not_measured(policies: Sequence[str]) -> dict[str, list[str]]:
    """Signals that a policy needs and that the simulated trainer has not, by policy; without those it has."""
    lacking = {name: sorted(map(str, POLICIES[name]().signals - MEASURED)) for name in policies}
    return {name: signals for name, signals in lacking.items() if signals}


def played(environment: str, seeds: Sequence[int], policies: Sequence[str]) -> list[Row]:
    """A row for each policy, over environments of a name, one for each seed."""
    worlds = [_KNOWN[environment](np.random.default_rng(seed), Pace()) for seed in seeds]
    baselines = {
        "regret_uniform": float(np.mean([world.regret(world.uniform) for world in worlds])),
        "regret_natural": float(np.mean([world.regret(world.problem.prior) for world in worlds])),
    }
    rows = []
    for policy in policies:
        shares = [_shares(policy, world, seed) for seed, world in zip(seeds, worlds, strict=True)]
        regrets = [world.regret(row) for world, row in zip(worlds, shares, strict=True)]
        rows.append(
            {
                "policy": policy,
                "environment": environment,
                "regret": float(np.mean(regrets)),
                "median": float(np.median(regrets)),
                "spread": float(np.std(regrets)),
                **baselines,
                **_noise(worlds, shares),
                "from_uniform": float(np.mean([0.5 * np.abs(row - 1 / len(row)).sum() for row in shares])),
                "arguments": suited(policy, worlds[0]).told,
            }
        )
    return rows


def _shares(policy: str, world: LiveSimulation, seed: int) -> FloatArray:
    return world.play(suited(policy, world).policy, rng=np.random.default_rng([seed, 1])).shares


def _noise(worlds: list[LiveSimulation], shares: list[FloatArray]) -> Row:
    domains = worlds[0].problem.domains
    if NOISE not in domains.names:
        return {"noise_share": None, "noise_prior": None}
    at = domains.index(NOISE)
    return {
        "noise_share": float(np.mean([row[at] for row in shares])),
        "noise_prior": float(np.mean([world.problem.prior[at] for world in worlds])),
    }


def show(found: dict[str, Any]) -> None:
    """The findings as a table."""
    title = f"regret, nats: mean ± spread of {found['seeds']} seeds"
    names = dict.fromkeys(row["environment"] for row in found["results"])
    table = Table("policy", *names, "share of noise", title=title)
    by_policy: dict[str, list[Row]] = {}
    for row in found["results"]:
        by_policy.setdefault(row["policy"], []).append(row)
    for policy, rows in by_policy.items():
        regrets = [f"{round(row['regret'], 3) + 0.0:.3f} ± {row['spread']:.3f}" for row in rows]
        noise = next((f"{row['noise_share']:.2f}" for row in rows if row["noise_share"] is not None), "")
        table.add_row(policy, *regrets, noise)
    Console().print(table)
    for policy, rows in by_policy.items():
        if rows[0]["arguments"]:
            print(f"{policy}: {rows[0]['arguments']}")
    for policy, signals in found["left_out"].items():
        print(f"{policy}: left out, since no curve tells {', '.join(signals)}")


if __name__ == "__main__":
    main()
