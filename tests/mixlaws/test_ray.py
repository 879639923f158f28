"""A Ray cluster changes no number of a fit."""

import importlib
import secrets
import tempfile
from collections.abc import Iterator

import numpy as np
import pytest
from joblib import parallel_config

from mixlaws.regressors.gaussian_process import RoughGaussianProcess
from mixlaws.simulation import Simulation


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two processors of this machine; nothing is told to anybody, and nothing stays."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else one is written into the home folder
    ray = pytest.importorskip(
        "ray", reason="the extra `ray` is not installed: no fit is spread over a cluster"
    )
    backend = importlib.import_module("ray.util.joblib")
    # Short, since the path of a socket may not exceed 107 bytes.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
            log_to_driver=False,
            object_store_memory=100 * 2**20,
        )
        backend.register_ray()
        try:
            yield
        finally:
            ray.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_cluster_gives_the_predictor_of_one_process_to_the_last_bit() -> None:
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(0))
    swarm = simulation.swarm(count=12, noise=0.01, rng=np.random.default_rng(1))
    alone = RoughGaussianProcess().fit(swarm, rng=np.random.default_rng(2))
    with parallel_config("ray", n_jobs=2):
        spread = RoughGaussianProcess().fit(swarm, rng=np.random.default_rng(2))
    assert spread.dump() == alone.dump()
