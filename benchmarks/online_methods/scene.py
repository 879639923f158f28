"""What a measurement on the way is made on."""

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from proxy_training.corpus import Corpus
from proxy_training.corpus.splits import Split
from proxy_training.model import Decoder
from proxy_training.probes.held_out import HeldOutSet
from proxy_training.spec import TrainSpec


@dataclass(frozen=True, eq=False)
class Scene:
    """A model in training.

    Args:
        spec: the model and its training.
        corpus: the text.
        model: in training.
        reference: what excess losses are in excess of, if anything.
    """

    spec: TrainSpec
    corpus: Corpus
    model: Decoder
    reference: Decoder | None = None

    @property
    def d(self) -> int:
        """Domains."""
        return len(self.corpus.domains)

    @property
    def step_tokens(self) -> int:
        """Tokens of a step."""
        return self.spec.batch * self.spec.context

    def windows(self, split: Split, samples: int) -> HeldOutSet:
        """So many windows of each domain, always the same."""
        return HeldOutSet.of(self.corpus, context=self.spec.context, samples=samples, split=split)


def token_losses(model: nn.Module, tokens: Tensor) -> Tensor:
    """(B, T) losses of (B, T + 1) tokens: how probes have a model score."""
    return cast("Decoder", model).losses(tokens)
