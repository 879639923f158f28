"""A model of a moment and samples of several domains, for tests of probes."""

import torch
from torch import Tensor, nn

from proxy_training.model import Decoder, GatedHidden
from proxy_training.probes.batch import ProbeBatch
from proxy_training.spec import TrainSpec

VOCABULARY, CONTEXT = 40, 12


def decoder(*, seed: int = 0, width: int = 8, layers: int = 2) -> Decoder:
    """A decoder with weights large enough that no layer is nearly linear."""
    torch.manual_seed(seed)
    spec = TrainSpec(context=CONTEXT, layers=layers, width=width, heads=2, hidden=2 * width)
    model = Decoder(spec, vocabulary=VOCABULARY)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            nn.init.normal_(parameter, std=0.3)
    return model


def samples(*counts: int, seed: int = 1) -> ProbeBatch:
    """So many samples of each domain, mixed; domain i prefers tokens around its own."""
    generator = torch.Generator().manual_seed(seed)
    domains = torch.cat([torch.full((count,), number) for number, count in enumerate(counts)])
    domains = domains[torch.randperm(len(domains), generator=generator)]
    drawn = torch.randint(0, VOCABULARY // 2, (len(domains), CONTEXT + 1), generator=generator)
    return ProbeBatch((drawn + 4 * domains[:, None]) % VOCABULARY, domains)


def gradient(model: Decoder, tokens: Tensor, weight: Tensor) -> Tensor:
    """Flat gradient of the summed mean losses of samples, as autograd gives it."""
    (found,) = torch.autograd.grad(model.losses(tokens).mean(dim=1).sum(), [weight])
    return found.flatten()


def last_down(model: Decoder) -> nn.Linear:
    """The down-projection of the last block."""
    hidden = model.blocks[-1].hidden
    assert isinstance(hidden, GatedHidden)
    return hidden.down
