"""Step and size laws recover power laws beyond the data, and power laws keep their invariants."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixlaws.arrays import FloatArray
from mixlaws.domains import DomainSet
from mixlaws.errors import CurveTooShortError, FitError, InvalidInputError
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.power_law import fit_power_laws
from mixlaws.scaling.size_law import SizeLaw
from mixlaws.scaling.step_law import StepLaw, Tie

TOKENS = np.geomspace(1e9, 2e10, 7)
SIZES = np.array([2e7, 8e7, 3e8])
MIXTURES = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])


def truth(weights: FloatArray, parameters: FloatArray, tokens: FloatArray, alpha: float = 0.35) -> FloatArray:
    """(n, 2) losses whose floors and heights depend on the mixture."""
    floor = 1.5 + 0.5 * np.exp(-2 * weights)
    size = (0.4 + 0.2 * weights) * (parameters[:, None] / 1e8) ** -0.25
    return np.asarray(floor + size + (0.8 - 0.3 * weights) * (tokens[:, None] / 1e9) ** -alpha)


def curves(*, tokens: FloatArray = TOKENS, sizes: FloatArray = SIZES, noise: float = 0.0) -> LossCurves:
    rows = [(m, size, seen) for m in range(3) for size in sizes for seen in tokens]
    mixture = [m for m, _, _ in rows]
    size, seen = np.array([[size, seen] for _, size, seen in rows]).T
    values = truth(MIXTURES[mixture], size, seen)
    values = values + noise * np.random.default_rng(0).standard_normal(values.shape)
    names = ("a", "b")
    runs = np.arange(len(seen)) // len(tokens)
    return LossCurves(DomainSet(names, (1, 1)), names, MIXTURES[mixture], values, size, seen, runs)


@pytest.mark.parametrize("tie", ["free", "mixture", "size", "all"])
def test_a_step_law_finds_the_loss_at_ten_times_the_tokens(tie: Tie) -> None:
    law = StepLaw(tie=tie).fit(curves())
    at = law.at(model_parameters=8e7, tokens=2e11)
    expected = truth(MIXTURES, np.full(3, 8e7), np.full(3, 2e11))
    assert at.predict(MIXTURES) == pytest.approx(expected, abs=1e-4)


def test_a_shared_exponent_bears_noise_better() -> None:
    expected = truth(MIXTURES, np.full(3, 8e7), np.full(3, 2e11))
    errors: dict[str, float] = {}
    for step_law in (StepLaw(tie="free"), StepLaw(tie="size")):
        law = step_law.fit(curves(noise=0.005))
        predicted = law.at(model_parameters=8e7, tokens=2e11).predict(MIXTURES)
        errors[step_law.tie] = float(np.abs(predicted - expected).mean())
    assert errors["size"] < 0.7 * errors["free"]
    assert errors["size"] < 0.03


def test_a_warm_up_ruins_a_step_law_unless_it_is_left_out() -> None:
    made = curves(tokens=np.concatenate([[1e8, 3e8], TOKENS]))
    early = made.tokens < 1e9
    # While the learning rate still rises the loss is far above the power law of what follows.
    values = np.where(early[:, None], made.values + 2.0, made.values)
    spoilt = replace(made, values=values)
    expected = truth(MIXTURES, np.full(3, 8e7), np.full(3, 2e11))
    with_all, without = (
        np.abs(law.fit(spoilt).at(model_parameters=8e7, tokens=2e11).predict(MIXTURES) - expected).max()
        for law in (StepLaw(), StepLaw(warmup_tokens=1e9))
    )
    assert without < 1e-3
    assert with_all > 30 * without


def test_one_diverged_checkpoint_moves_a_robust_law_little() -> None:
    made = curves()
    values = made.values.copy()
    values[3] += 1.0
    spoilt = replace(made, values=values)
    expected = truth(MIXTURES, np.full(3, 2e7), np.full(3, 4e10))
    squares, huber = (
        np.abs(law.fit(spoilt).at(model_parameters=2e7, tokens=4e10).predict(MIXTURES) - expected).max()
        for law in (StepLaw(huber_delta=np.inf), StepLaw(huber_delta=0.01))
    )
    assert huber < 0.02
    assert huber < 0.2 * squares


@pytest.mark.parametrize("tie", ["mixture", "all"])
def test_a_size_law_finds_the_loss_of_a_model_ten_times_as_large(tie: str) -> None:
    sizes = np.array([2e7, 5e7, 1e8, 3e8])
    law = SizeLaw(tie=tie).fit(curves(sizes=sizes))  # type: ignore[arg-type]
    at = law.at(model_parameters=3e9, tokens=TOKENS[-1])
    expected = truth(MIXTURES, np.full(3, 3e9), np.full(3, TOKENS[-1]))
    assert at.predict(MIXTURES) == pytest.approx(expected, abs=1e-3)


def test_a_law_refuses_what_it_knows_nothing_of() -> None:
    steps, sizes = StepLaw().fit(curves()), SizeLaw().fit(curves())
    with pytest.raises(InvalidInputError, match=r"no run has 1e.09 parameters, but 2e.07, 8e.07, 3e.08"):
        steps.at(model_parameters=1e9, tokens=1e10)
    with pytest.raises(InvalidInputError, match=r"says nothing of 1e.12"):
        sizes.at(model_parameters=1e9, tokens=1e12)
    with pytest.raises(InvalidInputError, match="was not run"):
        steps.at(model_parameters=8e7, tokens=1e10).predict(np.array([[0.3, 0.7]]))


def test_data_that_do_not_determine_an_exponent_are_refused() -> None:
    two = curves(sizes=SIZES[:2])
    with pytest.raises(CurveTooShortError, match=r"2 model sizes of a mixture; .* needs at least 3"):
        SizeLaw().fit(two)
    assert np.all(SizeLaw(exponent=0.25).fit(two).laws.exponent == 0.25)
    with pytest.raises(
        CurveTooShortError, match=r"1 checkpoints of a mixture; the step law needs at least 2"
    ):
        StepLaw().fit(two.take(two.tokens == TOKENS[0]))
    with pytest.raises(FitError, match="losses >= 0 alone"):
        StepLaw().fit(replace(two, values=-two.values))


def test_a_size_law_needs_one_number_of_tokens_for_all() -> None:
    made = curves()
    apart = made.take((made.model_parameters == SIZES[0]) == (made.tokens == TOKENS[0]))
    with pytest.raises(InvalidInputError, match="no number of tokens at which all mixtures"):
        SizeLaw().fit(apart)


@pytest.mark.parametrize(
    "law",
    [lambda: StepLaw(tie="targets"), lambda: SizeLaw(tie="size"), lambda: StepLaw(huber_delta=0.0)],  # type: ignore[arg-type]
)
def test_a_hyperparameter_that_means_nothing_is_refused(law: object) -> None:
    with pytest.raises(InvalidInputError, match="use "):
        law()  # type: ignore[operator]


@given(
    alpha=st.floats(0.05, 1.5),
    floor=st.floats(0.1, 3.0),
    height=st.floats(0.1, 3.0),
    unit=st.floats(1e-6, 1e12),
)
def test_any_power_law_is_recovered_in_any_unit(
    alpha: float, floor: float, height: float, unit: float
) -> None:
    x = np.geomspace(1, 30, 9)
    y = floor + height * x**-alpha
    fitted = fit_power_laws(unit * x[None], y[None], np.ones((1, 9)), np.zeros(1, dtype=np.int64))
    assert fitted.exponent[0] == pytest.approx(alpha, rel=1e-3)
    assert fitted.at(unit * 60.0)[0] == pytest.approx(floor + height * 60.0**-alpha, abs=1e-4)


@given(st.lists(st.floats(0.0, 10.0), min_size=3, max_size=8), st.integers(0, 2**31))
def test_a_fit_is_never_negative_never_rises_and_never_loses_to_a_constant(
    values: list[float], seed: int
) -> None:
    y = np.array([values])
    x = np.sort(np.random.default_rng(seed).uniform(1, 100, y.shape), axis=1)
    fitted = fit_power_laws(x, y, np.ones_like(y), np.zeros(1, dtype=np.int64))
    assert fitted.floor[0] >= 0
    assert fitted.amplitude[0] >= 0
    predicted = np.array([fitted.at(float(place))[0] for place in x[0]])
    assert np.all(np.diff(predicted) <= 1e-12)
    assert ((predicted - y[0]) ** 2).sum() <= ((y[0] - y.mean()) ** 2).sum() + 1e-9
