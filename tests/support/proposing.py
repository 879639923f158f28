"""What each proposer needs of a predictor, beyond that it predicts."""

from dataclasses import replace

import numpy as np

from mixlaws.estimator import Predictor
from mixlaws.regressors.gaussian_process import GaussianProcess
from mixlaws.regressors.multi_scale import MultiScale
from mixlaws.simulation import Simulation


def predictor_for(proposer: str, simulation: Simulation, *, seed: int) -> Predictor:
    """The truth of a simulation, or a fit of twenty of its runs where a proposer asks how sure one is."""
    if proposer not in {"explore", "value_per_flop"}:
        return simulation.truth
    rng = np.random.default_rng(seed)
    runs = simulation.swarm(count=20, noise=0.01, rng=rng)
    if proposer == "explore":  # a batch is spread by what the predictor is unsure of
        return GaussianProcess().fit(runs, rng=rng)
    # What a run costs and tells depends on its scale.
    runs = replace(runs, tokens=np.full(20, 1e8), model_parameters=np.resize([1e6, 4e6], 20))
    return MultiScale().fit(runs, rng=rng)
