"""The edge of the data is predicted by fits that saw nothing of it, and a true law passes."""

from dataclasses import replace

import numpy as np
import pytest

from mixlaws.domains import DomainSet
from mixlaws.errors import CurveTooShortError
from mixlaws.scaling.chinchilla import ChinchillaLaw
from mixlaws.scaling.curves import LossCurves
from mixlaws.scaling.held_out import hold_out_scale, with_curves
from mixlaws.scaling.nested import NestedLaw
from mixlaws.scaling.step_law import StepLaw

SIZES, TOKENS = (1e7, 3e7, 1e8, 3e8), (1e9, 2e9, 3e9, 4e9, 5e9, 6e9, 8e9, 1e10)
MIXTURES = np.array([[0.2, 0.8], [0.5, 0.5], [0.7, 0.3]])


def chinchilla_curves() -> LossCurves:
    """Two targets of three mixtures that follow E + A / N^.3 + B / D^.4 exactly."""
    axes = (np.arange(len(MIXTURES)), np.array(SIZES), np.array(TOKENS))
    mixture, size, tokens = (axis.reshape(-1) for axis in np.meshgrid(*axes, indexing="ij"))
    weights = MIXTURES[mixture]
    losses = 1.5 + 40 * size[:, None] ** -0.3 + 4000 * tokens[:, None] ** -0.4 + 0.3 * weights
    runs = np.arange(len(size)) // len(TOKENS)
    domains = DomainSet(("a", "b"), (1, 1))
    return LossCurves(domains, ("x", "y"), weights, losses, size, tokens, runs)


@pytest.mark.parametrize(
    ("law", "sizes", "tokens"),
    [
        (StepLaw(), False, True),
        (NestedLaw(), True, False),
        (NestedLaw(), True, True),
        (ChinchillaLaw(), True, True),
    ],
)
def test_a_law_that_is_true_is_found_to_be_so_where_the_nearest_observation_is_off(
    law: StepLaw | NestedLaw | ChinchillaLaw, sizes: bool, tokens: bool
) -> None:
    found = hold_out_scale(law, chinchilla_curves(), sizes=sizes, tokens=tokens, rng=np.random.default_rng(0))
    assert len(found.measured) == len(MIXTURES) * (1 if sizes else len(SIZES))
    error = np.abs(found.predicted - found.measured).mean()
    assert error < 0.05 * np.abs(found.last - found.measured).mean()
    assert found.size_factor == pytest.approx(3.0 if sizes else 1.0)
    assert found.token_factor == pytest.approx(10 / 6 if tokens else 1.0)


def test_what_is_left_out_has_no_say_in_its_prediction() -> None:
    curves = chinchilla_curves()
    edge = (curves.model_parameters == max(SIZES)) | (curves.tokens > 6e9)
    spoilt = replace(curves, values=curves.values + edge[:, None])
    clean, other = (
        hold_out_scale(NestedLaw(), given, sizes=True, tokens=True, rng=np.random.default_rng(0))
        for given in (curves, spoilt)
    )
    np.testing.assert_array_equal(clean.predicted, other.predicted)
    np.testing.assert_allclose(other.measured, clean.measured + 1)


def test_mixtures_of_too_few_sizes_are_left_out_and_none_left_is_told() -> None:
    curves = chinchilla_curves()
    one_size = (curves.weights[:, 0] == 0.5) & (curves.model_parameters > SIZES[0])
    kept = with_curves(curves.take(~one_size), sizes=2)
    assert set(kept.weights[:, 0].round(6)) == {0.2, 0.7}
    single = curves.take(curves.model_parameters == SIZES[0])
    with pytest.raises(CurveTooShortError, match="1 model sizes of a mixture"):
        with_curves(single, sizes=2)
    with pytest.raises(CurveTooShortError):
        hold_out_scale(StepLaw(), single, sizes=True, tokens=False, rng=np.random.default_rng(0))
