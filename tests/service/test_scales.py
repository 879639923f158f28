"""Runs of several scales: laws that know a scale are told it, all others refuse to mix it with mixtures."""

from typing import Any

import numpy as np
import pytest

from mixclient import ServiceError
from tests.support.populated import settled
from tests.support.servers import Service

NAMES = ("web", "code")
PARAMETERS, TOKENS = (1_000_000, 4_000_000), (10_000_000, 40_000_000)


def losses(share: float, *, parameters: int, tokens: int) -> dict[str, float]:
    """A truth in which a larger share, model or budget lowers a loss, each by a power."""
    scale = (parameters / 1e6) ** -0.2 * (tokens / 1e7) ** -0.3
    return {name: 1.0 + 2.0 * w**-0.15 * scale for name, w in zip(NAMES, (share, 1 - share), strict=True)}


def studied(service: Service, *, parameters: tuple[int, ...], tokens: tuple[int, ...]) -> None:
    """Imported runs of each scale, over the same shares."""
    rows = [{"name": name, "tokens": 10**9} for name in NAMES]
    service.client.create_study({"name": "trial", "domains": rows})
    for size in parameters:
        for budget in tokens:
            runs = [
                {
                    "name": f"{size} {budget} {number}",
                    "weights": {"web": share, "code": 1 - share},
                    "losses": losses(share, parameters=size, tokens=budget),
                    "seed": number,
                    "tokens": budget,
                    "model_parameters": size,
                }
                for number, share in enumerate(np.linspace(0.1, 0.9, 9).tolist())
            ]
            service.client.import_runs("trial", runs)


def fitted(service: Service, method: str, **body: Any) -> str:
    asked = service.client.create_fit("trial", {"method": method, "folds": 3, **body})
    done = settled(service.client.fit, asked["id"])
    assert done["state"] == "done", done["error"]
    return str(done["id"])


@pytest.mark.parametrize("method", ["bimix", "effective_transfer"])
def test_a_law_of_tokens_predicts_another_budget(service: Service, method: str) -> None:
    studied(service, parameters=PARAMETERS[:1], tokens=TOKENS)
    fit = fitted(service, method)
    mixtures = [{"web": 0.5, "code": 0.5}]
    (at_largest,) = service.client.predict(fit, mixtures)
    assert at_largest["objective"] == pytest.approx(
        losses(0.5, parameters=PARAMETERS[0], tokens=TOKENS[1])["web"], abs=0.1
    )
    (same,) = service.client.predict(fit, mixtures, at={"tokens": TOKENS[1]})
    assert same == at_largest
    (longer,) = service.client.predict(fit, mixtures, at={"tokens": 2 * TOKENS[1]})
    assert longer["objective"] < at_largest["objective"]
    with pytest.raises(ServiceError, match=r"at: .* knows no model size") as refused:
        service.client.predict(fit, mixtures, at={"model_parameters": 10**9})
    assert refused.value.status == 422


def test_a_law_of_model_sizes_predicts_a_larger_model(service: Service) -> None:
    studied(service, parameters=PARAMETERS, tokens=TOKENS[:1])
    fit = fitted(service, "multilingual")
    mixtures = [{"web": 0.5, "code": 0.5}]
    (small,) = service.client.predict(fit, mixtures, at={"model_parameters": PARAMETERS[0]})
    (large,) = service.client.predict(fit, mixtures, at={"model_parameters": PARAMETERS[1]})
    for told, size in ((small, PARAMETERS[0]), (large, PARAMETERS[1])):
        truth = losses(0.5, parameters=size, tokens=TOKENS[0])
        assert told["predicted"] == pytest.approx(truth, abs=0.1)


def test_runs_of_several_scales_are_fitted_together_and_predictions_say_for_which_they_hold(
    service: Service,
) -> None:
    studied(service, parameters=PARAMETERS, tokens=TOKENS[:1])
    fit = fitted(service, "multi_scale")
    told = service.client.fit(fit)
    assert told["scale"] == {"model_parameters": PARAMETERS[1], "tokens": TOKENS[0]}
    assert told["objective_scores"]["spearman"] > 0.9  # within a scale: its level is no merit
    mixtures = [{"web": 0.5, "code": 0.5}]
    for size in (*PARAMETERS, 2 * PARAMETERS[1]):
        (at,) = service.client.predict(fit, mixtures, at={"model_parameters": size})
        assert at["predicted"] == pytest.approx(losses(0.5, parameters=size, tokens=TOKENS[0]), abs=0.1)


@pytest.mark.parametrize("method", ["gaussian_process", "multilingual"])
def test_a_method_that_knows_no_tokens_refuses_runs_that_differ_in_them(
    service: Service, method: str
) -> None:
    studied(service, parameters=PARAMETERS[:1], tokens=TOKENS)
    message = rf"18 runs with 10,000,000 to 40,000,000 training tokens, .* {method} .* or bimix or eff"
    with pytest.raises(ServiceError, match=message) as refused:
        service.client.create_fit("trial", {"method": method})
    assert refused.value.status == 422
    sweeps = {run["sweep_id"] for run in service.client.runs("trial")}
    assert len(sweeps) == 2
    assert fitted(service, "linear", sweep_ids=[sweeps.pop()])  # of one scale again


def test_a_scale_that_some_runs_do_not_tell_is_refused_once_it_varies(service: Service) -> None:
    studied(service, parameters=PARAMETERS[:1], tokens=TOKENS)
    weights = {"web": 0.3, "code": 0.7}
    silent = {"name": "silent", "weights": weights, "losses": {"web": 3.0, "code": 3.0}}
    service.client.import_runs("trial", [silent])
    with pytest.raises(ServiceError, match=r"and 1 of them do not tell theirs"):
        service.client.create_fit("trial", {"method": "bimix"})
