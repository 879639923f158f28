"""Fits and proposals in the background: from finished runs to mixtures, over HTTP; once by real tasks."""

from typing import Any

import numpy as np
import pytest
from mixclient.schedule import Schedule

from mixclient import ConflictError, ServiceError
from mixlaws.simulation import Simulation
from tests.support.populated import settled
from tests.support.servers import Service
from tests.support.tasks import Measured, work_on

SIMULATION = Simulation.create(domains=4, rng=np.random.default_rng(3))


def finished_study(service: Service, *, count: int = 24, repeats: int = 0) -> Simulation:
    """A study whose runs were measured on a known truth."""
    rng = np.random.default_rng(2)
    sampled = SIMULATION.swarm(count=count, noise=0.0, rng=rng).weights
    swarm = SIMULATION.measure(np.vstack([sampled, np.full((repeats, 4), 0.25)]), noise=0.01, rng=rng)
    objective = dict.fromkeys(SIMULATION.problem.domains.names, 1.0)
    Measured(swarm.weights, swarm.values, SIMULATION).stored(service, objective=objective)
    return SIMULATION


def fit(service: Service, **body: Any) -> dict[str, Any]:
    made = service.client.create_fit("trial", {"method": "gaussian_process", **body})
    return work_on(service, "fit", made)


def real_fit(service: Service, method: str) -> dict[str, Any]:
    """The same in a child of a task worker, as users have it."""
    return settled(service.client.fit, service.client.create_fit("trial", {"method": method})["id"])


def test_a_fit_scores_what_it_did_not_see_and_its_proposal_is_good(service: Service) -> None:
    simulation = finished_study(service, repeats=4)
    done = real_fit(service, "gaussian_process")
    assert done["state"] == "done", done["error"]
    assert done["runs"] == 28
    assert all(scores["r2"] > 0.5 for scores in done["scores"].values())
    assert done["objective_scores"]["spearman"] > 0.9
    assert done["objective_scores"]["r2"] > 0.8
    assert done["noise"]["degrees_of_freedom"] == 3
    assert done["noise"]["targets"]["domain-0"] == pytest.approx(0.01, rel=0.9)
    other = real_fit(service, "exponential")
    assert other["state"] == "done", other["error"]
    asked = service.client.create_proposal("trial", {"fit_id": done["id"], "count": 2})
    answer = settled(service.client.proposal, asked["id"])
    assert answer["state"] == "done", answer["error"]
    best = answer["proposals"][0]
    weights = simulation.problem.domains.to_array(best["weights"])
    rng = np.random.default_rng(0)
    assert simulation.regret(weights, rng=rng) < 0.02
    assert simulation.regret(weights, rng=rng) < 0.5 * simulation.regret(simulation.problem.prior, rng=rng)
    truth = simulation.truth.predict(weights[None, :])[0]
    predicted = np.array([best["predicted"][name] for name in simulation.problem.domains.names])
    assert predicted == pytest.approx(truth, abs=0.05)
    assert set(best["gain_by_other_fits"]) == {"exponential"}
    assert answer["references"]["prior"]["objective"] - best["objective"] == pytest.approx(
        best["gain_over_prior"]
    )


def test_a_proposal_is_compared_with_rules_and_with_the_mixture_in_use(tenant: Service) -> None:
    simulation = finished_study(tenant)
    done = fit(tenant)
    names = simulation.problem.domains.names
    utilities = {
        "kind": "mixwright statistics",
        "schema": 1,
        "domains": list(reversed(names)),
        "tasks": list(names),
        "statistics": {"utilities": np.eye(4)[::-1].tolist()},
    }
    today = {**dict.fromkeys(names, 0.0), names[0]: 1.0}
    body = {"fit_id": done["id"], "rivals": {"today": today}, "statistics": utilities}
    asked = tenant.client.create_proposal("trial", body)
    answer = work_on(tenant, "proposal", asked)
    assert answer["state"] == "done", answer["error"]
    rivals = {rival["name"]: rival for rival in answer["rivals"]}
    assert set(rivals) == {"temperature", "utilimax", "today"}
    assert rivals["today"]["weights"] == today
    # A domain that serves its own target alone: utilities as even as the objective give an even mixture.
    assert list(rivals["utilimax"]["weights"].values()) == pytest.approx([0.25] * 4)
    assert "final_tokens" in answer["rivals_left_out"]["unimax"]
    best = answer["proposals"][0]
    assert best["details"]["better_than_today"] > 0.95
    assert rivals["today"]["hull_distance"] > 0.05
    page = tenant.call("GET", f"/proposals/{asked['id']}").text
    assert "chance that the proposal is better" in page
    assert "utilimax" in page


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"rivals": {"today": {"domain-0": 1.0}}}, "no value for 'domain-1'"),
        ({"rivals": {"unimax": dict.fromkeys(SIMULATION.problem.domains.names, 0.25)}}, "as a rule is"),
        ({"rivals": {"today": dict.fromkeys(SIMULATION.problem.domains.names, 0.2)}}, "sum to 0.8"),
        ({"statistics": {"kind": "nothing"}}, "no statistics"),
    ],
)
def test_rivals_that_make_no_sense_are_refused_at_once(
    tenant: Service, body: dict[str, Any], message: str
) -> None:
    finished_study(tenant, count=6)
    done = fit(tenant, method="linear")
    with pytest.raises(ServiceError, match=message) as refused:
        tenant.client.create_proposal("trial", {"fit_id": done["id"], **body})
    assert refused.value.status == 422


