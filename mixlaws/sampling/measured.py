"""Statistics of domains as a document: one JSON object that measurements write and rules read.

    {"kind": "mixwright statistics", "schema": 1, "domains": ["web", "code"], "tasks": ["web", "code"],
     "statistics": {"conditional_entropy": [4.1, 3.2], "utilities": [[1.0, 0.3], [0.2, 1.0]]}, "about": {}}

Arrays are nested lists of the shapes that `Statistics` states, their axis d in the order of `domains` and the
second axis of the utilities in that of `tasks`. It can be written by hand, for utilities from elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from mixlaws.arrays import JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InvalidInputError, MissingDomainError, UnknownTargetError
from mixlaws.sampling.rule import Statistics

KIND = "mixwright statistics"
SCHEMA = 1
# Where an array has its domains; lengths belong to sequences alone.
_DOMAIN_AXIS = {field.name: 0 for field in fields(Statistics)} | {"log_probabilities": 1}
del _DOMAIN_AXIS["lengths"]


@dataclass(frozen=True, eq=False)
class Measured:
    """Statistics with the names of their axes.

    Args:
        domains: names on axis d.
        statistics: the arrays.
        tasks: names on the second axis of the utilities; empty if there are none.
        about: how they were measured and what it cost, for people.
    """

    domains: tuple[str, ...]
    statistics: Statistics
    tasks: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, names in (("domains", self.domains), ("tasks", self.tasks)):
            if len(set(names)) != len(names):
                raise InvalidInputError(f"{what} of the statistics: a name occurs twice")
        for name, axis in _DOMAIN_AXIS.items():
            array = getattr(self.statistics, name)
            if array is not None and (array.ndim <= axis or array.shape[axis] != len(self.domains)):
                raise InvalidInputError(
                    f"{name} has shape {array.shape}: expected {len(self.domains)} domains on axis {axis}"
                )
        utilities = self.statistics.utilities
        if utilities is not None and utilities.shape[1:] != (len(self.tasks),):
            raise InvalidInputError(
                f"utilities have shape {utilities.shape}: name each of their columns in tasks, which has "
                f"{len(self.tasks)} names"
            )

    def of(self, domains: DomainSet, /, *, tasks: Sequence[str] | None = None) -> Statistics:
        """The statistics in the order of a problem's domains and targets.

        Args:
            domains: domains of the problem; others that were measured are left out.
            tasks: targets of the problem, for utilities; None takes all that were measured, in their order.

        Raises:
            MissingDomainError: a domain was not measured.
            UnknownTargetError: there are utilities, and none for one of the tasks.
        """
        known = {name: at for at, name in enumerate(DomainSet(self.domains, (1,) * len(self.domains)).names)}
        missing = [name for name in domains.names if name not in known]
        if missing:
            raise MissingDomainError(missing)
        order = [known[name] for name in domains.names]
        arrays = {
            name: np.take(array, order, axis=axis)
            for name, axis in _DOMAIN_AXIS.items()
            if (array := getattr(self.statistics, name)) is not None
        }
        if tasks is not None and "utilities" in arrays:
            for task in tasks:
                if task not in self.tasks:
                    raise UnknownTargetError(task, self.tasks, where=" of the utilities")
            arrays["utilities"] = arrays["utilities"][:, [self.tasks.index(task) for task in tasks]]
        return replace(self.statistics, **arrays)

    def dump(self) -> JsonObject:
        """The document."""
        arrays = {f.name: getattr(self.statistics, f.name) for f in fields(Statistics)}
        return {
            "kind": KIND,
            "schema": SCHEMA,
            "domains": list(self.domains),
            "tasks": list(self.tasks),
            "statistics": {name: array.tolist() for name, array in arrays.items() if array is not None},
            "about": dict(self.about),
        }

    @classmethod
    def load(cls, raw: object, /) -> "Measured":
        """Read a document.

        Raises:
            InvalidInputError: it is none, or an array does not fit its names.
        """
        if not isinstance(raw, dict) or raw.get("kind") != KIND or raw.get("schema") != SCHEMA:
            raise InvalidInputError(f"no statistics: expected an object of kind {KIND!r}, schema {SCHEMA}")
        known = [f.name for f in fields(Statistics)]
        given, about = raw.get("statistics"), raw.get("about", {})
        if not isinstance(given, dict) or not isinstance(about, dict):
            raise InvalidInputError("statistics and about must be objects")
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise InvalidInputError(f"unknown statistic {unknown[0]!r}: known are {', '.join(known)}")
        arrays = {}
        for name, values in given.items():
            try:
                arrays[name] = np.array(values, dtype=np.float64)
            except (TypeError, ValueError):
                raise InvalidInputError(f"{name} is no array of numbers: use lists of equal length") from None
        return cls(_names(raw, "domains"), Statistics(**arrays), _names(raw, "tasks"), about)


def _names(raw: Mapping[str, Any], what: str) -> tuple[str, ...]:
    names = raw.get(what, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(f"{what} of the statistics must be a list of names")
    return tuple(names)
