"""Does a small scale rank mixtures as a large one does? Asked of each target, and never answered by bare R².

A change of scale shifts the level of a loss, so that small losses used as predictions of large ones have an
R² of minus hundreds where they rank mixtures almost perfectly. What counts is the rank correlation, and R²
after the best increasing line from one scale to the other.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.errors import InvalidInputError, SwarmTooSmallError
from mixlaws.swarm import Swarm
from mixlaws.validation import affine_calibrated_r2, spearman

_LEAST = 3  # mixtures: two always agree or disagree wholly


@dataclass(frozen=True)
class Agreement:
    """How a target at one scale follows the same target at another one.

    Args:
        spearman: rank correlation over mixtures; None where a scale does not vary.
        affine_r2: R² after the best increasing line; None where the large scale does not vary.
        shift: mean of large minus small, in the unit of the target.
    """

    spearman: float | None
    affine_r2: float | None
    shift: float


def scale_agreement(small: Swarm, large: Swarm, /) -> dict[str, Agreement]:
    """Compare two scales on the mixtures that both were run on, target by target.

    Transfer differs by target: an average over targets hides the small domains on which it fails.

    Raises:
        InvalidInputError: the swarms have no targets or other domains in common.
        SwarmTooSmallError: fewer than three common mixtures.
    """
    if small.domains.names != large.domains.names:
        raise InvalidInputError("the swarms have different domains: compare runs of the same ones")
    targets = [target for target in small.targets if target in large.targets]
    if not targets:
        raise InvalidInputError("the swarms have no target in common: name them alike")
    left, right = _means(small), _means(large)
    common = [key for key in left if key in right]
    if len(common) < _LEAST:
        raise SwarmTooSmallError(method="a comparison of scales", needed=_LEAST, got=len(common))
    found = {}
    for target in targets:
        before = np.array([left[key][small.target_index(target)] for key in common])
        after = np.array([right[key][large.target_index(target)] for key in common])
        found[target] = Agreement(
            spearman(before, after), affine_calibrated_r2(after, before), float((after - before).mean())
        )
    return found


def _means(swarm: Swarm) -> dict[tuple[float, ...], FloatArray]:
    """(t,) mean values of each distinct mixture."""
    keys = [tuple(row) for row in (swarm.weights.round(9) + 0.0).tolist()]
    return {key: swarm.values[[k == key for k in keys]].mean(axis=0) for key in dict.fromkeys(keys)}
