"""Mean hidden states of each domain's text under one small model: what Chameleon's kernel is made of.

    x_j = mean over windows of domain j, and over their positions, of the residual stream after block l

l is the middle block, (layers + 1) // 2: the first blocks still say which token it is, the last ones which
comes next. The model is trained on all domains in equal shares, so that none is strange to it. Windows are
spread evenly over the training text, and one that is there twice counts once.

Source: Xie et al. 2025, arXiv:2505.24844; there an 82M model, its middle layer, 2048 samples of 512 tokens.
"""

import numpy as np
import torch

from mixlaws.arrays import FloatArray
from proxy_training.corpus.corpus import Corpus
from proxy_training.model import Decoder
from proxy_training.windows import even_windows

SAMPLES = 2048
_BATCH = 16  # windows at once, as for held-out losses


def middle(layers: int, /) -> int:
    """The block after which states are taken, counted from 1."""
    return (layers + 1) // 2


@torch.no_grad()
def domain_embeddings(model: Decoder, corpus: Corpus, *, context: int, samples: int = SAMPLES) -> FloatArray:
    """(d, width) mean embedding of each domain.

    Args:
        model: trained on the corpus.
        corpus: its text.
        context: tokens of a window.
        samples: most windows of each domain.

    Raises:
        ValueError: the training text of a domain fills no window.
    """
    device = next(model.parameters()).device
    blocks = middle(len(model.blocks))
    means = []
    for name in corpus.domains.names:
        windows = np.unique(even_windows(corpus.tokens(name, "train"), length=context, count=samples), axis=0)
        if not len(windows):
            raise ValueError(f"domain {name!r} does not fill one window of {context} tokens")
        total = torch.zeros(model.embedding.embedding_dim, dtype=torch.float64, device=device)
        for start in range(0, len(windows), _BATCH):
            tokens = torch.from_numpy(windows[start : start + _BATCH]).to(device)
            total += model.states(tokens, blocks=blocks).mean(dim=1).sum(dim=0, dtype=torch.float64)
        means.append((total / len(windows)).cpu().numpy())
    return np.stack(means)
