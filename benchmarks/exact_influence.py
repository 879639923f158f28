"""Influence on a model so small that the exact curvature can be inverted, and training repeated.

Domains are mixtures of four chains of tokens; the model predicts a token from the two before it, through one
hidden layer, and is trained on all samples at once to its optimum. Then the influence of every domain on
every domain's held-out samples is computed

    by Kronecker factors:   what `proxy_training.probes.influence` gives
    exactly:                with the inverse of the whole Gauss-Newton matrix and the same damping
    by training again:      with a third more weight on one domain, from the optimum to the new one

Agreement is the rank correlation over domains, for each target.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from scipy import stats
from torch import Tensor, nn
from torch.func import functional_call, jacfwd

from mixlaws.arrays import FloatArray
from proxy_training.probes.batch import ProbeBatch
from proxy_training.probes.curvature import curvature
from proxy_training.probes.direction import forward_derivatives, target_direction
from proxy_training.probes.influence import group_influence
from proxy_training.probes.micro_batches import linear_layers

VOCABULARY, CONTEXT, DOMAINS, CHAINS = 16, 8, 10, 4
PENALTY = 3e-3  # of the squared weights, halved: the damping
MORE = 0.3  # weight that a domain gets more; small enough for the first order, large enough to be seen


class TwoTokens(nn.Module):
    """Predicts a token from the two before it; only its two matrices are trained."""

    codes: Tensor

    def __init__(self, *, seed: int, width: int = 12, hidden: int = 16) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("codes", torch.randn(VOCABULARY, width, generator=generator))
        self.inner = nn.Linear(2 * width, hidden, bias=False)
        self.outer = nn.Linear(hidden, VOCABULARY, bias=False)
        for matrix in self.parameters():
            matrix.data = torch.randn(matrix.shape, generator=generator) / matrix.shape[1] ** 0.5

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T) tokens to (B, T, V) logits."""
        now = self.codes[tokens]
        before = F.pad(now[:, :-1], (0, 0, 1, 0))
        return self.outer(torch.tanh(self.inner(torch.cat([now, before], dim=-1))))  # type: ignore[no-any-return]

    def losses(self, tokens: Tensor) -> Tensor:
        """(B, T) losses, nats, of predicting tokens[:, 1:]."""
        return F.cross_entropy(self(tokens[:, :-1]).transpose(1, 2), tokens[:, 1:], reduction="none")


@dataclass(frozen=True, eq=False)
class Agreement:
    """Rank correlations over domains, by target.

    Args:
        exact: of Kronecker factors with the exact inverse.
        retrained: of Kronecker factors with training again.
        exact_retrained: of the exact inverse with training again: what can be hoped for.
        plain: of products of gradients, without curvature, with the exact inverse.
        parameters: of the model.
    """

    exact: FloatArray
    retrained: FloatArray
    exact_retrained: FloatArray
    plain: FloatArray
    parameters: int


def agreement(*, seed: int, samples: int = 24) -> Agreement:
    """Compute all of them for one model and its samples."""
    train, aims = text(2 * seed, samples), text(2 * seed + 1, 200)
    domains, targets = parts(train), parts(aims)
    model = TwoTokens(seed=seed)
    optimise(model, train, torch.ones(DOMAINS))
    measured = curvature(
        model,
        [train.tokens] * 4,  # each time with other labels
        layers=linear_layers(model),
        generator=torch.Generator().manual_seed(seed),
        damping=PENALTY,
    )
    named = {f"{number}": batch for number, batch in enumerate(targets)}
    factored = group_influence(
        model, domains, named, curvature=measured, token_losses=TwoTokens.losses, part=512
    ).influence
    own, aimed = ([gradient(model, batch) for batch in batches] for batches in (domains, targets))
    exact = torch.stack(own) @ torch.linalg.solve(damped_gauss_newton(model, train), torch.stack(aimed).T)
    again = retrained(model, train, targets)
    return Agreement(
        exact=ranks_alike(factored, exact.numpy()),
        retrained=ranks_alike(factored, again),
        exact_retrained=ranks_alike(exact.numpy(), again),
        plain=ranks_alike((torch.stack(own) @ torch.stack(aimed).T).numpy(), exact.numpy()),
        parameters=sum(matrix.numel() for matrix in model.parameters()),
    )


