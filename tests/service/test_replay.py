"""Every version of a job follows from its log, whatever trainers and people did to it."""

from typing import Any

import numpy as np
import pytest

from service.jobs.building import build
from tests.support.replaying import same_again
from tests.support.servers import Service
from tests.support.wandering import Wanderer

DOMAINS = [
    {"name": "web", "tokens": 9_000_000},
    {"name": "code", "tokens": 30_000, "max_epochs": 1.5},
    {"name": "law", "tokens": 1_000_000},
]
POLICIES: dict[str, dict[str, Any]] = {
    "odm": {},
    "aioli": {"probe_steps": 6, "sweeps": 1, "round_steps": 40},
    "handwritten": {"plan": [{"weights": {"web": 0.5, "code": 0.5, "law": 0.0}, "steps": 30},
                             {"weights": {"web": 0.2, "code": 0.0, "law": 0.8}}]},
}  # fmt: skip
GUARDS = {"floor": 0.02, "trust_kl": 0.1, "warmup_steps": 20, "loss_spike": 2.5, "tempering": 0.1}


@pytest.mark.parametrize(
    ("policy", "guards", "seed"), [("odm", GUARDS, 1), ("aioli", {}, 0), ("handwritten", GUARDS, 2)]
)
def test_the_log_gives_every_version_to_the_last_bit(
    shared_service: Service, policy: str, guards: dict[str, Any], seed: int
) -> None:
    signals = ["losses", "eval_losses", "sequence_counts"]
    job = {
        "name": policy, "policy": policy, "params": POLICIES[policy], "domains": DOMAINS,
        "samples_per_step": 8, "lead_steps": 9, "signals": signals, "guards": guards,
        "ttl_steps": 500,
    }  # fmt: skip
    wanderer = Wanderer(shared_service, job, np.random.default_rng(seed))
    wanderer.wander(60)
    versions = same_again(shared_service, policy)
    assert len(versions) > 10, wanderer.done
    assert {version.build for version in versions} == {build()}
