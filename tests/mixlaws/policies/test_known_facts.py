"""What is known of policies, in simulated runs: properties of their weights."""

import numpy as np
import pytest

from mixlaws.live_environments import ENVIRONMENTS, NOISE, suited
from mixlaws.live_trainer import Pace
from mixlaws.policies.aioli import Aioli

PACE = Pace(steps=2000)


@pytest.mark.parametrize("seed", range(3))
def test_odm_runs_after_pure_noise_and_ado_does_not(seed: int) -> None:
    live = ENVIRONMENTS[NOISE](np.random.default_rng(seed), PACE)
    at = live.problem.domains.index(NOISE)
    prior = live.problem.prior[at]
    odm, ado = (
        live.play(suited(name, live).policy, rng=np.random.default_rng(seed)).weights[:, at]
        for name in ("odm", "ado")
    )
    assert odm[-1] > 4 * prior
    assert ado[-1] < 0.5 * prior
    assert ado.max() <= prior + 1e-9


@pytest.mark.parametrize("environment", sorted(ENVIRONMENTS))
def test_aioli_with_its_moving_average_stays_near_uniform(environment: str) -> None:
    live = ENVIRONMENTS[environment](np.random.default_rng(2), PACE)
    policy = Aioli()
    played = live.play(policy, rng=np.random.default_rng(0))
    probes = np.isclose(played.weights.max(axis=1), policy.concentration)
    assert 0 < played.steps[probes].sum() < 0.5 * PACE.steps
    main = played.weights[~probes]
    assert np.unique(main.round(9), axis=0).shape[0] >= 3, "rounds must have taught something"
    assert (main.max(axis=1) / main.min(axis=1)).max() <= np.exp(policy.eta) + 1e-9
