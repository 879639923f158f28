"""Which domain is a target's own: the one whose training text it is held out from.

Laws of the own share describe such targets alone. A target is matched to the domain of its name, unless
pairs of (target, domain) name another.
"""

import numpy as np

from mixlaws.arrays import IntArray
from mixlaws.errors import InvalidInputError
from mixlaws.swarm import Swarm

Pairs = tuple[tuple[str, str], ...]


def check_pairs(own: Pairs, /) -> None:
    """Check that no target is given two domains.

    Raises:
        InvalidInputError: a target is named twice.
    """
    targets = [target for target, _ in own]
    twice = sorted({target for target in targets if targets.count(target) > 1})
    if twice:
        raise InvalidInputError(f"own names target {twice[0]!r} twice: give it one domain")


def own_domains(swarm: Swarm, own: Pairs, /, *, method: str) -> IntArray:
    """(t,) index along axis d of the domain that each target of a swarm has for its own.

    Raises:
        InvalidInputError: a pair names an unknown target, or a target has no own domain.
        UnknownDomainError: a pair names an unknown domain.
    """
    named = dict(own)
    for target in named:
        swarm.target_index(target)
    alone = [t for t in swarm.targets if t not in named and t not in swarm.domains.indices]
    if alone:
        raise InvalidInputError(
            f"target {alone[0]!r} has no domain of its name, and {method} describes a target by the share "
            "of its own domain: name that domain in own, or fit a law of the whole mixture"
        )
    return np.array([swarm.domains.index(named.get(t, t)) for t in swarm.targets], dtype=np.int64)
