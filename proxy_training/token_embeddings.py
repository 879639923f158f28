"""Embeddings of tokens from counts of adjacent pairs: what the von Neumann entropy of a domain needs.

    M_xy = max(0, ln( P(x, y) / (P(x) P(y)) )),  counted both ways     Z = U sqrt(S) of its truncated SVD

Positive pointwise mutual information is what skip-gram embeddings factorise in effect; the published entropy
takes 300-dimensional FastText embeddings, which are such. Here they come from the shards themselves, pooled
over all domains, with no text and no model from elsewhere, and are the same each time.

Source: Levy & Goldberg 2014, "Neural word embedding as implicit matrix factorization", NeurIPS 27.
"""

import numpy as np
from scipy.sparse import coo_array, csr_array
from sklearn.utils.extmath import randomized_svd

from mixlaws.arrays import FloatArray, IntArray

DIMENSIONS = 300  # of the published embeddings


def token_embeddings(
    first: IntArray, second: IntArray, counts: IntArray, /, *, vocabulary: int, dimensions: int = DIMENSIONS
) -> FloatArray:
    """(V, e) embeddings of tokens; zero for one that was never seen beside another more than by chance.

    Args:
        first: (k,) first token of each pair.
        second: (k,) second token.
        counts: (k,) how often the pair was seen; a pair may stand twice, and adds up.
        vocabulary: number of tokens, V.
        dimensions: e; fewer where there are fewer tokens.
    """
    both = coo_array((counts.astype(np.float64), (first, second)), shape=(vocabulary, vocabulary)).tocsr()
    both = csr_array(both + both.T)
    marginal: FloatArray = np.asarray(both.sum(axis=1)).ravel()
    rows, columns = both.nonzero()
    information = np.log(both.data) + np.log(marginal.sum()) - np.log(marginal[rows] * marginal[columns])
    positive = csr_array((np.maximum(information, 0.0), (rows, columns)), shape=both.shape)
    left, singular, _ = randomized_svd(positive, min(dimensions, vocabulary), random_state=0)
    return np.asarray(left * np.sqrt(singular))
