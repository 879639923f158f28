"""Power laws with a floor, many at once, by variable projection.

    y_gs = C_g + A_g x_gs^(-α_b(g)),   C_g >= 0, A_g >= 0

Axis g counts curves, axis s the observations of a curve, axis b the blocks of curves that share an
exponent. For a given α the best C and A of each curve are linear and known in closed form; what is left
is one dimension for each block, searched on a grid and refined by golden section. There are no starts to
choose and nothing to diverge. A finite Huber threshold is met by reweighting around that solution.
"""

from dataclasses import dataclass

import numpy as np

from mixlaws.arrays import FloatArray, IntArray, JsonObject, frozen

LEAST_EXPONENT, LARGEST_EXPONENT = 0.02, 3.0  # below: a logarithm; beyond: a step. Published: .05 to .9
_GRID = 80
_GOLDEN = (5**0.5 - 1) / 2
_REFINEMENTS = 40  # golden section: 0.618^40 of a grid cell
_REWEIGHTINGS = 30


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """Fitted curves.

    Args:
        floor: (g,) or (m, t) C.
        amplitude: the same shape, A x0^(-α): height above the floor at x0.
        exponent: the same shape, α.
        reference: x0, which keeps amplitudes near the values for any unit of x.
    """

    floor: FloatArray
    amplitude: FloatArray
    exponent: FloatArray
    reference: float

    def at(self, x: FloatArray | float, /) -> FloatArray:
        """Values of all curves at x, one for all or one each; the shape of the parameters."""
        return np.asarray(self.floor + self.amplitude * (x / self.reference) ** -self.exponent)

    def dump(self) -> JsonObject:
        """Parameters as JSON."""
        return {
            "floor": self.floor.tolist(),
            "amplitude": self.amplitude.tolist(),
            "exponent": self.exponent.tolist(),
            "reference": self.reference,
        }

    @classmethod
    def load(cls, raw: JsonObject) -> "PowerLaws":
        """Parameters from JSON."""
        floor, amplitude, exponent = (frozen(raw[name]) for name in ("floor", "amplitude", "exponent"))
        return cls(floor, amplitude, exponent, float(raw["reference"]))


def fit_power_laws(
    x: FloatArray,
    y: FloatArray,
    mask: FloatArray,
    blocks: IntArray,
    *,
    huber_delta: float = np.inf,
    exponent: float | None = None,
) -> PowerLaws:
    """Fit all curves.

    Args:
        x: (g, s) positive; anything where the mask is 0.
        y: (g, s) values.
        mask: (g, s) 1 where there is an observation, else 0.
        blocks: (g,) number of the block of each curve, from 0.
        huber_delta: residual beyond which the loss grows linearly, in the unit of y; infinity gives
            least squares.
        exponent: one exponent to hold fixed, or None to fit it.

    Returns:
        One power law for each curve.
    """
    present = mask > 0
    reference = float(np.exp(np.log(x[present]).mean()))
    logarithm = np.where(present, np.log(np.where(present, x, reference) / reference), 0.0)
    y = np.where(present, y, 0.0)
    emphasis = mask.astype(np.float64)

    def solved() -> PowerLaws:
        if exponent is None:
            alpha = _best_exponents(logarithm, y, emphasis, blocks)[blocks]
        else:
            alpha = np.full(len(y), float(exponent))
        floor, amplitude, _ = _linear_parts(alpha, logarithm, y, emphasis)
        return PowerLaws(floor, amplitude, alpha, reference)

    laws = solved()
    for _ in range(_REWEIGHTINGS if np.isfinite(huber_delta) else 0):
        height = laws.amplitude[:, None] * np.exp(-laws.exponent[:, None] * logarithm)
        residual = np.abs(laws.floor[:, None] + height - y)
        before, emphasis = emphasis, mask * np.minimum(1.0, huber_delta / np.maximum(residual, 1e-300))
        if np.allclose(before, emphasis, atol=1e-6):
            break
        laws = solved()
    return laws


def _linear_parts(
    alpha: FloatArray, logarithm: FloatArray, y: FloatArray, emphasis: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(g,) best C >= 0 and A >= 0 for given (g,) exponents, and (g,) weighted squared errors."""
    z = np.exp(-alpha[:, None] * logarithm)
    total = emphasis.sum(axis=1)
    mean_z, mean_y = (emphasis * z).sum(axis=1) / total, (emphasis * y).sum(axis=1) / total
    dz, dy = z - mean_z[:, None], y - mean_y[:, None]
    spread = (emphasis * dz**2).sum(axis=1)
    slope = np.where(spread > 0, (emphasis * dz * dy).sum(axis=1) / np.maximum(spread, 1e-300), 0.0)
    # A convex problem in two non-negative unknowns has its optimum inside or on one of the two edges.
    amplitude = np.maximum(slope, 0.0)
    floor = mean_y - amplitude * mean_z
    through_zero = (emphasis * z * y).sum(axis=1) / (emphasis * z**2).sum(axis=1)
    amplitude = np.where(floor < 0, np.maximum(through_zero, 0.0), amplitude)
    floor = np.maximum(floor, 0.0)
    residual = floor[:, None] + amplitude[:, None] * z - y
    return floor, amplitude, (emphasis * residual**2).sum(axis=1)


def _best_exponents(
    logarithm: FloatArray, y: FloatArray, emphasis: FloatArray, blocks: IntArray
) -> FloatArray:
    """(b,) exponents of least squared error, summed over the curves of each block."""
    count = int(blocks.max()) + 1

    def errors(alpha: FloatArray) -> FloatArray:
        _, _, squares = _linear_parts(alpha[blocks], logarithm, y, emphasis)
        return np.asarray(np.bincount(blocks, weights=squares, minlength=count), dtype=np.float64)

    grid = np.linspace(np.log(LEAST_EXPONENT), np.log(LARGEST_EXPONENT), _GRID)
    scores = np.stack([errors(np.full(count, np.exp(alpha))) for alpha in grid])
    best = scores.argmin(axis=0)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
    for _ in range(_REFINEMENTS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        keep_left = errors(np.exp(left)) <= errors(np.exp(right))
        low, high = np.where(keep_left, low, left), np.where(keep_left, right, high)
    return np.asarray(np.exp((low + high) / 2))
