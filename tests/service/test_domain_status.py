"""What is told of the domains of a job agrees with its schedule."""

import math

from mixclient import Schedule
from tests.service.reports import JOB, report
from tests.support.servers import Service

PATH = f"/v1/jobs/{JOB['name']}"


def test_a_retired_domain_has_no_weight_and_others_run_dry_the_sooner(service: Service) -> None:
    domains = [{**domain, "tokens": 300_000, "max_epochs": 2} for domain in JOB["domains"]]
    service.client.create_job({**JOB, "domains": domains})
    service.client.call("POST", f"{PATH}/reports", body=report(9))
    order = {"domain": "law", "reason": "its licence was withdrawn"}
    stage = service.client.call("POST", f"{PATH}/retire", body=order)["schedule"]["stages"][-1]
    rate, made = 3 * 512 / 10, 10  # tokens of a step, steps
    for told in service.client.call("GET", f"{PATH}/domains"):
        weight = stage["weights"][told["name"]]
        lasts = math.ceil((600_000 - 512) / (weight * rate)) if weight else None
        assert told["weight"] == weight
        assert told["dry_step"] == (lasts and made + lasts)
        assert told["retired"] == (weight == 0) == (told["name"] == "law")


def test_a_retired_domain_is_not_drawn_after_a_restart_either(service: Service) -> None:
    service.client.create_job(JOB)
    for step in (9, 19):
        service.client.call("POST", f"{PATH}/reports", body=report(step))
    order = {"domain": "law", "reason": "its licence was withdrawn"}
    service.client.call("POST", f"{PATH}/retire", body=order)
    service.client.open_attempt(JOB["name"], 20)  # whose state had placed its weights at step 39
    schedule = Schedule.parse(service.client.call("GET", f"{PATH}/schedule"))
    law = schedule.domains.index("law")
    assert {schedule.stage_at(step).weights[law] for step in range(20, 100)} == {0.0}
