"""Everything that the rules of `mixlaws.sampling` need to know of a corpus, in one document.

entropies    counting alone                             entropy
embeddings   one training                               chameleon
experts      one training for each domain               mixmin, utilimax
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from mixlaws.errors import InvalidInputError
from mixlaws.sampling.measured import Measured
from mixlaws.sampling.rule import Statistics
from proxy_training.corpus.corpus import Corpus
from proxy_training.cost import Cost
from proxy_training.domain_embeddings import SAMPLES, domain_embeddings, middle
from proxy_training.entropies import corpus_entropies
from proxy_training.experts import Expert, expert, expert_statistics, reference_losses
from proxy_training.record import Record
from proxy_training.spec import TrainSpec
from proxy_training.train import FixedMixture, trained
from proxy_training.windows import Windows

PARTS = ("entropies", "embeddings", "experts")

# What is being done, and the share of it that is done.
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Measurement:
    """What is to be measured.

    Args:
        corpus: tokenised text.
        spec: the small models, and how each is trained.
        sequences: (x, context + 1) target text of MixMin.
        parts: which statistics.
        samples: most windows of each domain for its embedding.
        seed: of all models.
        device: where torch computes.
    """

    corpus: Corpus
    spec: TrainSpec
    sequences: Windows
    parts: tuple[str, ...] = PARTS
    samples: int = SAMPLES
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        check_parts(self.parts)
        if self.sequences.ndim != 2 or self.sequences.shape[1] != self.spec.context + 1:
            raise InvalidInputError(
                f"sequences have shape {self.sequences.shape}: expected (x, {self.spec.context + 1})"
            )

    @property
    def costs(self) -> dict[str, Cost]:
        """What each part costs; entropies are counted, in well under a second for a million tokens."""
        d, context = len(self.corpus.domains), self.spec.context
        windows = sum(
            min(self.samples, len(self.corpus.tokens(name, "train")) // context)
            for name in self.corpus.domains.names
        )
        scored = (d + 1) * d * self.spec.evaluation_tokens + d * len(self.sequences) * context
        read = {"embeddings": (1, windows * context), "experts": (d, scored)}
        return {
            part: Cost.of(self.spec, self.corpus, trainings=read[part][0], forward_tokens=read[part][1])
            if part in read
            else Cost()
            for part in self.parts
        }

    @property
    def settings(self) -> dict[str, Any]:
        """What the numbers depend on; the device moves them by rounding alone."""
        return {
            "corpus": self.corpus.id,
            "spec": self.spec.dump(),
            "seed": self.seed,
            "samples": self.samples,
            "sequences": hashlib.sha256(self.sequences.astype("<i8").tobytes()).hexdigest(),
        }


def check_parts(parts: Collection[str], /) -> None:
    """Check names of parts, which is cheap: a corpus is not.

    Raises:
        InvalidInputError: there is none, or one is unknown.
    """
    if not parts or not set(parts) <= set(PARTS):
        raise InvalidInputError(f"parts are {', '.join(parts) or 'none'}: choose from {', '.join(PARTS)}")


def measure(what: Measurement, record: Record, /, *, progress: Progress = lambda _, __: None) -> Measured:
    """Measure, part by part; parts that the record holds are not done again.

    Raises:
        InvalidInputError: a domain has too few pairs of tokens, or no expert learnt some domain.
        TrainingDivergedError: a model came to nothing.
        ValueError: the text of a domain does not fill one window.
    """
    found = Statistics()
    if "entropies" in what.parts:
        progress("counting pairs of tokens", 0.0)
        found = corpus_entropies(what.corpus)
    if "embeddings" in what.parts:
        rows = _kept(record, "embeddings", lambda: _embeddings(what, progress))
        found = replace(found, embeddings=np.array(rows))
    if "experts" in what.parts:
        known = _experts(what, record, progress)
        found = replace(
            found, utilities=known.utilities, log_probabilities=known.log_probabilities, lengths=known.lengths
        )
    names = what.corpus.domains.names
    return Measured(names, found, names if found.utilities is not None else (), _about(what))


def _embeddings(what: Measurement, progress: Progress) -> list[list[float]]:
    names, spec = what.corpus.domains.names, what.spec
    mixture = FixedMixture(dict.fromkeys(names, 1 / len(names)), batch=spec.batch, seed=what.seed)
    model, _ = trained(
        spec,
        what.corpus,
        mixture,
        seed=what.seed,
        device=what.device,
        progress=lambda share: progress("training on all domains", share),
    )
    progress("embedding domains", 0.0)
    found = domain_embeddings(model, what.corpus, context=spec.context, samples=what.samples)
    return [row.tolist() for row in found]


def _experts(what: Measurement, record: Record, progress: Progress) -> Statistics:
    def one(name: str) -> dict[str, list[float]]:
        made = expert(
            what.spec,
            what.corpus,
            name,
            what.sequences,
            seed=what.seed,
            device=what.device,
            progress=lambda share: progress(f"training on {name} alone", share),
        )
        return {"losses": made.losses.tolist(), "log_probabilities": made.log_probabilities.tolist()}

    experts = []
    for index, name in enumerate(what.corpus.domains.names):
        row = _kept(record, f"expert-{index:04d}", partial(one, name))
        experts.append(Expert(np.array(row["losses"]), np.array(row["log_probabilities"])))
    reference = reference_losses(what.spec, what.corpus, seed=what.seed, device=what.device)
    return expert_statistics(experts, reference, what.sequences)


def _kept(record: Record, part: str, make: Callable[[], Any]) -> Any:
    value = record.recall(part)
    if value is None:
        value = make()
        record.keep(part, value)
    return value


def _about(what: Measurement) -> Mapping[str, Any]:
    return {
        **what.settings,
        "block": middle(what.spec.layers),
        "costs": {part: cost.dump() for part, cost in what.costs.items()},
    }
