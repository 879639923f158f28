"""Settles which domains stand by themselves: a small one goes to its neighbour or is dropped, and says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy_training.corpus.errors import DomainTooSmallError
from proxy_training.corpus.splits import Candidate, Division, divide


@dataclass(frozen=True)
class Settlement:
    """The domains of a corpus.

    Args:
        divisions: the splits of every domain that stands, in the order of the source.
        fates: for every domain of the source, what became of it, in words.
    """

    divisions: Mapping[str, Division]
    fates: Mapping[str, str]


def settle(
    domains: Mapping[str, Sequence[Candidate]],
    /,
    *,
    neighbours: Mapping[str, str | None],
    minimum_tokens: int,
) -> Settlement:
    """Divide every domain, after giving the text of those that are too small to their neighbours.

    Args:
        domains: documents per domain.
        neighbours: where a domain goes that is too small, itself named before its neighbour; None drops it.
        minimum_tokens: training tokens that a domain with a declared neighbour must have.

    Raises:
        DomainTooSmallError: a domain without a declared neighbour cannot be held out.
    """
    standing = {name: list(candidates) for name, candidates in domains.items()}
    fates = dict.fromkeys(domains, "kept")
    for name, neighbour in neighbours.items():
        problem = _too_small(name, standing[name], minimum_tokens) if name in standing else None
        if problem is None:
            continue
        candidates = standing.pop(name)
        if neighbour in standing:
            standing[neighbour] += candidates
            fates[name] = f"merged into {neighbour}: {problem}"
        else:
            fates[name] = f"dropped: {problem}"
    divisions = {name: divide(candidates, domain=name) for name, candidates in standing.items()}
    return Settlement(divisions, fates)


def _too_small(name: str, candidates: Sequence[Candidate], minimum: int) -> str | None:
    try:
        tokens = divide(candidates, domain=name).tokens("train")
    except DomainTooSmallError as error:
        return f"{error.documents} documents with {error.tokens} tokens cannot be held out"
    return f"{tokens} training tokens, {minimum} are needed" if tokens < minimum else None
