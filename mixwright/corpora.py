"""Text of a command: a folder of it, this machine's own, or a corpus that was built before."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from proxy_training.corpus import Corpus, FolderSource, LocalSource, build_corpus, default_cache_folder
from proxy_training.corpus.corpus import MANIFEST_FILE


def text_of(folder: Path | None, *, megabytes: float, vocabulary: int, console: Console) -> Corpus:
    """The corpus of a folder, built now unless it was before; without a folder that of local text.

    Args:
        folder: with one sub-folder of text per domain, or a corpus that was built.
        megabytes: text of each domain, in millions of bytes; a built corpus has its own.
        vocabulary: tokens of the tokeniser, likewise.
        console: told how far it is.

    Raises:
        CorpusError: the corpus cannot be made.
    """
    if folder is not None and is_built(folder):
        return Corpus.open(folder)
    with console.status("reading text ...") as status:
        return build_corpus(
            FolderSource(folder) if folder else LocalSource(),
            cache=default_cache_folder(),
            vocabulary=vocabulary,
            megabytes_per_domain=megabytes,
            # A phase names a domain, and a domain may be called anything.
            progress=lambda phase, share: status.update(f"{escape(phase)} {share:.0%}"),
        )


def is_built(folder: Path) -> bool:
    """Whether a folder is a corpus that was built."""
    return (folder / MANIFEST_FILE).is_file()
