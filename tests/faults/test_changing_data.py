"""Data that changes while it is worked on."""

import pytest
from sqlalchemy import update

from service.models import ProxyRun
from tests.support.servers import Service
from tests.support.tasks import Here, Measured, queued, work_on


def test_case_43_a_result_that_comes_during_a_fit_is_not_in_it_and_makes_it_stale(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    assert fit["stale_inputs"] is False
    later = Measured.simulated(1, seed=9)
    done = work_on(tenant, "fit", fit, Here(lambda: later.stored(tenant, name="late")))
    assert (done["state"], done["runs"], done["stale_inputs"]) == ("done", 12, True)
    (listed,) = tenant.client.fits("trial")
    assert listed["stale_inputs"] is True
    proposal = work_on(tenant, "proposal", tenant.client.create_proposal("trial", {"fit_id": fit["id"]}))
    assert (proposal["state"], proposal["stale_inputs"]) == ("done", True)
    page = tenant.call("GET", "/studies/trial").text
    assert page.count('<span class="badge bad">stale</span>') == 2, "of the fit and of the proposal"
    anew = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    assert (anew["id"] != fit["id"], anew["runs"], anew["stale_inputs"]) == (True, 13, False)


def test_case_43_results_of_other_sweeps_and_confirmations_do_not_make_a_fit_stale(tenant: Service) -> None:
    Measured.simulated(6).stored(tenant)
    (sweep,) = {run["sweep_id"] for run in tenant.client.runs("trial")}
    of_sweep = tenant.client.create_fit("trial", {"method": "linear", "sweep_ids": [sweep]})
    of_all = tenant.client.create_fit("trial", {"method": "linear"})
    weights = tenant.client.runs("trial")[0]["weights"]
    confirmation = {"purpose": "confirmation", "mixtures": [{"weights": weights}]}
    tenant.client.create_sweep("trial", confirmation)
    _finish_one(tenant)
    assert [tenant.client.fit(fit["id"])["stale_inputs"] for fit in (of_sweep, of_all)] == [False, False]
    tenant.client.create_sweep("trial", {"mixtures": [{"weights": weights}]})
    assert not tenant.client.fit(of_all["id"])["stale_inputs"], "a run without a result changes nothing"
    _finish_one(tenant)
    assert [tenant.client.fit(fit["id"])["stale_inputs"] for fit in (of_sweep, of_all)] == [False, True]


def _finish_one(service: Service) -> None:
    lease = service.client.claim_run("tester")
    assert lease is not None
    measured = {"step": 7, "tokens": 10**6, "model_parameters": 10**6, "seconds": 1.0}
    losses = dict.fromkeys(lease["targets"], 2.5)
    body = {**measured, "losses": losses, "lease": lease["lease"]}
    service.client.put_result(lease["run"]["id"], body)
    service.client.put_result(lease["run"]["id"], body)  # the same again changes no data


@pytest.mark.parametrize("change", [{"state": "failed"}, {"result": {"losses": {"domain-0": 9.0}}}])
def test_case_43_a_fit_whose_own_runs_changed_before_it_began_fails_and_says_so(
    tenant: Service, change: dict[str, object]
) -> None:
    Measured.simulated(8).stored(tenant)
    fit = tenant.client.create_fit("trial", {"method": "linear", "folds": 3})
    first = tenant.client.runs("trial")[0]["id"]
    with tenant.database.session() as session:
        session.execute(update(ProxyRun).where(ProxyRun.id == first).values(**change))
    failed = work_on(tenant, "fit", fit)
    assert (failed["state"], failed["error_code"]) == ("failed", "inputs_changed")
    assert "8 runs of this fit have changed" in failed["error"]
    assert failed["scores"] is None
    assert queued(tenant, fit["id"]) == 1, "the first one alone: it is not tried again"
