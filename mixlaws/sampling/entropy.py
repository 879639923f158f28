"""Entropies of a domain's text, from counts of tokens and of pairs of adjacent tokens, in nats.

    SE = - sum_x P(x) ln P(x)                  JE = - sum_xy P(x, y) ln P(x, y)
    CE = - sum_xy P(x, y) ln P(y | x) = JE - SE
    VNE = - sum_i e_i ln e_i,  e the eigenvalues of sum_x P(x) z_x z_x^T / |z_x|^2

P(x) is the share of pairs that begin with x, which makes the identity between the first three exact. Over a
text of N tokens with embeddings z, the eigenvalues above 0 are those of its cosine kernel K / N.

A sample of N pairs with k distinct ones misses entropy: the estimate from frequencies is too low by about
(k - 1) / 2N, and there are far more pairs than tokens to miss, so CE is too low by most, and most in the
smallest domain. Miller (1955) and Madow add that term. A softmax forgives a bias that all domains share,
and no other: compare domains at equal sample sizes even so.

Sources: BiMix, Ge et al. 2024, arXiv:2405.14908, appendix A, equations 12 to 18.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray
from mixlaws.errors import InvalidInputError
from mixlaws.simplex import as_weights


@dataclass(frozen=True)
class PairEntropies:
    """Entropies of one domain.

    Args:
        unigram: SE, nats a token.
        joint: JE, nats a pair of tokens.
        conditional: CE, nats a token, given the one before.
    """

    unigram: float
    joint: float
    conditional: float


def entropy(counts: FloatArray | IntArray, /, *, correct: bool = True) -> float:
    """Entropy of the distribution that counts (k,) were drawn from, nats.

    Args:
        counts: how often each outcome was seen; outcomes never seen may be left out.
        correct: add the Miller-Madow term, (seen outcomes - 1) / (2 sum of counts).

    Raises:
        InvalidInputError: a count is negative or not finite, or there is none.
    """
    values = np.asarray(counts, dtype=np.float64)
    if not np.all(np.isfinite(values)) or values.min(initial=0.0) < 0 or values.sum() <= 0:
        raise InvalidInputError("counts must be finite, not negative, and not all zero")
    seen = values[values > 0]
    total = seen.sum()
    plain = float(np.log(total) - (seen * np.log(seen)).sum() / total)
    return plain + (len(seen) - 1) / (2 * float(total)) if correct else plain


def pair_entropies(first: IntArray, counts: IntArray, /, *, correct: bool = True) -> PairEntropies:
    """The entropies of tokens, pairs, and tokens given the one before.

    Args:
        first: (k,) first token of each distinct pair.
        counts: (k,) how often the pair was seen.
        correct: add the Miller-Madow term to SE and JE, and so its difference to CE.

    Raises:
        InvalidInputError: shapes differ, or the counts are unusable.
    """
    if first.shape != counts.shape or first.ndim != 1:
        raise InvalidInputError(f"first has shape {first.shape}, counts {counts.shape}: expected (k,) twice")
    unigram = entropy(np.bincount(first, weights=counts), correct=correct)
    joint = entropy(counts, correct=correct)
    return PairEntropies(unigram, joint, joint - unigram)


def von_neumann_entropy(embeddings: FloatArray, shares: FloatArray | None = None, /) -> float:
    """Entropy of the eigenvalues of the cosine kernel between embeddings, nats.

    It is 0 if all point one way, and the entropy of the shares if they are orthogonal.

    Args:
        embeddings: (v, e) of tokens.
        shares: (v,) how much of the text each token is; equal unless given.

    Raises:
        InvalidInputError: an embedding is zero or not finite, there is none, or shares are off the simplex.
    """
    lengths = np.linalg.norm(embeddings, axis=1)
    if len(embeddings) == 0 or not np.all(np.isfinite(lengths)) or lengths.min() <= 0:
        raise InvalidInputError("embeddings must be finite and not zero, at least one: leave such tokens out")
    parts = np.full(len(embeddings), 1 / len(embeddings)) if shares is None else as_weights(shares)
    if parts.shape != lengths.shape:
        raise InvalidInputError(f"shares have shape {parts.shape}: expected {lengths.shape}")
    rows = embeddings * (np.sqrt(parts) / lengths)[:, None]
    # Z Z^T and Z^T Z have the same eigenvalues above 0: the smaller of the two is enough.
    gram = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
    values = np.linalg.eigvalsh(gram)
    seen = values[values > 1e-15]
    return float(-(seen * np.log(seen)).sum())
