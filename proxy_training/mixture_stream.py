"""Batches that follow a schedule: which domain a sample is of says mixclient, which text it is says this.

The text of a domain is cut into windows that do not overlap; an epoch reads each of them once, in an
order drawn from (seed, domain, epoch). So no text is read twice before all of it was read once, and two
runs with the same seed that draw the n-th sample of a domain get the same text.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mixlaws.arrays import IntArray
from proxy_training.corpus.corpus import Corpus
from proxy_training.corpus.splits import Split


class MixtureStream:
    """Windows of training text, by domain.

    Args:
        corpus: where the text is.
        context: tokens that a sample predicts; a window has one more.
        seed: order of the windows.
        split: which text.
    """

    def __init__(self, corpus: Corpus, *, context: int, seed: int, split: Split = "train") -> None:
        self._tokens = [corpus.tokens(name, split) for name in corpus.domains.names]
        self._length = context + 1
        self._seed = seed
        self._windows = [len(tokens) // self._length for tokens in self._tokens]
        for name, count in zip(corpus.domains.names, self._windows, strict=True):
            if count == 0:
                raise ValueError(f"domain {name!r} does not fill one window of {self._length} tokens")
        self._orders: dict[int, tuple[int, IntArray]] = {}
        self.drawn = np.zeros(len(self._tokens), dtype=np.int64)

    def batch(self, domains: Sequence[int]) -> npt.NDArray[np.int64]:
        """(B, context + 1) tokens of the next sample of each domain in turn."""
        return self.read(self.take(domains))

    def take(self, domains: Sequence[int]) -> list[tuple[int, int]]:
        """The next sample of each domain in turn, as its domain and its number in that domain.

        Where many ranks train together, each takes all samples of a step and reads its part of them: then
        `drawn`, which is the position in the text, is the same on all ranks and for any number of them.
        """
        samples = []
        for domain in domains:
            samples.append((domain, int(self.drawn[domain])))
            self.drawn[domain] += 1
        return samples

    def read(self, samples: Sequence[tuple[int, int]]) -> npt.NDArray[np.int64]:
        """(B, context + 1) tokens of samples that were taken."""
        rows = np.empty((len(samples), self._length), dtype=np.int64)
        for row, (domain, number) in zip(rows, samples, strict=True):
            epoch, place = divmod(number, self._windows[domain])
            start = int(self._order(domain, epoch)[place]) * self._length
            row[:] = self._tokens[domain][start : start + self._length]
        return rows

    @property
    def tokens_drawn(self) -> list[int]:
        """(d,) tokens that were predicted so far, by domain."""
        return [int(count) * (self._length - 1) for count in self.drawn]

    def _order(self, domain: int, epoch: int) -> IntArray:
        known = self._orders.get(domain)
        if known is None or known[0] != epoch:
            rng = np.random.default_rng((self._seed, domain, epoch))
            known = (epoch, rng.permutation(self._windows[domain]))
            self._orders[domain] = known
        return known[1]
