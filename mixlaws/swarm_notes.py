"""What a swarm cannot tell, however it is fitted: shares that never vary or only vary together.

A fit of such a swarm is determined by its ridge or its prior and not by runs along those directions. It is
no error, as mixtures within the runs are predicted all the same, but a proposal should not move along them.
"""

import numpy as np

from mixlaws.scales import apart, scales_of
from mixlaws.swarm import Swarm, mixture_numbers

_NEGLIGIBLE = 1e-6  # of a share: what rounding to float32 leaves
_MOST_NAMED = 8


def notes(swarm: Swarm, /) -> list[str]:
    """Sentences for people, none where all is well."""
    found = []
    varies = np.ptp(swarm.weights, axis=0) > _NEGLIGIBLE
    names = np.array(swarm.domains.names)
    if not varies.all():
        told = [
            f"{name} ({share:.3g})"
            for name, share in zip(names[~varies], swarm.weights[0, ~varies], strict=True)
        ]
        found.append(f"the share never varies of {_listed(told)}: runs tell nothing of it")
    tied = _tied(swarm, varies)
    if tied:
        found.append(
            f"the shares of {_listed(tied)} vary only together, beyond summing to 1: runs cannot tell which "
            "of them does what"
        )
    still = np.ptp(swarm.values, axis=0) == 0
    if still.any():
        flat = [target for target, constant in zip(swarm.targets, still, strict=True) if constant]
        found.append(f"all runs have the same value of {_listed(flat)}: no mixture is better than another")
    scales, _ = scales_of(swarm)
    if len(scales) > 1:
        found.append(f"runs of {len(scales)} scales, from {scales[0]} to {scales[-1]}: told for the largest")
    distinct = len(np.unique(mixture_numbers(apart(swarm))))
    if distinct < len(swarm):
        found.append(
            f"{len(swarm)} runs have {distinct} distinct mixtures: repeats are taken for repeats, and give "
            "the noise of a run"
        )
    return found


def _tied(swarm: Swarm, varies: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[str]:
    """Domains of the linear relations that hold in all runs, but for the sum of what varies."""
    centred = swarm.weights[:, varies] - swarm.weights[:, varies].mean(axis=0)
    d = centred.shape[1]
    distinct = len(np.unique(mixture_numbers(swarm.weights)))
    if d < 3 or distinct < d:  # fewer runs than shares: directions are missing because runs are
        return []
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    open_ = axes[sizes <= _NEGLIGIBLE * np.sqrt(len(centred))]
    if len(open_) <= 1:
        return []  # the sum alone
    # Of the open directions those that a constant in all shares does not explain.
    rest = open_ - open_.mean(axis=1, keepdims=True)
    part = np.abs(rest).max(axis=0) > 1e-6
    return [str(name) for name, tied in zip(np.array(swarm.domains.names)[varies], part, strict=True) if tied]


def _listed(told: list[str]) -> str:
    return ", ".join(told[:_MOST_NAMED]) + (
        f" and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
    )
