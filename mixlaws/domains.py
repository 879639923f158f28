"""Domain sets: ordered names with token counts, the only place where names meet array indices.

A name may be a path (`web/news/high`): a hierarchy is read from it, and never needed.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError, MissingDomainError, UnknownDomainError

NAME_LENGTH = 200  # characters; longer names break tables and file names
# Controls, formats such as the right-to-left marks that make one name look like another, lone surrogates,
# line and paragraph separators.
_UNSHOWABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def canonical_name(name: str) -> str:
    """Normalise a name to NFC and refuse what cannot be shown safely.

    Raises:
        InvalidInputError: the name is empty, too long, or holds control or bidirectional characters.
    """
    text = unicodedata.normalize("NFC", name).strip()
    if not text:
        raise InvalidInputError("a name is empty: give it at least one character")
    if len(text) > NAME_LENGTH:
        raise InvalidInputError(
            f"the name {text[:20]!r}... has {len(text)} characters: use at most {NAME_LENGTH}"
        )
    if any(unicodedata.category(c) in _UNSHOWABLE for c in text):
        raise InvalidInputError(f"the name {text!r} holds invisible or control characters: remove them")
    return text


@dataclass(frozen=True)
class DomainSet:
    """Named sources of training data, in a fixed order.

    Args:
        names: distinct names; their order is the order of axis d everywhere.
        tokens: training tokens that each domain holds.

    Raises:
        InvalidInputError: a name is unusable or occurs twice, or a token count is not positive.
    """

    names: tuple[str, ...]
    tokens: tuple[int, ...]

    def __post_init__(self) -> None:
        names = tuple(canonical_name(name) for name in self.names)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "tokens", tuple(int(count) for count in self.tokens))
        if not names:
            raise InvalidInputError("a domain set needs at least one domain")
        if len(names) != len(self.tokens):
            raise InvalidInputError(f"{len(names)} domain names but {len(self.tokens)} token counts")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidInputError(f"domain {twice[0]!r} is named twice: names must be distinct")
        for name, count in zip(names, self.tokens, strict=True):
            if count <= 0:
                raise InvalidInputError(f"domain {name!r} has {count} tokens: a domain needs at least one")

    @classmethod
    def from_tokens(cls, tokens: Mapping[str, int], /) -> "DomainSet":
        """Build a set from a mapping of name to token count, in the mapping's order."""
        return cls(tuple(tokens), tuple(tokens.values()))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def indices(self) -> Mapping[str, int]:
        """Index along axis d of each name."""
        return {name: index for index, name in enumerate(self.names)}

    @cached_property
    def natural(self) -> FloatArray:
        """(d,) shares of tokens: the mixture of reading everything once."""
        tokens = np.array(self.tokens, dtype=np.float64)
        return np.asarray(tokens / tokens.sum())

    def index(self, name: str, /) -> int:
        """Index of a name along axis d, however its accents are encoded."""
        at = self.indices.get(name)
        if at is None:
            at = self.indices.get(unicodedata.normalize("NFC", name).strip())
        if at is None:
            raise UnknownDomainError(name, self.names)
        return at

    def to_array(self, values: Mapping[str, float], /, *, missing: float | None = None) -> FloatArray:
        """Order named values along axis d.

        Args:
            values: one number per domain.
            missing: what an absent domain gets; by default absence is an error.

        Raises:
            UnknownDomainError: a name is not in the set.
            InvalidInputError: two spellings of one name have a value each.
            MissingDomainError: a domain has no value and `missing` is not given.
        """
        if tuple(values) == self.names:  # as most callers name them
            return np.fromiter(values.values(), dtype=np.float64, count=len(self))
        array = np.full(len(self), np.nan if missing is None else missing)
        given: set[int] = set()
        for name, value in values.items():
            at = self.index(name)
            if at in given:
                raise InvalidInputError(f"domain {self.names[at]!r} has two values: give it one")
            given.add(at)
            array[at] = value
        if missing is None and len(given) < len(self):
            raise MissingDomainError(name for at, name in enumerate(self.names) if at not in given)
        return array

    def to_mapping(self, values: FloatArray | Sequence[float], /) -> dict[str, float]:
        """Name the entries of a (d,) array."""
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}