def test_the_same_fit_of_the_same_runs_is_made_once_and_goes_stale_with_new_ones(tenant: Service) -> None:
    finished_study(tenant)
    first = fit(tenant)
    assert tenant.client.create_fit("trial", {"method": "gaussian_process"})["id"] == first["id"]
    assert not first["stale_inputs"]
    tenant.client.create_sweep("trial", {"design": "sobol", "count": 1, "seed": 9})
    lease = tenant.client.claim_run("tester")
    assert lease is not None
    body = {"step": 1, "tokens": 400_000, "model_parameters": 92_000, "seconds": 1.0, "lease": lease["lease"]}
    tenant.client.put_result(lease["run"]["id"], {**body, "losses": dict.fromkeys(lease["targets"], 3.0)})
    assert tenant.client.fit(first["id"])["stale_inputs"]
    assert tenant.client.create_fit("trial", {"method": "gaussian_process"})["id"] != first["id"]


def test_confirmations_are_not_fitted_with_the_proxies(tenant: Service) -> None:
    finished_study(tenant)
    uniform = {"weights": dict.fromkeys(SIMULATION.problem.domains.names, 0.25)}
    tenant.client.create_sweep("trial", {"purpose": "confirmation", "mixtures": [uniform]})
    lease = tenant.client.claim_run("tester")
    assert lease is not None
    body = {"step": 1, "tokens": 1, "model_parameters": 1, "seconds": 1.0, "lease": lease["lease"]}
    tenant.client.put_result(lease["run"]["id"], {**body, "losses": dict.fromkeys(lease["targets"], 1.0)})
    assert fit(tenant, method="linear")["runs"] == 24


def test_too_few_runs_for_a_law_fail_with_the_number_needed(tenant: Service) -> None:
    finished_study(tenant, count=4)
    failed = fit(tenant, method="exponential")
    assert failed["state"] == "failed"
    assert "4 finished proxy runs" in failed["error"]
    assert "needs at least 5: extend the sweep" in failed["error"]
    with pytest.raises(ConflictError, match="is failed: wait until it is done"):
        tenant.client.create_proposal("trial", {"fit_id": failed["id"]})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"method": "gausian_process"}, "did you mean 'gaussian_process'"),
        ({"params": {"restart": 3}}, "restart"),
        ({"method": "exponential", "params": {"ridge": -1.0}}, r"ridge is -1\.0"),
        ({"folds": 1}, "folds"),
    ],
)
def test_a_fit_that_makes_no_sense_is_refused_at_once(
    tenant: Service, body: dict[str, Any], message: str
) -> None:
    finished_study(tenant, count=6)
    with pytest.raises(ServiceError, match=message) as refused:
        tenant.client.create_fit("trial", {"method": "gaussian_process", **body})
    assert refused.value.status == 422


def test_without_finished_runs_there_is_nothing_to_fit(tenant: Service) -> None:
    tenant.client.create_study({"name": "trial", "domains": [{"name": "a", "tokens": 1}]})
    with pytest.raises(ServiceError, match="no finished proxy run to fit"):
        tenant.client.create_fit("trial", {"method": "linear"})


def test_a_proposal_that_cannot_be_made_says_why(tenant: Service) -> None:
    finished_study(tenant)
    trees = fit(tenant, method="lightgbm", params={"rounds": 50}, folds=2)
    asked = tenant.client.create_proposal("trial", {"fit_id": trees["id"], "proposer": "convex"})
    answer = work_on(tenant, "proposal", asked)
    assert answer["state"] == "failed"
    assert "use the simulate proposer" in answer["error"]
    with pytest.raises(ServiceError, match="did you mean 'convex'"):
        tenant.client.create_proposal("trial", {"fit_id": trees["id"], "proposer": "convexx"})


def proposed(tenant: Service, fit_id: str, **body: Any) -> dict[str, Any]:
    asked = tenant.client.create_proposal("trial", {"fit_id": fit_id, **body})
    answer = work_on(tenant, "proposal", asked)
    assert answer["state"] == "done", answer["error"]
    return answer


