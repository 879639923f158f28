"""What a proposal is for, the next proxy runs or the final one, and what follows from it.

Caps tell how often the final run would read a domain. Proxy runs are far too short to run one dry, and what
lies beyond a cap teaches too: mixtures to explore are not bound by caps.
"""

from enum import StrEnum

from mixlaws.errors import InvalidInputError
from mixlaws.problem import MixtureProblem


class Intent(StrEnum):
    """What mixtures are wanted for."""

    EXPLORE = "explore"  # a batch of proxy runs, which together say most of where the optimum is
    EXPLOIT = "exploit"  # the final run


_USUAL = {Intent.EXPLORE: "explore", Intent.EXPLOIT: "convex"}
_EXPLORERS = frozenset({"explore", "value_per_flop"})


def settled(intent: str | None, proposer: str | None, /) -> tuple[Intent, str]:
    """Intent and name of a proposer, each by the other where it is None; both None means to exploit.

    Raises:
        InvalidInputError: there is no such intent.
    """
    if intent is not None and intent not in set(Intent):
        raise InvalidInputError(f"intent is {intent!r}: use {' or '.join(Intent)}")
    meant = Intent.EXPLORE if proposer in _EXPLORERS else Intent.EXPLOIT
    found = meant if intent is None else Intent(intent)
    return found, proposer or _USUAL[found]


def posed_for(intent: Intent, problem: MixtureProblem, /) -> MixtureProblem:
    """The problem, with the caps of the final run or without them."""
    return problem.without_caps() if intent is Intent.EXPLORE else problem
