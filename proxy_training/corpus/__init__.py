"""Tokenised text for proxy runs: from this Python installation, or from a user's own folder."""

from proxy_training.corpus.build import build_corpus
from proxy_training.corpus.cache import default_cache_folder
from proxy_training.corpus.corpus import Corpus
from proxy_training.corpus.errors import (
    BrokenFileError,
    CorpusError,
    CorpusOptionError,
    CorruptCacheError,
    DomainTooSmallError,
    FolderError,
    UnknownFormatError,
)
from proxy_training.corpus.folder import FolderSource
from proxy_training.corpus.local import LocalSource
from proxy_training.corpus.manifest import Manifest
from proxy_training.corpus.splits import SPLITS, Split
from proxy_training.corpus.tokeniser import Tokeniser

__all__ = [
    "SPLITS",
    "BrokenFileError",
    "Corpus",
    "CorpusError",
    "CorpusOptionError",
    "CorruptCacheError",
    "DomainTooSmallError",
    "FolderError",
    "FolderSource",
    "LocalSource",
    "Manifest",
    "Split",
    "Tokeniser",
    "UnknownFormatError",
    "build_corpus",
    "default_cache_folder",
]
