"""A job that was ended takes nothing more, and says so."""

import pytest

from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.servers import Service

PATH = f"/v1/jobs/{JOB['name']}"


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ("reports", report(19)),
        ("acks", {"attempt": 1, "version": 1, "step": 3, "outcome": "applied"}),
        ("attempts", {"from_step": 0}),
        ("freeze", {"reason": "why"}),
        ("domains", {"name": "new", "tokens": 5, "reason": "why"}),
    ],
    ids=["report", "acknowledgement", "attempt", "order", "domain"],
)
def test_case_17_an_ended_job_is_terminal(tenant: Service, part: str, body: dict[str, object]) -> None:
    tenant.client.create_job(JOB)
    tenant.client.call("POST", f"{PATH}/reports", body=report(9))
    ended = tenant.client.call("POST", f"{PATH}/end", body={"reason": "enough"})
    assert (ended["ended"]["reason"], ended["ended"]["by"]) == ("enough", "key test")
    assert tenant.client.call("POST", f"{PATH}/end", body={"reason": "again"}) == ended
    problem_of(tenant.call("POST", f"{PATH}/{part}", body), 409, "enough", code="terminal")
    again = tenant.client.call("POST", f"{PATH}/reports", body=report(9))
    assert (again["accepted"], again["duplicates"]) == (0, 1), "what was stored before its end is no news"
    after = tenant.client.job(JOB["name"])
    refusals = {"terminal": 1} if part == "reports" else {}
    came = {"reports_duplicate": 1, "last_report_at": after["last_report_at"], "refusals": refusals}
    assert after == {**ended, **came}
    assert tenant.call("GET", f"{PATH}/schedule").status_code == 200
