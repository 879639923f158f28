"""Loss curves of a world that is known: Kaplan's trajectories, whose level the mixture moves."""

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.kaplan import trajectory_loss

# Of the size that Kaplan et al. 2020, arXiv:2001.08361, report; from memory, unverified: a stage set alone.
TRAJECTORY = (0.077, np.log(6.5e13), 0.21, np.log(2.1e8), 0.76, np.log(2.1e3))
SIZES = (3e6, 1e7, 3e7, 6e7)
BATCHES = (6.5e4, 2.6e5, 1e6)  # tokens
TOKENS = tuple(np.geomspace(3e8, 2e10, 8))


def simulated_losses(
    weights: FloatArray, model_parameters: FloatArray, tokens: FloatArray, batch_tokens: FloatArray
) -> FloatArray:
    """(n, d) losses of one target for each domain: less where its own share is larger.

    Args:
        weights: (n, d) mixtures.
        model_parameters: (n,) sizes.
        tokens: (n,) tokens.
        batch_tokens: (n,) tokens of a step.
    """
    level = trajectory_loss(np.array([TRAJECTORY]), model_parameters, tokens, batch_tokens)[0]
    return np.asarray(level[:, None] * (0.8 + np.exp(-1.5 - 3.0 * weights)))


def simulated_curves(
    weights: FloatArray,
    /,
    *,
    sizes: tuple[float, ...] = SIZES,
    batches: tuple[float, ...] = BATCHES,
    tokens: tuple[float, ...] = TOKENS,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
) -> LossCurves:
    """Runs of every mixture at every size and batch, observed at the same numbers of tokens.

    Args:
        weights: (m, d) mixtures.
        sizes: parameters of the models.
        batches: tokens of a step.
        tokens: numbers of tokens after which a run is observed.
        noise: relative standard deviation of a loss.
        rng: draws the noise.
    """
    m, d = weights.shape
    axes = (np.arange(m), np.array(sizes), np.array(batches), np.array(tokens))
    mixture, n, b, seen = (axis.reshape(-1) for axis in np.meshgrid(*axes, indexing="ij"))
    losses = simulated_losses(weights[mixture], n, seen, b)
    if noise and rng is not None:
        losses = losses * np.exp(noise * rng.standard_normal(losses.shape))
    names = tuple(f"domain-{j}" for j in range(d))
    return LossCurves(
        DomainSet(names, (1,) * d),
        names,
        weights[mixture],
        losses,
        model_parameters=n,
        tokens=seen,
        runs=np.arange(len(n)) // len(tokens),
        batch_tokens=b,
    )
