"""What policies cost: microseconds of the processor for an update, seconds of ADO's fit.

    OMP_NUM_THREADS=1 python -m benchmarks.policy_cost [--updates 2000] [--json]

An update is what a service does with one feedback over 22 domains: guards and alarms, the policy's update,
its first stage tempered, above the floor and near the last one, and the dump of its state. Where they are
measured there are 16 targets, 64 experts, and one rollout of each domain in a feedback. The fit is one of
22 loss curves to 60,000 steps.
"""

import argparse
import json
import time
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from mixlaws.domains import DomainSet
from mixlaws.feedback import Evaluation, Feedback, TokenSums
from mixlaws.measurements import ExpertCounts, GradientNorms, GradientProducts, Gram, Influence
from mixlaws.policies.ado import Ado
from mixlaws.policy import History, HistoryRequest
from mixlaws.problem import MixtureProblem
from mixlaws.registry import POLICIES
from mixlaws.steering.alarms import AlarmState, watch
from mixlaws.steering.guards import Guards

DOMAINS = DomainSet(tuple(f"domain-{index}" for index in range(22)), tuple(range(1_000_000, 1_000_022)))
HISTORY_STEPS = 60_000
SEQUENCES = 256
EXPERTS, DIRECTIONS = 64, 16  # experts of a layer; targets of gradients, and as many dimensions of these
GUARDS = Guards(floor=0.01, tempering=0.1, trust_kl=0.05, trust_ratio=1.25)
# What has no default; and ADO from its first step on, with curves.
NEEDED: dict[str, dict[str, Any]] = {
    "ado": {"start_step": 0},
    "portfolio": {"members": {"ado": {"start_step": 0}, "odm": {}, "stratified": {}, "temperature": {}}},
    "unimax": {"budget_tokens": 2 * sum(DOMAINS.tokens)},
    "velocitune": {"target_losses": dict.fromkeys(DOMAINS.names, 1.0)},
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--updates", type=int, default=2000, help="updates of each policy")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    costs = {name: update_costs(name, chosen.updates) for name in sorted(POLICIES)}
    found = {
        "domains": len(DOMAINS),
        "updates": chosen.updates,
        "microseconds": {name: float(median(taken)) for name, taken in costs.items()},
        "slowest_microseconds": {name: max(taken) for name, taken in costs.items()},
        "ado_fit_seconds": fit_cost(),
    }
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def update_costs(name: str, updates: int) -> list[float]:
    """Microseconds of the processor for each update of a policy: what else runs is not in the slowest one."""
    policy, problem = POLICIES[name](**NEEDED.get(name, {})), MixtureProblem.create(DOMAINS)
    guards = GUARDS.bind(problem)
    state, alarms = policy.init(problem), AlarmState.start(len(DOMAINS))
    weights, active, finite = problem.prior, np.ones(len(DOMAINS), bool), np.zeros(len(DOMAINS), bool)
    if isinstance(policy, Ado):
        state = policy.absorb(state, {"curves": [[2.0, 0.7, 0.3]] * len(DOMAINS)})
    rng = np.random.default_rng(0)
    taken, ended = [], 0
    for step in range(1, updates + 1):
        plan = policy.stages(state)
        ended = (ended + 1) % len(plan)
        feedback = measured(rng, step, plan[ended].weights, ended)
        started = time.process_time()
        admitted = guards.admit(feedback)
        alarms, _ = watch(guards.guards, DOMAINS.names, alarms, admitted, finite)
        state = policy.update(state, admitted)
        weights = guards.near(guards.within(policy.stages(state)[0].weights, active), weights)
        policy.dump(state)
        taken.append(1e6 * (time.process_time() - started))
    return taken


def measured(rng: np.random.Generator, step: int, weights: Any, ended: int) -> Feedback:
    """Feedback of every kind that a policy may need."""
    d = len(DOMAINS)
    counts = rng.integers(1, 4, d) * 1024
    sums = (2 + rng.random(d) + 3 / np.sqrt(step)) * counts
    excess = TokenSums(rng.random(d) * counts, counts)
    evaluation = Evaluation(sums, counts, step, "held-out")
    gradients = rng.standard_normal((d, DIRECTIONS))
    squares = np.sum(gradients**2, axis=1)
    targets = tuple(f"target-{index:02}" for index in range(DIRECTIONS))
    return Feedback(
        step, sums, counts, weights, version=step, stages_done=ended, sequence_counts=counts // 1024,
        excess=excess, excess_clipped=excess, evaluation=evaluation,
        gram=Gram(gradients @ gradients.T, np.ones(d, dtype=np.int64), "head"),
        grad_products=GradientProducts(gradients, np.sqrt(squares), counts, 1e-3, targets),
        grad_norms=GradientNorms(squares, 100 * squares, 64),
        expert_counts=ExpertCounts(rng.random((d, EXPERTS)), layer=0, gate="soft"),
        advantages=TokenSums(rng.random(d), np.ones(d, dtype=np.int64)),
        influence=Influence(rng.standard_normal((d, 9)), tuple("abcdefghi"), "random", 1000),
    )  # fmt: skip


def fit_cost() -> float:
    """Seconds of a fit of ADO, median of three."""
    rng = np.random.default_rng(0)
    d = len(DOMAINS)
    floor, height, exponent = rng.uniform(1.7, 3, d), rng.uniform(3, 50, d), rng.uniform(0.1, 0.6, d)
    n = SEQUENCES * np.arange(1, HISTORY_STEPS + 1)[:, None]
    losses = floor + height * n**-exponent + rng.normal(0, 0.15, (HISTORY_STEPS, d))
    counts = rng.multinomial(SEQUENCES, np.full(d, 1 / d), size=HISTORY_STEPS) * 1024
    history = History(np.arange(1, HISTORY_STEPS + 1), losses * counts, counts)
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        Ado().compute(HistoryRequest(1, HISTORY_STEPS), history)
        taken.append(time.perf_counter() - started)
    return float(median(taken))


def show(found: dict[str, Any]) -> None:
    """The findings as a table."""
    table = Table("policy", "update, µs", "slowest, µs", title=f"{found['domains']} domains")
    for name, cost in found["microseconds"].items():
        table.add_row(name, f"{cost:.0f}", f"{found['slowest_microseconds'][name]:.0f}")
    Console().print(table)
    print(f"a fit of ADO to {HISTORY_STEPS} steps: {found['ado_fit_seconds']:.2f} s")


if __name__ == "__main__":
    main()
