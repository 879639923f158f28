"""A decoder whose hidden layers are mixtures of experts: each token goes through k of e gated hidden layers.

    y = sum over the k largest p_e of  (p_e / their sum) expert_e(x),   p = softmax(router x)

A balance loss keeps the router from sending everything to one expert, e times sum over experts of
(share of tokens sent to it) x (mean p of it): 1 where all are used alike.

Source: Shazeer et al. 2017, arXiv:1701.06538; Fedus et al. 2021, arXiv:2101.03961, for the balance loss;
Jiang et al. 2024, arXiv:2401.04088, for weights over the chosen experts alone.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from torch import Tensor, nn

from proxy_training.model import Decoder, GatedHidden
from proxy_training.spec import TrainSpec

_BALANCE = 0.01  # of the balance loss, as published


class SparseDecoder(Decoder):
    """A decoder with experts in every block.

    Args:
        spec: sizes; `hidden` is that of one expert.
        vocabulary: number of tokens.
        log_unigram: (V,) log frequencies of tokens, the start of the output bias.
        experts: e of each block.
        chosen: k of each token.

    Raises:
        ValueError: more experts are chosen than there are.
    """

    def __init__(
        self,
        spec: TrainSpec,
        *,
        vocabulary: int,
        log_unigram: Tensor | None = None,
        experts: int = 4,
        chosen: int = 2,
    ) -> None:
        if not 1 <= chosen <= experts:
            raise ValueError(f"{chosen} of {experts} experts are chosen: expected from 1 to all of them")
        self._experts, self._chosen = experts, chosen
        super().__init__(spec, vocabulary=vocabulary, log_unigram=log_unigram)

    @property
    def experts(self) -> list["Experts"]:
        """The layers of experts, from the first block to the last."""
        return [module for module in self.modules() if isinstance(module, Experts)]

    def balance_loss(self) -> Tensor:
        """Of the last forward pass: to be added to its mean loss."""
        return _BALANCE * torch.stack([layer.balance for layer in self.experts]).mean()

    def _hidden(self, spec: TrainSpec) -> nn.Module:
        return Experts(spec, count=self._experts, chosen=self._chosen)


class Experts(nn.Module):
    """Gated hidden layers, of which each token goes through the k that a router likes best.

    After a forward pass `routes` are the (..., k) experts of each token, and `balance` is the balance loss.
    """

    routes: Tensor
    balance: Tensor

    def __init__(self, spec: TrainSpec, *, count: int, chosen: int) -> None:
        super().__init__()
        self.count, self.chosen = count, chosen
        self.router = nn.Linear(spec.width, count, bias=False)
        self.experts = nn.ModuleList(GatedHidden(spec) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to (..., width)."""
        likings = self.router(x).softmax(dim=-1)
        weights, self.routes = likings.topk(self.chosen, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        flat, routes, mixed = x.flatten(0, -2), self.routes.flatten(0, -2), torch.zeros_like(x).flatten(0, -2)
        for number, expert in enumerate(self.experts):
            tokens, place = (routes == number).nonzero(as_tuple=True)
            mixed = mixed.index_add(
                0, tokens, expert(flat[tokens]) * weights.flatten(0, -2)[tokens, place, None]
            )
        sent = F.one_hot(routes, self.count).float().mean(dim=(0, 1))
        self.balance = self.count * (sent * likings.flatten(0, -2).mean(dim=0)).sum()
        return mixed.view_as(x)
