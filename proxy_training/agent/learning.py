"""Learning from decisions: imitation of the good ones, then conservative Q-learning.

    imitation    min  KL(mixture of a good run || actor)
    critic       min  (Q(s, w) - r - g Q'(s', actor'))^2 + a (logsumexp over w' of Q(s, w') - Q(s, w))
    actor        min  -e Q(s, actor) + KL(mixture of a good run || actor)

w' are mixtures drawn evenly from the simplex and the actor's own; Q' follows Q slowly.

Source: Kumar et al. 2020, arXiv:2006.04779 (critic); the order of the two is that of arXiv:2507.15640.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from proxy_training.agent.networks import Actor, Critic
from proxy_training.agent.trajectories import Decision

_BATCH = 256
_DRAWN = 8  # mixtures of the conservative term


@dataclass(frozen=True)
class Settings:
    """How to learn.

    Args:
        imitation: steps of imitation.
        conservative: steps of Q-learning after it.
        rate: learning rate.
        discount: g.
        caution: a.
        trust: e, how far the actor trusts the critic against good runs.
        seed: of everything that is random.
    """

    imitation: int = 3000
    conservative: int = 2000
    rate: float = 1e-3
    discount: float = 0.9
    caution: float = 0.1
    trust: float = 0.1
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Batch:
    """Decisions padded to the most domains: (b, d, 7) features now and next, (b, d) masks and mixtures."""

    seen: Tensor
    following: Tensor
    mask: Tensor
    mixture: Tensor
    reward: Tensor
    goes_on: Tensor
    good: Tensor

    def rows(self, chosen: Tensor) -> "Batch":
        """Some of the decisions."""
        return Batch(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def batched(decisions: Sequence[Decision]) -> Batch:
    """All decisions as tensors."""
    most = max(len(one.mixture) for one in decisions)

    def padded(rows: Sequence[np.ndarray]) -> Tensor:
        full = [np.pad(row, [(0, most - len(row))] + [(0, 0)] * (row.ndim - 1)) for row in rows]
        return torch.tensor(np.stack(full), dtype=torch.float32)

    def plain(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32)

    return Batch(
        padded([one.seen for one in decisions]),
        padded([one.seen if one.following is None else one.following for one in decisions]),
        padded([np.ones(len(one.mixture)) for one in decisions]),
        padded([one.mixture for one in decisions]),
        plain([one.reward for one in decisions]),
        plain([float(one.following is not None) for one in decisions]),
        plain([float(one.good) for one in decisions]),
    )


def imitated(data: Batch, settings: Settings) -> Actor:
    """An actor that does what good runs did."""
    torch.manual_seed(settings.seed)
    actor, good = Actor(), torch.nonzero(data.good)[:, 0]
    optimiser = torch.optim.Adam(actor.parameters(), lr=settings.rate)
    for _ in range(settings.imitation):
        rows = data.rows(good[torch.randint(len(good), (_BATCH,))])
        _step(optimiser, _imitation(actor, rows))
    return actor


def conservative(actor: Actor, data: Batch, settings: Settings) -> tuple[Actor, Critic]:
    """An actor that was improved by a critic, and the critic."""
    torch.manual_seed(settings.seed + 1)
    actor, critic = copy.deepcopy(actor), Critic()
    slow = copy.deepcopy(critic)
    acting = torch.optim.Adam(actor.parameters(), lr=settings.rate / 3)
    judging = torch.optim.Adam(critic.parameters(), lr=settings.rate)
    for step in range(settings.conservative):
        rows = data.rows(torch.randint(len(data.reward), (_BATCH,)))
        _step(judging, _judgement(critic, slow, actor, rows, settings))
        with torch.no_grad():
            for kept, new in zip(slow.parameters(), critic.parameters(), strict=True):
                kept.lerp_(new, 0.01)
        if step >= settings.conservative // 4:  # a critic that knows nothing yet is no guide
            value = critic(rows.seen, rows.mask, actor(rows.seen, rows.mask).exp()).mean()
            _step(acting, _imitation(actor, rows) - settings.trust * value)
    return actor, critic


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def _imitation(actor: Actor, rows: Batch) -> Tensor:
    logs = actor(rows.seen, rows.mask)
    cross = -(rows.mixture * logs * rows.mask).sum(1)
    mean: Tensor = (cross * rows.good).sum() / rows.good.sum().clamp(min=1)
    return mean


def _judgement(critic: Critic, slow: Critic, actor: Actor, rows: Batch, settings: Settings) -> Tensor:
    with torch.no_grad():
        own = actor(rows.seen, rows.mask).exp()
        later = slow(rows.following, rows.mask, actor(rows.following, rows.mask).exp())
        target = rows.reward + settings.discount * rows.goes_on * later
    value = critic(rows.seen, rows.mask, rows.mixture)
    others = [critic(rows.seen, rows.mask, own)]
    for _ in range(_DRAWN):
        drawn = torch.empty_like(rows.mask).exponential_() * rows.mask
        others.append(critic(rows.seen, rows.mask, drawn / drawn.sum(1, keepdim=True)))
    over = torch.logsumexp(torch.stack(others), dim=0) - np.log(len(others)) - value
    loss: Tensor = ((value - target) ** 2).mean() + settings.caution * over.mean()
    return loss
