"""Critical share of continual pre-training: how much old text keeps an old skill.

A trained model goes on with new text. Its loss on the old domain rises if too little old text is mixed in;
the critical share is the smallest one at which it does not,

    r* = min { r : L_old(r e_old + (1 - r) q) <= L_0 }

with e_old the old domain alone, q the mixture of the others and L_0 the loss before. Ye et al. 2024,
arXiv:2403.16952, section on continual pre-training, publish 0.286 for Pythia-70M on the Pile and Python,
from four mixtures and a floor taken from a grid; with a floor that is fitted too it is 0.283.

Along that line the exponent of an exponential law is linear in r, whatever the number of domains, so that

    r* = (log(L_0 - c) - a · q) / (a_old - a · q)

in closed form; any other predictor is searched.
"""

import numpy as np
from scipy.optimize import brentq

from mixlaws.arrays import FloatArray
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.estimator import Predictor
from mixlaws.laws.exponential import ExponentialForm
from mixlaws.laws.fitting import FittedLaw
from mixlaws.simplex import as_weights

_SCAN = 2001  # shares on which the first crossing is looked for: a law may cross more than once


def critical_share(
    predictor: Predictor, /, *, old: int, target: int, loss: float, others: FloatArray
) -> float:
    """Smallest share of the old domain at which a target does not exceed a loss.

    Args:
        predictor: a mixing law of the continued training, for (n, d) mixtures.
        old: index of the old domain along axis d.
        target: index of the old domain's loss along axis t.
        loss: L_0, the loss before, in the unit of the target.
        others: (d,) mixture of the other domains, with 0 for the old one.

    Returns:
        The share, 0 if no old text is needed.

    Raises:
        InfeasibleError: even old text alone raises the loss.
        InvalidInputError: the loss is not finite, or the others hold the old domain.
    """
    if not np.isfinite(loss):
        raise InvalidInputError(f"loss is {loss!r}: use the finite loss before the training goes on")
    new = _direction(old, others)
    whole = np.zeros_like(new)
    whole[old] = 1.0

    def excess(shares: FloatArray) -> FloatArray:
        line = shares[:, None] * whole + (1 - shares[:, None]) * new
        return np.asarray(predictor.predict(line)[:, target] - loss)

    if excess(np.zeros(1))[0] <= 0:
        return 0.0
    if isinstance(predictor, FittedLaw) and isinstance(predictor.form, ExponentialForm):
        floor, tilt = predictor.parameters[target, 0], predictor.parameters[target, 1:]
        if excess(np.ones(1))[0] > 0:
            raise _hopeless(loss, float(excess(np.ones(1))[0]))
        start = float(tilt @ new)
        return float((np.log(loss - floor) - start) / (tilt[old] - start))
    shares = np.linspace(0.0, 1.0, _SCAN)
    kept = np.flatnonzero(excess(shares) <= 0)
    if not len(kept):
        raise _hopeless(loss, float(excess(shares).min()))
    low, high = float(shares[kept[0] - 1]), float(shares[kept[0]])
    if excess(np.array([high]))[0] == 0:
        return high
    return float(brentq(lambda share: float(excess(np.array([share]))[0]), low, high, xtol=1e-12))


def _direction(old: int, others: FloatArray) -> FloatArray:
    """(d,) the mixture without old text."""
    new = as_weights(others)
    if not 0 <= old < len(new):
        raise InvalidInputError(f"old is {old}: use an index below {len(new)}")
    if new[old] > 0:
        raise InvalidInputError(f"the others hold {new[old]:g} of the old domain: its share there must be 0")
    return new


def _hopeless(loss: float, excess: float) -> InfeasibleError:
    return InfeasibleError(
        f"no share of old text keeps its loss at {loss:.6g}: the least is {excess:.4g} above it; "
        "train longer, or allow a higher loss"
    )
