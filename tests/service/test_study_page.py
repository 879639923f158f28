"""The page of a study with more runs than it shows."""

import numpy as np
import pytest

from mixlaws.simulation import Simulation
from service.dashboard import study
from tests.support.populated import finish_runs
from tests.support.servers import Service


def test_many_proxy_runs_do_not_hide_what_was_confirmed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "_MOST_ROWS", 8)
    simulation = Simulation.create(domains=3, rng=np.random.default_rng(3))
    domains = simulation.problem.domains
    rows = [{"name": n, "tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)]
    service.client.create_study({"name": "trial", "domains": rows})
    service.client.create_sweep("trial", {"design": "sobol", "count": 10})
    natural = {"weights": domains.to_mapping(domains.natural), "label": "natural, seed 0"}
    service.client.create_sweep("trial", {"purpose": "confirmation", "mixtures": [natural]})
    finish_runs(service, simulation, noise=0.02, seed=0)
    page = service.call("GET", "/studies/trial").text
    assert "Confirmed at a larger scale" in page
    assert "natural, seed 0" in page
    assert "2 later runs are not shown" in page
    monkeypatch.undo()
    assert "later runs are not shown" not in service.call("GET", "/studies/trial").text
