"""What the data mixing agent learns from decisions whose worth is known."""

import numpy as np
import torch

from mixlaws.policies.agent_network import FEATURES
from proxy_training.agent.learning import Settings, batched, conservative, imitated
from proxy_training.agent.trajectories import SHAPES, Decision, decisions

SETTINGS = Settings(imitation=200, conservative=300, rate=3e-3, trust=1.0)


def worth(seen: np.ndarray, mixture: np.ndarray) -> float:
    """A decision is worth the share of the domain whose first feature is the largest."""
    return float(mixture[seen[:, 0].argmax()])


def made(rng: np.random.Generator, *, good: bool) -> Decision:
    seen = np.clip(rng.normal(size=(int(rng.integers(2, 6)), FEATURES)), -2, 2)
    seen[rng.integers(len(seen)), 0] += 3
    # Good ones read more of it than others do, and less than would be best.
    mixture = 0.5 * rng.dirichlet(np.ones(len(seen))) + 0.5 * good * np.eye(len(seen))[seen[:, 0].argmax()]
    mixture = mixture / mixture.sum()
    return Decision(seen, mixture, worth(seen, mixture), None, good)


def test_it_imitates_good_decisions_and_surpasses_them_by_what_the_critic_learns() -> None:
    rng = np.random.default_rng(0)
    taught = [made(rng, good=number % 2 == 0) for number in range(600)]
    data, unseen = batched(taught), [made(rng, good=True) for _ in range(100)]
    fresh = batched(unseen)
    actor = imitated(data, SETTINGS)
    better, _ = conservative(actor, data, SETTINGS)

    def mean_worth(network: torch.nn.Module) -> float:
        with torch.no_grad():
            mixtures = network(fresh.seen, fresh.mask).exp().numpy()
        pairs = zip(unseen, mixtures, strict=True)
        return float(np.mean([worth(one.seen, mixture[: len(one.mixture)]) for one, mixture in pairs]))

    taught_worth = np.mean([worth(one.seen, one.mixture) for one in unseen])
    even = np.mean([1 / len(one.mixture) for one in unseen])
    assert mean_worth(actor) > even + 0.6 * (taught_worth - even)
    assert mean_worth(better) > mean_worth(actor) + 0.01


def test_runs_to_learn_from_hold_good_decisions_and_aimless_ones() -> None:
    found = decisions(1, np.random.default_rng(0))
    assert {one.good for one in found} == {True, False}
    assert all(abs(one.mixture.sum() - 1) < 1e-9 and one.seen.shape[1] == FEATURES for one in found)
    ends = [one for one in found if one.following is None]
    assert len(ends) == len(SHAPES), "a run of each shape"
