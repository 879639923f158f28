"""Fits that try every method: what they tell, what they turn on, and what their scores may know."""

from typing import Any

import numpy as np
import pytest

from mixclient import ServiceError
from mixlaws.auto.auto import Auto
from mixlaws.registry import for_objective
from mixlaws.regressors.linear import Linear
from service.compute.fitting import run_fit
from service.compute.swarms import dump_problem
from service.models import Fit
from tests.support.servers import Service
from tests.support.tasks import SIMULATION, Measured, work_on

DOMAINS = SIMULATION.problem.domains
CHEAP = {"seconds": 0.02}  # leaves Gaussian processes and trees out, which take most of the time


MEASURED = Measured.simulated(24)


def fitted(service: Service, **body: Any) -> dict[str, Any]:
    done = work_on(service, "fit", service.client.create_fit("trial", body))
    assert done["state"] == "done", done["error"]
    return done


def computed(**more: Any) -> dict[str, Any]:
    swarm = SIMULATION.swarm(count=20, noise=0.05, rng=np.random.default_rng(1))
    told = run_fit(
        {
            "problem": {**dump_problem(SIMULATION.problem), "coefficients": [0.8, 0.2, 0.0]},
            "swarm": {
                "targets": list(swarm.targets),
                "weights": swarm.weights.tolist(),
                "values": swarm.values.tolist(),
            },
            "method": "auto",
            "params": CHEAP,
            "folds": 5,
            "seed": 0,
            **more,
        }
    )
    return {name: value for name, value in told.items() if not name.endswith("seconds")}


def test_a_fit_without_a_method_tries_all_and_tells_what_came_of_it(tenant: Service) -> None:
    MEASURED.stored(tenant)
    done = fitted(tenant, params=CHEAP)
    assert done["method"] == "auto"
    table = {row["member"]: row for row in done["table"]}
    assert {"constant", "linear", "exponential"} <= set(table)
    assert sum(row["weight"] for row in table.values()) == pytest.approx(1.0)
    assert "too costly" in table["gaussian_process"]["note"]
    assert table["gaussian_process"]["mae"] is None
    assert "held-out runs" in done["verdict"]
    assert 0 < done["objective_scores"]["mae"] < 0.2
    asked = tenant.client.create_proposal("trial", {"fit_id": done["id"]})
    proposal = work_on(tenant, "proposal", asked)
    assert proposal["state"] == "done"
    (best,) = proposal["proposals"]
    assert set(best["gain_by_member"]) <= {name for name, row in table.items() if row["weight"] > 0}
    assert "as the members of this fit see it" in tenant.call("GET", f"/proposals/{proposal['id']}").text
    (told,) = tenant.client.predict(done["id"], [DOMAINS.to_mapping(DOMAINS.natural)])
    assert min(told["deviation"].values()) > 0
    for target, half in told["half_width_95"].items():
        assert half >= 1.959 * told["deviation"][target]


def test_other_methods_have_no_table(tenant: Service) -> None:
    MEASURED.stored(tenant)
    done = fitted(tenant, method="linear")
    assert done["table"] is None
    assert done["verdict"] is None


def test_the_objective_is_that_of_the_study_unless_another_is_named() -> None:
    names = list(DOMAINS.names)
    of_study = computed()
    own = dict(zip(names, [0.8, 0.2, 0.0], strict=True))
    assert computed(params={**CHEAP, "objective": own}) == of_study
    other = {names[2]: 1.0}
    assert computed(params={**CHEAP, "objective": other})["table"] != of_study["table"]
    assert for_objective(Auto(objective=other), own) == Auto(objective=other)
    assert for_objective(Auto(), own) == Auto(objective=own)
    assert for_objective(Linear(), own) == Linear()


def test_an_objective_of_unknown_targets_is_refused_at_once(tenant: Service) -> None:
    MEASURED.stored(tenant)
    with pytest.raises(ServiceError, match="unknown target 'poetry' in the objective") as refused:
        tenant.client.create_fit("trial", {"params": {"objective": {"poetry": 1.0}}})
    assert refused.value.status == 422


def test_a_run_has_hardly_a_say_in_what_is_predicted_for_it() -> None:
    honest = np.array(computed()["predicted"])
    swarm = SIMULATION.swarm(count=20, noise=0.05, rng=np.random.default_rng(1))
    moved = swarm.values.copy()
    moved[7] += 0.5
    raw = {"targets": list(swarm.targets), "weights": swarm.weights.tolist(), "values": moved.tolist()}
    spoilt = np.array(computed(swarm=raw)["predicted"])
    # Neither as data nor through the weights of members; only the unit of errors knows it.
    assert np.abs(spoilt[7] - honest[7]).max() < 0.02
    others = np.delete(np.abs(spoilt - honest), 7, axis=0)
    assert others.max() > 0.05


def test_the_page_of_a_fit_shows_the_table_and_nothing_in_it_is_markup(tenant: Service) -> None:
    MEASURED.stored(tenant)
    done = fitted(tenant, params=CHEAP)
    page = tenant.call("GET", f"/fits/{done['id']}").text
    assert "What was tried" in page
    assert "exponential" in page
    assert "too costly" in page
    assert "R² in sample" in page
    nasty = "<script>alert(1)</script>"
    with tenant.database.session() as session:
        row = session.get_one(Fit, done["id"])
        assert row.result is not None
        table = [{**row.result["table"][0], "member": nasty, "note": nasty}]
        row.result = {**row.result, "table": table, "verdict": nasty}
    page = tenant.call("GET", f"/fits/{done['id']}").text
    assert nasty not in page
    # The member in the table and before its note, the note, and the verdict.
    assert page.count("&lt;script&gt;alert(1)") == 4
    plain = fitted(tenant, method="linear")
    assert "What was tried" not in tenant.call("GET", f"/fits/{plain['id']}").text
