"""The critical share of old text in continual pre-training."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from mixlaws.arrays import FloatArray, JsonObject
from mixlaws.domains import DomainSet
from mixlaws.errors import InfeasibleError, InvalidInputError
from mixlaws.laws.exponential import ExponentialForm, ExponentialLaw
from mixlaws.laws.fitting import FittedLaw
from mixlaws.scaling.critical_share import critical_share
from mixlaws.swarm import Swarm

# Pythia-70M after 20,000 steps, trained on for 10,000 on the Pile and Python: weighted mean over the 22
# validation subsets of the Pile, from the published losses of each.
SHARES = np.array([0.125, 0.25, 0.375, 0.5])
PILE_LOSSES = np.array([2.92616592, 2.88049349, 2.85707243, 2.8387568])
PILE_LOSS_BEFORE = 2.87336759
PUBLISHED_SHARE = 0.28622540757637893
PUBLISHED_SLOPE, PUBLISHED_HEIGHT = -3.7397, -1.6938  # of exp(slope * share + height), four decimals
PUBLISHED_MINIMUM = 8.469416457046464e-07  # mean Huber loss with delta 0.02: all residuals lie inside
PYTHON = np.array([0.0, 1.0])


def two_domains(floor: float, slope: float, height: float) -> FittedLaw:
    """The law floor + exp(slope * share of the first domain + height)."""
    return FittedLaw(ExponentialForm(), np.array([[floor, slope + height, height]]), ridge=0.0)


class Plain:
    """A predictor of which nothing is known but its values."""

    def __init__(self, law: FittedLaw) -> None:
        self.law = law

    def predict(self, weights: FloatArray, /) -> FloatArray:
        return self.law.predict(weights)

    def dump(self) -> JsonObject:
        return {}


def published_floor() -> float:
    """Of 1000 floors from 0 to the lowest loss the one over which the logarithm is straightest."""
    grid = np.linspace(0.0, PILE_LOSSES.min(), 1000)[:-1]
    straight = [abs(np.corrcoef(SHARES, np.log(PILE_LOSSES - floor))[0, 1]) for floor in grid]
    return float(grid[int(np.argmax(straight))])


def test_the_published_share_follows_from_the_published_law() -> None:
    law = two_domains(published_floor(), PUBLISHED_SLOPE, PUBLISHED_HEIGHT)
    share = critical_share(law, old=0, target=0, loss=PILE_LOSS_BEFORE, others=PYTHON)
    assert share == pytest.approx(PUBLISHED_SHARE, abs=2e-5)


def test_the_published_procedure_reaches_its_published_minimum_and_share() -> None:
    floor = published_floor()

    def residual(line: FloatArray) -> FloatArray:
        return np.asarray(floor + np.exp(line[0] * SHARES + line[1]) - PILE_LOSSES)

    found = least_squares(residual, [-2.0, -1.0], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert found.cost / len(SHARES) == pytest.approx(PUBLISHED_MINIMUM, rel=1e-3)
    law = two_domains(floor, float(found.x[0]), float(found.x[1]))
    share = critical_share(law, old=0, target=0, loss=PILE_LOSS_BEFORE, others=PYTHON)
    assert share == pytest.approx(PUBLISHED_SHARE, abs=5e-5)


def test_a_floor_that_is_fitted_too_lowers_the_published_minimum_and_moves_the_share_little() -> None:
    weights = np.stack([SHARES, 1 - SHARES], axis=1)
    swarm = Swarm(DomainSet(("pile", "python"), (1, 1)), ("pile",), weights, PILE_LOSSES[:, None])
    law = ExponentialLaw(ridge=0.0, huber_delta=0.02, raw_residuals=True)
    fitted = law.fit(swarm, rng=np.random.default_rng(0))
    squares = (fitted.predict(weights)[:, 0] - PILE_LOSSES) ** 2
    assert squares.mean() / 2 < 0.8 * PUBLISHED_MINIMUM
    share = critical_share(fitted, old=0, target=0, loss=PILE_LOSS_BEFORE, others=PYTHON)
    assert share == pytest.approx(0.2831, abs=1e-4)


def test_the_closed_form_and_the_search_agree_for_any_number_of_domains() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        tilt = rng.normal(0.0, 1.0, size=4)
        tilt[1] = tilt.min() - rng.uniform(0.5, 2.0)  # its own domain lowers a loss most
        law = FittedLaw(ExponentialForm(), np.concatenate([[1.5], tilt])[None], ridge=0.0)
        others = rng.dirichlet(np.ones(4)) * np.array([1, 0, 1, 1])
        others /= others.sum()
        known = rng.uniform(0.05, 0.95)
        line = known * np.eye(4)[1] + (1 - known) * others
        before = float(law.predict(line[None])[0, 0])
        for predictor in (law, Plain(law)):
            share = critical_share(predictor, old=1, target=0, loss=before, others=others)
            assert share == pytest.approx(known, abs=1e-8)


def test_the_share_is_the_smallest_and_the_loss_does_not_rise_there() -> None:
    class Valley(Plain):
        """Falls below the loss twice."""

        def predict(self, weights: FloatArray, /) -> FloatArray:
            return np.asarray(2.0 + np.cos(3 * np.pi * weights[:, :1]))

    valley = Valley(two_domains(1.0, -1.0, 0.0))
    share = critical_share(valley, old=0, target=0, loss=2.0, others=PYTHON)
    assert share == pytest.approx(1 / 6, abs=1e-9)


def test_no_old_text_is_needed_where_the_loss_falls_anyway() -> None:
    law = two_domains(1.0, -1.0, 0.0)
    for predictor in (law, Plain(law)):
        assert critical_share(predictor, old=0, target=0, loss=2.5, others=PYTHON) == 0.0


def test_where_no_share_keeps_the_loss_the_answer_is_an_error_with_the_gap() -> None:
    law = two_domains(1.0, -1.0, 0.0)
    for predictor in (law, Plain(law)):
        with pytest.raises(InfeasibleError, match=r"the least is 0.1679 above it"):
            critical_share(predictor, old=0, target=0, loss=1.2, others=PYTHON)


@pytest.mark.parametrize(
    ("old", "loss", "others"),
    [(0, np.nan, [0.0, 1.0]), (0, 2.0, [0.5, 0.5]), (2, 2.0, [0.0, 1.0]), (-1, 2.0, [1.0, 0.0])],
)
def test_a_question_that_makes_no_sense_is_refused(old: int, loss: float, others: list[float]) -> None:
    with pytest.raises(InvalidInputError):
        critical_share(two_domains(1.0, -1.0, 0.0), old=old, target=0, loss=loss, others=np.array(others))
