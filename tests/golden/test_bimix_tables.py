"""BiMix on the published runs of Data Mixing Laws: checkpoints from step 10,000 on, own shares above zero.

The numbers compared with are of an independent fit whose choice of checkpoints is not told in full.
"""

from pathlib import Path

import numpy as np
import pytest

from mixlaws.arrays import FloatArray
from mixlaws.laws.bimix import BiMix, BiMixPredictor
from mixlaws.swarm import Swarm, mixture_numbers
from tests.reference_data import data_mixing_laws

CHECKPOINTS = (10_000, 12_000, 14_000, 16_000, 18_000, 20_000, 22_000, 24_000, 27_000, 30_000)
GROUPS = ("academic", "prose", "dialogue", "symbolic", "internet")
RNG = np.random.default_rng(0)


def served(swarm: Swarm, target: str) -> Swarm:
    """The runs whose own share is positive, with that target alone."""
    return swarm.take(np.flatnonzero(swarm.weights[:, swarm.domains.index(target)] > 0)).only([target])


def predicted(fitted: BiMixPredictor, swarm: Swarm) -> FloatArray:
    """(n,) losses of runs of different budgets."""
    budgets = swarm.tokens if swarm.tokens is not None else np.ones(len(swarm))
    rows = zip(swarm.weights, budgets, strict=True)
    return np.array([fitted.at(tokens=budget).predict(row[None, :])[0, 0] for row, budget in rows])


def left_out_r2(swarm: Swarm) -> float:
    """R² of all checkpoints of mixtures that a fit has not seen."""
    mixture, held_out = mixture_numbers(swarm.weights), np.empty(len(swarm))
    for number in range(int(mixture.max()) + 1):
        rows = np.flatnonzero(mixture == number)
        fitted = BiMix().fit(swarm.take(np.flatnonzero(mixture != number)), rng=RNG)
        held_out[rows] = predicted(fitted, swarm.take(rows))
    y = swarm.values[:, 0]
    return 1 - float(((held_out - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())


@pytest.mark.parametrize(
    ("name", "size", "published"),
    [
        ("2mix", "70M", {"Github": (0.127, 0.953), "Pile-CC": (0.053, 0.995)}),
        ("2mix", "160M", {"Github": (0.137, 0.957), "Pile-CC": (0.059, 0.990)}),
        ("5mix", "70M", {
            "academic": (0.054, 0.992), "prose": (0.013, 0.690), "dialogue": (0.032, 0.803),
            "symbolic": (0.078, 0.980), "internet": (0.036, 0.988),
        }),
        ("5mix", "410M", {
            "academic": (0.054, 0.985), "prose": (0.007, 0.725), "dialogue": (0.032, 0.829),
            "symbolic": (0.084, 0.973), "internet": (0.045, 0.989),
        }),
    ],
)  # fmt: skip
def test_powers_and_errors_on_unseen_mixtures(
    reference_data: Path, name: str, size: str, published: dict[str, tuple[float, float]]
) -> None:
    swarm = data_mixing_laws(reference_data, name, size=size, steps=CHECKPOINTS, grouped=name == "5mix")
    for target, (alpha, r2) in published.items():
        part = served(swarm, target)
        assert BiMix().fit(part, rng=RNG).alpha[0] == pytest.approx(alpha, abs=0.006), target
        assert left_out_r2(part) == pytest.approx(r2, abs=0.016), target


# From the first half of the checkpoints to the last one: mean relative error in per cent, and R².
EXTRAPOLATED: dict[str, list[tuple[float, float | None]]] = {
    "70M": [(0.67, 0.973), (0.94, -0.12), (1.30, 0.086), (0.72, 0.960), (0.32, 0.971)],
    "160M": [(0.43, None), (1.19, None), (1.16, None), (0.65, None), (0.41, None)],
    "305M": [(0.32, None), (1.21, None), (1.40, None), (0.60, None), (0.49, None)],
    "410M": [(0.36, None), (1.30, None), (1.30, None), (0.96, None), (0.29, None)],
}


@pytest.mark.parametrize("size", sorted(EXTRAPOLATED))
def test_the_first_half_of_the_checkpoints_foretells_the_last_as_well_as_was_measured(
    reference_data: Path, size: str
) -> None:
    swarm = data_mixing_laws(reference_data, "5mix", size=size, steps=CHECKPOINTS, grouped=True)
    for target, (error, r2) in zip(GROUPS, EXTRAPOLATED[size], strict=True):
        part = served(swarm, target)
        assert part.tokens is not None
        early = part.take(np.flatnonzero(part.tokens <= np.unique(part.tokens)[4]))
        last = part.take(np.flatnonzero(part.tokens == part.tokens.max()))
        told, y = predicted(BiMix().fit(early, rng=RNG), last), last.values[:, 0]
        assert 100 * np.abs(told / y - 1).mean() == pytest.approx(error, abs=0.02), target
        if r2 is not None:
            assert 1 - ((told - y) ** 2).sum() / ((y - y.mean()) ** 2).sum() == pytest.approx(r2, abs=2e-3)


def test_powers_of_the_share_hardly_depend_on_the_size_of_the_model(reference_data: Path) -> None:
    powers = [
        BiMix()
        .fit(
            data_mixing_laws(reference_data, "5mix", size=size, steps=CHECKPOINTS, grouped=True),
            rng=RNG,
        )
        .alpha
        for size in ("70M", "160M", "305M", "410M")
    ]
    assert np.ptp(powers, axis=0).max() < 0.012


def test_the_jump_at_a_share_of_zero_is_a_regime_of_its_own_and_no_power_law(reference_data: Path) -> None:
    swarm = data_mixing_laws(reference_data, "3mix", size="410M", steps=(60_000,)).only(["Github"])
    fitted = BiMix().fit(swarm, rng=RNG)
    absent = swarm.weights[:, swarm.domains.index("Github")] == 0
    assert absent.sum() == 6
    assert fitted.zero_measured == (True,)
    assert fitted.predict(swarm.weights[absent]) == pytest.approx(swarm.values[absent].mean(), rel=1e-9)
    # The power law, continued to a clip at 1e-12, would say many times what was ever measured.
    clipped = np.where(swarm.domains.indices["Github"] == np.arange(3), 1e-12, 0.5)
    assert fitted.predict(clipped[None, :])[0, 0] > 4 * swarm.values.max()