def test_a_proposal_holds_frozen_domains_groups_and_distance_and_names_what_conflicts(
    tenant: Service,
) -> None:
    finished_study(tenant)
    done = fit(tenant)
    names = SIMULATION.problem.domains.names
    asked = {
        "frozen": {names[0]: 0.3},
        "groups": [{"name": "pair", "domains": [names[1], names[2]], "lower": 0.3, "upper": 0.45}],
        "max_distance": {"measure": "l1", "most": 1.2},
    }
    answer = proposed(tenant, done["id"], params={"kl": 0.0}, **asked)
    weights = SIMULATION.problem.domains.to_array(answer["proposals"][0]["weights"])
    assert weights[0] == pytest.approx(0.3, abs=1e-9)
    assert 0.3 - 1e-9 <= weights[1:3].sum() <= 0.45 + 1e-9
    assert np.abs(weights - SIMULATION.problem.prior).sum() <= 1.2 + 1e-9
    assert answer["configuration"]["groups"][0]["keep_proportions"] is False
    batch = proposed(
        tenant, done["id"], intent="explore", count=3, params={"candidates": 200, "kept": 40}, **asked
    )
    assert (batch["configuration"]["proposer"], len(batch["proposals"])) == ("explore", 3)
    for one in batch["proposals"]:
        assert one["weights"][names[0]] == pytest.approx(0.3, abs=1e-9)
    with pytest.raises(ServiceError, match=r"frozen at 0\.8; group 'pair' at least 0\.3"):
        tenant.client.create_proposal(
            "trial", {"fit_id": done["id"], **asked, "frozen": {names[0]: 0.8}, "max_distance": None}
        )


def test_a_proposal_for_another_objective_is_best_for_that_and_measured_by_its_noise(tenant: Service) -> None:
    finished_study(tenant, repeats=3)
    done = fit(tenant)
    first, second = SIMULATION.problem.domains.names[:2]
    found = []
    for objective in ({first: 2.0}, {second: 1.0}, {first: 1.0, second: 3.0}):
        asked = tenant.client.create_proposal(
            "trial", {"fit_id": done["id"], "objective": objective, "params": {"kl": 0.0}}
        )
        found.append(work_on(tenant, "proposal", asked))
    of_first, of_second, of_both = (answer["proposals"][0] for answer in found)
    assert of_first["objective"] == pytest.approx(of_first["predicted"][first])
    assert of_first["predicted"][first] < of_second["predicted"][first]
    assert of_second["predicted"][second] < of_first["predicted"][second]
    weighed = (of_both["predicted"][first] + 3 * of_both["predicted"][second]) / 4
    assert of_both["objective"] == pytest.approx(weighed)
    noise = done["noise"]["targets"]
    assert found[0]["noise"] == pytest.approx(noise[first])
    assert found[2]["noise"] == pytest.approx((noise[first] + 3 * noise[second]) / 4)
    prior = found[0]["references"]["prior"]
    (said,) = tenant.client.predict(done["id"], [prior["weights"]])
    assert prior["half_width_95"] == pytest.approx(said["half_width_95"])
    with pytest.raises(ServiceError, match="poetry"):
        tenant.client.create_proposal("trial", {"fit_id": done["id"], "objective": {"poetry": 1.0}})


def test_a_proposal_of_two_stages_comes_with_a_schedule_that_makes_its_mean(tenant: Service) -> None:
    finished_study(tenant)
    done = fit(tenant)
    names = SIMULATION.problem.domains.names
    stage = {"share": 0.25, "objective": {names[3]: 1.0}, "steps": 40, "samples_per_step": 8}
    answer = proposed(tenant, done["id"], second_stage=stage)
    best = answer["proposals"][0]
    page = tenant.call("GET", f"/proposals/{answer['id']}").text
    assert "1: 75.0 % of tokens" in page
    assert f"{100 * best['stages'][1]['weights'][names[3]]:.1f} %" in page
    to_array = SIMULATION.problem.domains.to_array
    mean = sum(stage["share"] * to_array(stage["weights"]) for stage in best["stages"])
    assert mean == pytest.approx(to_array(best["weights"]))
    assert best["stages"][1]["weights"][names[3]] > best["stages"][0]["weights"][names[3]]
    schedule = Schedule.parse(best["schedule"])
    trained = np.mean([schedule.stage_at(step).weights for step in range(40)], axis=0)
    assert trained == pytest.approx(to_array(best["weights"]))
    with pytest.raises(ServiceError, match="weights or an objective"):
        tenant.client.create_proposal("trial", {"fit_id": done["id"], "second_stage": {"share": 0.2}})
