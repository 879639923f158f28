"""The same fit, asked for by several at once."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from service.models import Fit
from tests.support.servers import Service
from tests.support.tasks import Measured, queued, work_on


def test_case_40_concurrent_fits_of_the_same_data_are_one_fit_and_one_task(tenant: Service) -> None:
    Measured.simulated(12).stored(tenant)
    body = {"method": "linear", "folds": 3}
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(tenant.call, "POST", "/v1/studies/trial/fits", body) for _ in range(6)]
        answers = [answer.result() for answer in asked]
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    fit = answers[0].json()
    assert {answer.headers["Location"] for answer in answers} == {f"/v1/fits/{fit['id']}"}
    assert queued(tenant, fit["id"]) == 1
    assert work_on(tenant, "fit", fit)["state"] == "done"
    again = tenant.call("POST", "/v1/studies/trial/fits", body)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, fit["id"], "done")
    other = tenant.call("POST", "/v1/studies/trial/fits", {**body, "seed": 1})
    assert (other.status_code, other.json()["id"] != fit["id"]) == (202, True)
    with tenant.database.session() as session:
        assert session.scalar(select(func.count()).where(Fit.data_digest == _digest(tenant, fit["id"]))) == 2


def _digest(service: Service, fit_id: str) -> str:
    with service.database.session() as session:
        return str(session.scalars(select(Fit.data_digest).where(Fit.id == fit_id)).one())
