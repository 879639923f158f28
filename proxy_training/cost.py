"""What a measurement costs, before it is made.

    training = 6 N D FLOPs,  a forward pass = 2 N D FLOPs

N are the parameters, of which the embedding counts once since the head is tied to it, D the tokens.
"""

from dataclasses import asdict, dataclass

from proxy_training.corpus.corpus import Corpus
from proxy_training.model import Decoder
from proxy_training.spec import TrainSpec

TRAINING, FORWARD = 6.0, 2.0  # FLOPs for each parameter and token


@dataclass(frozen=True)
class Cost:
    """What has to be computed.

    Args:
        trainings: models that are trained.
        training_flops: of all of them.
        forward_tokens: tokens that are read without training.
        forward_flops: of these.
    """

    trainings: int = 0
    training_flops: float = 0.0
    forward_tokens: int = 0
    forward_flops: float = 0.0

    @classmethod
    def of(cls, spec: TrainSpec, corpus: Corpus, *, trainings: int, forward_tokens: int) -> "Cost":
        """The cost of trainings of a spec, and of reading some tokens with its model."""
        parameters = Decoder(spec, vocabulary=corpus.vocabulary).parameter_count()
        tokens = spec.steps * spec.batch * spec.context
        return cls(
            trainings,
            TRAINING * parameters * tokens * trainings,
            forward_tokens,
            FORWARD * parameters * forward_tokens,
        )

    def dump(self) -> dict[str, float]:
        """The cost as JSON."""
        return asdict(self)
