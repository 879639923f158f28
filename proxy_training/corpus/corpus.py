"""A corpus on disk: token shards, a tokeniser and a manifest in one folder, read-only."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError
from mixlaws.simplex import as_weights
from proxy_training.corpus.errors import CorruptCacheError
from proxy_training.corpus.manifest import Manifest, SplitRecord
from proxy_training.corpus.shards import TOKEN, open_shard, sha256_of
from proxy_training.corpus.splits import SPLITS, Split
from proxy_training.corpus.tokeniser import Tokeniser

MANIFEST_FILE = "manifest.json"
TOKENISER_FILE = "tokeniser.json"


def shard_path(folder: Path, index: int, split: Split) -> Path:
    """Where the shard of a domain is; by number, since a domain's name may not be a file name."""
    return folder / f"{index:04d}.{split}.bin"


@dataclass(frozen=True)
class Corpus:
    """Tokenised domains, each split into training, validation and test text.

    Args:
        folder: where it is.
        manifest: what is in it.
        tokeniser: what its tokens mean.
    """

    folder: Path
    manifest: Manifest
    tokeniser: Tokeniser

    @classmethod
    def open(cls, folder: Path, /, *, verify: bool = False) -> "Corpus":
        """Open a corpus and check it against its manifest.

        Args:
            folder: of a finished build.
            verify: compare the hash of every shard, not the size alone.

        Raises:
            CorruptCacheError: a file is missing, or does not match.
        """
        try:
            manifest = Manifest.from_json((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
            if sha256_of(folder / TOKENISER_FILE) != manifest.tokeniser_sha256:
                raise CorruptCacheError(folder, f"{TOKENISER_FILE} does not match its hash")
            for index, domain in enumerate(manifest.domains):
                for split in SPLITS:
                    _check_shard(
                        folder, shard_path(folder, index, split), domain.splits[split], verify=verify
                    )
            return cls(folder, manifest, Tokeniser.open(folder / TOKENISER_FILE))
        except OSError as error:
            raise CorruptCacheError(folder, f"{error.filename} cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise CorruptCacheError(folder, str(error)) from error

    @property
    def id(self) -> str:
        """SHA-256 of the content: equal for equal shards and tokeniser, wherever they are."""
        return self.manifest.id

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self.manifest.vocabulary

    @cached_property
    def domains(self) -> DomainSet:
        """The domains with their training tokens."""
        return DomainSet.from_tokens(
            {domain.name: domain.splits["train"].tokens for domain in self.manifest.domains}
        )

    def tokens(self, domain: str, split: Split, /) -> np.memmap[tuple[int], np.dtype[np.uint16]]:
        """Tokens of a domain, mapped into memory read-only; each document ends with the end of a document.

        Raises:
            UnknownDomainError: the domain is not in the corpus.
        """
        return open_shard(shard_path(self.folder, self.domains.index(domain), split))

    def bytes_per_token(self, domain: str, split: Split, /) -> float:
        """Bytes of text per token: turns nats per token into bits per byte.

        Raises:
            UnknownDomainError: the domain is not in the corpus.
        """
        return self.manifest.domains[self.domains.index(domain)].splits[split].bytes_per_token

    def log_unigram(self, weights: FloatArray, /) -> npt.NDArray[np.float32]:
        """Log of token frequencies under a mixture: the output bias of a model that has seen nothing else.

        Each domain's frequencies are smoothed by one occurrence of every token.

        Args:
            weights: (d,) shares of training tokens.

        Returns:
            (V,) nats, the logarithm of a distribution.

        Raises:
            WeightsError: the weights are not on the simplex.
            InvalidInputError: there is not one weight per domain.
        """
        mixture = as_weights(weights)
        if mixture.shape != (len(self.domains),):
            raise InvalidInputError(f"weights have shape {mixture.shape}: expected ({len(self.domains)},)")
        logs: npt.NDArray[np.float32] = np.log(mixture @ self._unigrams).astype(np.float32)
        return logs

    @cached_property
    def _unigrams(self) -> FloatArray:
        """(d, V) smoothed frequencies of tokens in each domain's training text."""
        counts = np.stack(
            [
                np.bincount(self.tokens(name, "train"), minlength=self.vocabulary)
                for name in self.domains.names
            ]
        )
        smoothed = counts + 1.0
        frequencies: FloatArray = smoothed / smoothed.sum(axis=1, keepdims=True)
        return frequencies


def _check_shard(folder: Path, path: Path, record: SplitRecord, *, verify: bool) -> None:
    size = path.stat().st_size
    if size != record.tokens * TOKEN.itemsize:
        raise CorruptCacheError(folder, f"{path.name} has {size} bytes for {record.tokens} tokens")
    if verify and sha256_of(path) != record.sha256:
        raise CorruptCacheError(folder, f"{path.name} does not match its hash")
