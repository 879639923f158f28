"""The agent's network and its critic in torch; what is padded is masked out. b counts decisions."""

import torch
from torch import Tensor, nn

from mixlaws.policies.agent_network import EVEN_SHARE, FEATURES, MOST_LOGIT

WIDTH = 32


class Shared(nn.Module):
    """One network for all domains, with the mean over domains beside it.

    Args:
        inputs: features of a domain.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, WIDTH)
        self.second = nn.Linear(2 * WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, 1)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """(b, d) outputs for (b, d, inputs) features, where (b, d) mask holds."""
        hidden = torch.relu(self.first(features)) * mask[..., None]
        mean = hidden.sum(1, keepdim=True) / mask.sum(1)[:, None, None]
        joined = torch.cat([hidden, mean.expand_as(hidden)], dim=-1)
        outputs: Tensor = self.last(torch.relu(self.second(joined)))
        return outputs[..., 0]


class Actor(nn.Module):
    """(b, d) logarithms of a mixture, as `mixlaws.policies.agent_network` computes it."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = Shared(FEATURES)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """(b, d) logarithms of weights; those that are masked out are far below all others."""
        logits = MOST_LOGIT * torch.tanh(self.shared(features, mask))
        shares = torch.softmax(logits.masked_fill(mask == 0, -1e9), dim=-1)
        even = EVEN_SHARE * mask / mask.sum(1, keepdim=True)
        return torch.log((1 - EVEN_SHARE) * shares + even + 1e-30)

    def layers(self) -> dict[str, list[float] | list[list[float]]]:
        """Numbers of the network by the names that the policy knows."""
        parts = {"A": self.shared.first, "B": self.shared.second, "C": self.shared.last}
        rounded = {
            name: part.weight.detach().double().numpy().round(6).tolist() for name, part in parts.items()
        }
        for name, part in parts.items():
            rounded[name.lower()] = part.bias.detach().double().numpy().round(6).tolist()
        return rounded


class Critic(nn.Module):
    """(b,) value of a mixture: what all losses will fall by from now on, discounted."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = Shared(FEATURES + 2)

    def forward(self, features: Tensor, mask: Tensor, mixture: Tensor) -> Tensor:
        """(b,) values of (b, d) mixtures."""
        count = mask.sum(1)[:, None]
        share = torch.stack([torch.log(mixture * count + 1e-3) / 3, mixture], dim=-1)
        outputs = self.shared(torch.cat([features, share], dim=-1), mask)
        values: Tensor = (outputs * mask).sum(1) / count[:, 0]
        return values