def text(seed: int, samples: int) -> ProbeBatch:
    """So many samples of every domain."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(99)
    chains = fixed.dirichlet(np.full(VOCABULARY, 0.15), size=(CHAINS, VOCABULARY))
    shares = fixed.dirichlet(np.full(CHAINS, 0.6), size=DOMAINS)
    rows = []
    for share in shares:
        cumulated = np.tensordot(share, chains, 1).cumsum(axis=1)
        columns = [rng.integers(VOCABULARY, size=samples)]
        for _ in range(CONTEXT):
            below = cumulated[columns[-1]] < rng.random(samples)[:, None]
            columns.append(np.minimum(below.sum(axis=1), VOCABULARY - 1))
        rows.append(np.stack(columns, axis=1))
    numbers = np.repeat(np.arange(DOMAINS), samples)
    return ProbeBatch(torch.from_numpy(np.concatenate(rows)), torch.from_numpy(numbers))


def parts(batch: ProbeBatch) -> list[ProbeBatch]:
    """The samples of each domain."""
    own = [batch.domains == number for number in range(DOMAINS)]
    return [ProbeBatch(batch.tokens[rows], batch.domains[rows]) for rows in own]


def optimise(model: TwoTokens, train: ProbeBatch, weights: Tensor) -> None:
    """Train to the optimum of the weighted and penalised loss."""
    matrices = list(model.parameters())
    optimiser = torch.optim.LBFGS(
        matrices, max_iter=300, history_size=20, line_search_fn="strong_wolfe", tolerance_change=1e-10
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        penalty = PENALTY / 2 * torch.stack([matrix.square().sum() for matrix in matrices]).sum()
        loss = (model.losses(train.tokens).mean(dim=1) * weights[train.domains]).mean() + penalty
        torch.autograd.backward(loss)
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]


def retrained(model: TwoTokens, train: ProbeBatch, targets: list[ProbeBatch]) -> FloatArray:
    """(d, t) fall of the loss of each target when a domain gets more weight."""
    at = {name: value.clone() for name, value in model.state_dict().items()}
    fallen = np.empty((DOMAINS, len(targets)))
    before = np.array([score(model, batch) for batch in targets])
    for domain, row in enumerate(fallen):
        weights = torch.ones(DOMAINS)
        weights[domain] += MORE
        other = TwoTokens(seed=0)
        other.load_state_dict(at)
        optimise(other, train, weights)
        row[:] = before - [score(other, batch) for batch in targets]
    return fallen


@torch.no_grad()
def score(model: TwoTokens, batch: ProbeBatch) -> float:
    """Mean loss, nats per token."""
    return float(model.losses(batch.tokens).double().mean())


def gradient(model: TwoTokens, batch: ProbeBatch) -> Tensor:
    """Flat gradient of the mean loss, in the order of the model's parameters."""
    found = target_direction(model, batch, token_losses=TwoTokens.losses, part=512)
    return torch.cat([part.flatten() for part in found.values()]).double()


@torch.no_grad()
def damped_gauss_newton(model: TwoTokens, train: ProbeBatch) -> Tensor:
    """(p, p) mean over tokens of J^T (diag(q) - q q^T) J, q the predicted shares; plus the damping."""

    def logits(matrices: Mapping[str, Tensor]) -> Tensor:
        predicted: Tensor = functional_call(model, dict(matrices), (train.tokens[:, :-1],))
        return predicted.flatten(0, 1)

    matrices = {name: matrix.detach() for name, matrix in model.named_parameters()}
    with forward_derivatives():
        jacobians = jacfwd(logits)(matrices)
    jacobian = torch.cat([jacobians[name].flatten(2) for name in matrices], dim=2)
    shares = logits(matrices).softmax(dim=-1)[:, :, None]
    centred = jacobian - (shares * jacobian).sum(dim=1, keepdim=True)
    rows = (shares.sqrt() * centred).flatten(0, 1).double()
    size = rows.shape[1]
    return rows.T @ rows / len(jacobian) + PENALTY * torch.eye(size, dtype=torch.float64)


def ranks_alike(left: FloatArray, right: FloatArray) -> FloatArray:
    """(t,) rank correlations of the columns."""
    columns = zip(left.T, right.T, strict=True)
    return np.array([stats.spearmanr(a, b).statistic for a, b in columns])
