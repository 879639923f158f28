"""The data mixing agent: its network treats all domains alike, and does what was trained in torch."""

import json
from importlib import import_module

import numpy as np
import pytest

from mixlaws.errors import StateError
from mixlaws.live_environments import OTHERS
from mixlaws.live_trainer import Pace
from mixlaws.policies.agent import Agent
from mixlaws.policies.agent_network import FEATURES, Network, trained
from mixlaws.problem import MixtureProblem
from tests.conformance.test_policies import domains


@pytest.mark.parametrize("d", [1, 2, 22, 100])
def test_domains_are_alike_to_the_network_however_many_there_are(d: int) -> None:
    rng = np.random.default_rng(d)
    seen, order = rng.normal(size=(d, FEATURES)), rng.permutation(d)
    weights = trained().weights(seen)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() > 0
    assert trained().weights(seen[order]) == pytest.approx(weights[order], abs=1e-12)
    assert trained().weights(np.tile(seen[:1], (d, 1))) == pytest.approx(np.full(d, 1 / d))


def test_the_network_is_the_one_that_was_trained() -> None:
    torch = pytest.importorskip("torch", reason="the extra `proxy` is not installed: no network is trained")
    networks = import_module("proxy_training.agent.networks")
    torch.manual_seed(0)
    actor = networks.Actor()
    network = Network({name: np.array(values) for name, values in actor.layers().items()}, "new")
    seen = np.random.default_rng(0).normal(size=(7, FEATURES))
    padded = torch.tensor(np.vstack([seen, np.ones((3, FEATURES))])[None], dtype=torch.float32)
    with torch.no_grad():
        logs = actor(padded, torch.tensor([[1.0] * 7 + [0.0] * 3]))
    assert network.weights(seen) == pytest.approx(logs[0, :7].exp().numpy(), abs=1e-4)


def test_a_state_of_another_network_is_refused() -> None:
    policy = Agent()
    dump = policy.dump(policy.init(MixtureProblem.create(domains(5))))
    with pytest.raises(StateError, match="network"):
        policy.load(json.loads(json.dumps(dump | {"network": "older"})))


def test_it_does_better_than_equal_shares_among_more_domains_than_it_was_trained_on() -> None:
    worlds = [(OTHERS["wide"](np.random.default_rng(seed), Pace(steps=2000)), seed) for seed in (2001, 2002)]
    for world, seed in worlds:
        shares = world.play(Agent(), rng=np.random.default_rng([seed, 1])).shares
        assert world.regret(shares) < 0.7 * world.regret(world.uniform)
