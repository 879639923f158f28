"""Targets that are fitted side by side give the numbers of one after the other."""

import numpy as np
import pytest
from joblib import parallel_config

from mixlaws.estimator import AnyEstimator
from mixlaws.regressors.gaussian_process import GaussianProcess, RoughGaussianProcess
from mixlaws.regressors.lightgbm import LightGbm
from mixlaws.simulation import Simulation


@pytest.mark.parametrize("estimator", [GaussianProcess(), RoughGaussianProcess(), LightGbm(rounds=20)])
def test_processes_change_no_number(estimator: AnyEstimator) -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=12, noise=0.01, rng=np.random.default_rng(1))
    alone = estimator.fit(swarm, rng=np.random.default_rng(2))
    with parallel_config(backend="loky", n_jobs=2, inner_max_num_threads=1):
        spread = estimator.fit(swarm, rng=np.random.default_rng(2))
    assert spread.predict(swarm.weights) == pytest.approx(alone.predict(swarm.weights), abs=1e-12)
