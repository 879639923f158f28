"""One model for each domain, trained on it alone: what MixMin and UtiliMax know of a domain.

MixMin takes the log-probabilities of target sequences under every expert (Thudi et al. 2025,
arXiv:2502.10510), UtiliMax how much each expert improves on every task (Held et al. 2025, arXiv:2501.11747).
One training serves both. The tasks are the domains' held-out losses; utilities are shares of the best
improvement on the model before its first step, which knows no more than how common each token is. One that
does worse than that, sure of what is not there, has the utility 0: beside text of the task it would not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.sampling.rule import Statistics
from mixlaws.sampling.utilimax import relative_utilities
from proxy_training.corpus.corpus import Corpus
from proxy_training.evaluate import window_losses
from proxy_training.spec import TrainSpec
from proxy_training.train import FixedMixture, Progress, scored, trained, untrained
from proxy_training.windows import Windows


@dataclass(frozen=True, eq=False)
class Expert:
    """What one model said.

    Args:
        losses: (d,) held-out losses of all domains, nats per token.
        log_probabilities: (x,) of the target sequences, the first token of each given, nats.
    """

    losses: FloatArray
    log_probabilities: FloatArray


def expert(
    spec: TrainSpec,
    corpus: Corpus,
    domain: str,
    sequences: Windows,
    *,
    seed: int,
    device: str = "cpu",
    progress: Progress = lambda _: None,
) -> Expert:
    """Train a model on one domain and ask it.

    Args:
        spec: the model and its training.
        corpus: text to train and score on.
        domain: what is read.
        sequences: (x, context + 1) target text, the same for all experts.
        seed: initial weights and order of the text; the same for all experts.
        device: where torch computes.
        progress: told the share that is done.

    Raises:
        TrainingDivergedError: the loss is NaN or infinite.
        ValueError: a text does not fill one window.
    """
    alone = {name: float(name == domain) for name in corpus.domains.names}
    mixture = FixedMixture(alone, batch=spec.batch, seed=seed)
    model, _ = trained(spec, corpus, mixture, seed=seed, device=device, progress=progress)
    losses = scored(model, spec, corpus).losses
    return Expert(np.array(list(losses.values())), -window_losses(model, sequences))


def reference_losses(spec: TrainSpec, corpus: Corpus, *, seed: int, device: str = "cpu") -> FloatArray:
    """(d,) held-out losses of the model that all experts start from, nats per token."""
    return np.array(
        list(scored(untrained(spec, corpus, seed=seed, device=device), spec, corpus).losses.values())
    )


def expert_statistics(experts: Sequence[Expert], reference: FloatArray, sequences: Windows) -> Statistics:
    """Utilities (d, d), log-probabilities (x, d) and lengths (x,) from all experts in the domains' order.

    Raises:
        InvalidInputError: no expert improves on the reference of some domain: train longer.
    """
    return Statistics(
        utilities=np.maximum(relative_utilities(np.stack([one.losses for one in experts]), reference), 0.0),
        log_probabilities=np.stack([one.log_probabilities for one in experts], axis=1),
        lengths=np.full(len(sequences), sequences.shape[1] - 1),
    )
