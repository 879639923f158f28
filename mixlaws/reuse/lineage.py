"""Lineage of a domain set: its versions and the changes between them, so that mixtures can be reused.

Four operators change a set: add domains, remove domains, partition one into parts, revise one's content
(Olmix, Chen et al. 2026, arXiv:2602.12237, section 4). A domain is unaffected by a change if the change does
not name it. Names are compared whole: `web/news` is no part of `web/newsletters`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from mixlaws.arrays import JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, StateError

SCHEMA = 1
Operator = Literal["add", "remove", "partition", "revise"]


@dataclass(frozen=True)
class Change:
    """One operator with the domains that it touches.

    Args:
        operator: which one.
        before: domains of the old version that are no longer there, or whose content is another now.
        after: domains of the new version that were not there, or whose content is another now.
    """

    operator: Operator
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Lineage:
    """The versions of a domain set, oldest first.

    Args:
        versions: every set that there was, at least one.
        changes: one fewer; change i leads from version i to version i + 1.

    Raises:
        InvalidInputError: a change does not lead from its version to the next.
    """

    versions: tuple[DomainSet, ...]
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        if len(self.versions) != len(self.changes) + 1:
            raise InvalidInputError(f"{len(self.versions)} versions need one change fewer between them")
        for number, change in enumerate(self.changes):
            _check(number, self.versions[number], change, self.versions[number + 1])

    @property
    def current(self) -> DomainSet:
        """The newest version."""
        return self.versions[-1]

    def add(self, tokens: Mapping[str, int], /) -> "Lineage":
        """Append domains with their token counts."""
        after = DomainSet.from_tokens(tokens)
        new = DomainSet(self.current.names + after.names, self.current.tokens + after.tokens)
        return self._then(new, Change("add", (), after.names))

    def remove(self, *names: str) -> "Lineage":
        """Take domains out.

        Raises:
            UnknownDomainError: a name is not in the current version.
            InvalidInputError: no domain is left.
        """
        gone = tuple(self.current.names[self.current.index(name)] for name in names)
        left = {name: count for name, count in _counts(self.current).items() if name not in gone}
        return self._then(DomainSet.from_tokens(left), Change("remove", gone, ()))

    def partition(self, name: str, parts: Mapping[str, int], /) -> "Lineage":
        """Split a domain into parts, which take its place.

        Raises:
            UnknownDomainError: the name is not in the current version.
            InvalidInputError: the parts do not hold the tokens of the domain.
        """
        at = self.current.index(name)
        split, counts = self.current.names, self.current.tokens
        after = DomainSet.from_tokens(parts)
        if sum(after.tokens) != counts[at]:
            raise InvalidInputError(
                f"the parts of {split[at]!r} hold {sum(after.tokens)} tokens, the domain {counts[at]}: "
                "a partition neither adds nor drops text; revise the domain first"
            )
        new = DomainSet(
            split[:at] + after.names + split[at + 1 :], counts[:at] + after.tokens + counts[at + 1 :]
        )
        return self._then(new, Change("partition", (split[at],), after.names))

    def revise(self, name: str, tokens: int, /) -> "Lineage":
        """Change the content of a domain, by another filter for instance; its name stays.

        Raises:
            UnknownDomainError: the name is not in the current version.
        """
        at = self.current.index(name)
        counts = (*self.current.tokens[:at], tokens, *self.current.tokens[at + 1 :])
        known = self.current.names[at]
        return self._then(DomainSet(self.current.names, counts), Change("revise", (known,), (known,)))

    def unaffected(self, *, since: int = 0) -> tuple[str, ...]:
        """Domains of the current version that no change touched since a version, in their order.

        A domain that was removed and added again is another one.

        Raises:
            InvalidInputError: there is no such version.
        """
        if not 0 <= since < len(self.versions):
            raise InvalidInputError(f"version {since} is unknown: use 0 to {len(self.versions) - 1}")
        kept = set(self.versions[since].names)
        for change in self.changes[since:]:
            kept -= set(change.before)
        return tuple(name for name in self.current.names if name in kept)

    def _then(self, new: DomainSet, change: Change) -> "Lineage":
        return Lineage((*self.versions, new), (*self.changes, change))

    def dump(self) -> JsonObject:
        """The lineage as JSON."""
        return {
            "schema": SCHEMA,
            "versions": [{"names": list(v.names), "tokens": list(v.tokens)} for v in self.versions],
            "changes": [
                {"operator": c.operator, "before": list(c.before), "after": list(c.after)}
                for c in self.changes
            ],
        }

    @classmethod
    def load(cls, raw: JsonObject, /) -> "Lineage":
        """The lineage from its dump.

        Raises:
            StateError: the dump is of another schema, or contradicts itself.
        """
        if raw.get("schema") != SCHEMA:
            raise StateError(f"not a lineage of schema {SCHEMA}: {raw.get('schema')!r}")
        try:
            versions = tuple(DomainSet(tuple(v["names"]), tuple(v["tokens"])) for v in raw["versions"])
            changes = tuple(
                Change(c["operator"], tuple(c["before"]), tuple(c["after"])) for c in raw["changes"]
            )
            return cls(versions, changes)
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(f"the saved lineage cannot be read: {error}") from error


def _counts(domains: DomainSet) -> dict[str, int]:
    return dict(zip(domains.names, domains.tokens, strict=True))


def _check(number: int, old: DomainSet, change: Change, new: DomainSet) -> None:
    if change.operator not in get_args(Operator):
        raise InvalidInputError(f"operator {change.operator!r}: use one of {', '.join(get_args(Operator))}")
    carried, arrived = _counts(old), _counts(new)
    for name in change.before:
        carried.pop(name, None)
    for name in change.after:
        arrived.pop(name, None)
    if carried != arrived:
        differing = sorted(
            name for name in carried.keys() | arrived.keys() if carried.get(name) != arrived.get(name)
        )
        raise InvalidInputError(
            f"change {number} ({change.operator}) does not name {differing[0]!r}, which differs between "
            "its versions: name every domain that it touches"
        )
