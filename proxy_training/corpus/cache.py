"""Folders that appear whole or not at all.

A corpus is built in a temporary sibling and renamed to its final name. A build that is killed leaves
a sibling that nobody looks at; of two builds at once the first to finish gives the folder, and the
other finds it there. After a loss of power a file may be short: opening checks the sizes, and the
folder is built again.
"""

import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from proxy_training.corpus.corpus import MANIFEST_FILE, Corpus
from proxy_training.corpus.errors import CorruptCacheError, FolderError

RECIPE = 2  # raised when the same source would give another corpus, so that older caches are not used
_TEMPORARY = ".building-"
_ABANDONED_SECONDS = 24 * 3600  # a build takes a minute: a sibling a day old was left by a killed one


def default_cache_folder() -> Path:
    """Where this user's caches go on this system."""
    return user_cache_path("mixwright") / "corpora"


def cache_key(fingerprint: str, options: Mapping[str, float | str]) -> str:
    """Name of the folder for a source and the options of a build."""
    described = json.dumps([RECIPE, fingerprint, sorted(options.items())])
    return hashlib.sha256(described.encode()).hexdigest()[:32]


def open_cached(folder: Path) -> Corpus | None:
    """Open a finished build; a damaged one is moved out of the way, and counts as absent."""
    if not folder.exists():
        return None
    try:
        return Corpus.open(folder)
    except CorruptCacheError:
        _discard(folder)
        return None


@contextmanager
def temporary_sibling(folder: Path) -> Iterator[Path]:
    """A new folder beside the given one, removed when the block fails or has published it.

    Raises:
        FolderError: the cache cannot be written.
    """
    cache = folder.parent
    sibling = cache / f"{_TEMPORARY}{uuid.uuid4().hex}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _sweep(cache)
        sibling.mkdir()
    except OSError as error:
        problem = f"the cache {cache} cannot be written ({error.strerror}): name another folder"
        raise FolderError(problem) from error
    try:
        yield sibling
    finally:
        shutil.rmtree(sibling, ignore_errors=True)


def publish(sibling: Path, folder: Path) -> None:
    """Give a finished folder its final name, unless another build was first."""
    try:
        sibling.rename(folder)
    except OSError:
        # Renaming onto a folder that is not empty fails: then its content is the same as ours.
        if not (folder / MANIFEST_FILE).exists():
            raise


def _discard(folder: Path) -> None:
    """Remove a folder at once for others, who never see it half-removed."""
    doomed = folder.parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
    try:
        folder.rename(doomed)
    except FileNotFoundError:  # another build has moved it
        return
    shutil.rmtree(doomed, ignore_errors=True)


def _sweep(cache: Path) -> None:
    """Remove what killed builds left behind."""
    for sibling in cache.glob(f"{_TEMPORARY}*"):
        try:
            abandoned = time.time() - sibling.stat().st_mtime > _ABANDONED_SECONDS
        except OSError:  # its build has just ended
            continue
        if abandoned:
            shutil.rmtree(sibling, ignore_errors=True)
