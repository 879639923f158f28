"""The state of any policy for people: its dump as named numbers, those of domains as a table.

Nothing here knows a single policy: what a number means is its name, and the words for those that several
policies have are in one place below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_UNTOLD = frozenset({"schema", "policy", "names", "keys", "set_hash", "order", "kind"})
_WORDS: Mapping[str, str] = {
    "weights": "weight it asks for",
    "rewards": "running reward",
    "scores": "score",
    "average": "mean weight so far",
    "averaged_steps": "steps behind that mean",
    "exploration": "exploration rate",
    "initial": "first loss, nats",
    "first": "first loss, nats",
    "target": "target loss, nats",
    "velocities": "velocity of learning",
    "next_update": "step of the next update",
    "updated": "step of the last update",
    "held": "tokens it holds",
    "read": "tokens read",
    "slope": "mean reward",
}
_COLUMNS = range(1, 5)  # numbers of each domain that still make a table
_LONGEST = 24  # letters of a text: longer ones are packed arrays and digests


@dataclass(frozen=True)
class Told:
    """A state in words and numbers.

    Args:
        facts: what concerns no single domain, by name.
        columns: names of what each domain has a value of.
        rows: domains with their values, in the order of the columns.
    """

    facts: Sequence[tuple[str, str]]
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def told(dump: Mapping[str, Any], domains: Sequence[str]) -> Told:
    """A dump of a policy's state, told.

    Args:
        dump: what the policy wrote.
        domains: names of axis d; a state from before the last of them came is narrower.
    """
    facts: list[tuple[str, str]] = []
    columns: dict[str, list[str]] = {}
    d = _width(dump, len(domains))
    for name, value in _flat(dump):
        words = _WORDS.get(name, name.replace("_", " "))
        if _is_row(value, d):
            columns[words] = [_number(item) for item in value]
        elif _is_table(value, d):
            for at in range(len(value[0])):
                columns[f"{words} {at + 1}"] = [_number(item[at]) for item in value]
        else:
            facts.append((words, _fact(value)))
    rows = [(domain, [cells[at] for cells in columns.values()]) for at, domain in enumerate(domains[:d])]
    return Told(facts, list(columns), rows if columns else [])


def _flat(dump: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """Names and values without nesting; what tells people nothing is left out."""
    found: list[tuple[str, Any]] = []
    for name, value in dump.items():
        if name in _UNTOLD:
            continue
        if isinstance(value, Mapping):
            found += _flat(value, f"{above}{name} ")
        else:
            found.append((f"{above}{name}", value))
    return found


def _width(dump: Mapping[str, Any], d: int) -> int:
    """How many domains the state knows."""
    weights = dump.get("weights")
    return len(weights) if isinstance(weights, list) and 0 < len(weights) <= d else d


def _is_row(value: Any, d: int) -> bool:
    return isinstance(value, list) and len(value) == d and all(_is_number(item) for item in value)


def _is_table(value: Any, d: int) -> bool:
    """Whether each domain has equally many numbers, and few of them."""
    if not (isinstance(value, list) and len(value) == d):
        return False
    widths = {len(item) if isinstance(item, list) and all(map(_is_number, item)) else 0 for item in value}
    return len(widths) == 1 and max(widths) in _COLUMNS


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if _is_number(value):
        return "not yet" if value is None else _number(value)
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else "kept"
    return f"{len(value)} rows" if value and isinstance(value[0], list) else f"{len(value)} values"
