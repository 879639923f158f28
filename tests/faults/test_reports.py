"""Reports that come twice, contradict each other, are out of order, have holes, or name what is not there."""

import pytest

from tests.faults.trainers import create, losses, posted, refused, report, send, told
from tests.support.replaying import same_again
from tests.support.servers import Service
from tests.support.stored import reports_of, steering_of


@pytest.fixture
def service(tenant: Service) -> Service:
    return tenant


def test_case_01_the_same_report_again_changes_nothing_and_is_counted(service: Service) -> None:
    create(service)
    first = send(service, report(9))
    before, schedule = steering_of(service, "run-7b"), told(service, "/schedule")
    again = send(service, report(9))
    assert (again["accepted"], again["duplicates"], again["version"]) == (0, 1, first["version"])
    assert again["state_token"] == first["state_token"]
    assert steering_of(service, "run-7b") == before
    assert told(service, "/schedule") == schedule
    job = told(service)
    assert (job["reports_accepted"], job["reports_duplicate"], job["refusals"]) == (1, 1, {})


def test_case_01_a_report_twice_in_one_batch_is_one_report(service: Service) -> None:
    create(service)
    answer = send(service, report(9), report(9))
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    assert len(reports_of(service, "run-7b")) == 1


def test_case_02_other_values_under_the_same_key_show_both_sides_and_change_nothing(service: Service) -> None:
    create(service)
    send(service, report(9))
    body = {"reports": [report(19), report(9, **losses(web=3.5))]}
    refused(service, body, 409, "rank0", "step 9", "first report stands", code="other_report")
    problem = refused(service, body, 409, code="other_report")
    assert problem["stored"]["loss_sums"][0] == 512 * 3.0
    assert problem["offered"]["loss_sums"][0] == 512 * 3.5
    assert told(service)["refusals"] == {"other_report": 2}
    entry = told(service, "/audit")["items"][0]
    assert (entry["kind"], entry["actor"], entry["taken_back"]) == ("refused", "trainer", False)
    assert "other_report, 2 times" in entry["reason"]
    assert "step 9" in entry["reason"]


def test_case_03_steps_out_of_order_are_stored_late_and_a_replay_gives_the_same(service: Service) -> None:
    create(service)
    send(service, report(12, step_from=12))
    before = told(service, "/schedule")
    answer = send(service, report(10, step_from=10), report(11, step_from=11))
    assert (answer["accepted"], answer["late"]) == (2, 2)
    assert told(service, "/schedule") == before
    assert told(service)["reports_late"] == 2
    stored = {row["step_to"]: (row["late"], row["applied_seq"]) for row in reports_of(service, "run-7b")}
    assert stored == {12: (False, 1), 10: (True, None), 11: (True, None)}
    send(service, report(22))
    assert [row["applied_seq"] for row in reports_of(service, "run-7b") if not row["late"]] == [1, 2]
    assert len(same_again(service, "run-7b")) == 3


def test_case_04_a_missing_step_is_seen_in_the_log_and_stops_nothing(service: Service) -> None:
    create(service)
    versions = [send(service, report(step, step_from=step))["version"] for step in (10, 12)]
    assert versions == [2, 3], "the policy goes on"
    entries = told(service, "/log")["entries"]
    ranges = [(one["step_from"], one["step_to"]) for entry in entries for one in entry["reports"]]
    assert ranges == [(10, 10), (12, 12)]
    assert told(service)["reports_late"] == 0


def test_case_08_an_unknown_domain_is_refused_with_the_nearest_name_and_never_made(service: Service) -> None:
    create(service)
    for field in ("loss_sums", "token_counts"):
        wrong = {field: {"web": 1, "cod": 1}}
        problem = refused(
            service,
            {"reports": [report(9), report(19, **wrong)]},
            422,
            "reports.1",
            "unknown domain 'cod'",
            "did you mean 'code'",
            code="unknown_domain",
        )
        assert "stored" not in problem
    nothing_like_it = report(9, loss_sums={"medicine": 1.0})
    refused(service, nothing_like_it, 422, "known: web, code, law", code="unknown_domain")
    assert [domain["name"] for domain in told(service)["definition"]["domains"]] == ["web", "code", "law"]
    assert told(service)["refusals"] == {"unknown_domain": 3}


def test_case_09_a_domain_that_is_left_out_was_not_observed(service: Service) -> None:
    for name, counts in (("left-out", {}), ("no-tokens", {"code": 0})):
        create(service, name=name)
        body = report(99, **losses(web=3.0, law=4.0))
        send(service, {**body, "token_counts": {**body["token_counts"], **counts}}, job=name)
    create(service, name="zero")
    send(service, report(99, **losses(web=3.0, code=0.0, law=4.0)), job="zero")
    left_out, no_tokens, zero = (
        service.client.call("GET", f"/v1/jobs/{name}/schedule")["stages"][-1]["weights"]
        for name in ("left-out", "no-tokens", "zero")
    )
    assert left_out == no_tokens != zero
    assert reports_of(service, "left-out")[0]["loss_sums"] == [512 * 3.0, None, 512 * 4.0]


@pytest.mark.parametrize("field", ["loss_sums", "token_counts"])
def test_case_11_a_domain_that_is_named_twice_is_refused_by_its_name(service: Service, field: str) -> None:
    create(service)
    good = '{"attempt": 1, "source": "rank0", "step_from": 0, "step_to": 9, "schedule_version": 1, %s}'
    fields = {"loss_sums": '{"web": 1.0, "code": 2.0}', "token_counts": '{"web": 5, "code": 5}'}
    twice = {**fields, field: fields[field].replace("code", "web")}
    text = good % ", ".join(f'"{name}": {value}' for name, value in twice.items())
    refused(service, None, 422, "the key 'web' occurs twice", code="duplicate_key", text=text)
    plain = good % ", ".join(f'"{name}": {value}' for name, value in fields.items())
    refused(
        service, None, 422, "'attempt' occurs twice", code="duplicate_key", text='{"attempt": 2, ' + plain[1:]
    )
    assert posted(service, plain).status_code == 200
    assert len(reports_of(service, "run-7b")) == 1


def test_case_13_sources_of_one_step_are_added_and_counted_once(service: Service) -> None:
    create(service, sources=["rank0", "rank1"])
    alone = send(service, report(99, **losses(web=2.0, code=3.0)))
    assert alone["version"] == 1, "one of two sources is no step yet"
    second = report(99, **losses(web=4.0, law=5.0), source="rank1")
    assert send(service, second)["version"] == 2
    assert send(service, second, report(99, **losses(web=2.0, code=3.0)))["duplicates"] == 2
    create(service, name="one-source")
    added = losses(code=3.0, law=5.0)
    added["loss_sums"]["web"], added["token_counts"]["web"] = 512 * 6.0, 1024
    send(service, report(99, **added), job="one-source")
    weights, same = (
        service.client.call("GET", f"/v1/jobs/{name}/schedule")["stages"][-1]["weights"]
        for name in ("run-7b", "one-source")
    )
    assert weights == pytest.approx(same, abs=1e-15)
    assert [row["source"] for row in reports_of(service, "run-7b")] == ["rank0", "rank1"]
    assert {row["applied_seq"] for row in reports_of(service, "run-7b")} == {1}


def test_case_13_a_silent_source_is_not_waited_for_longer_than_declared(service: Service) -> None:
    create(service, sources=["rank0", "rank1"], wait_steps=50)
    for step in range(9, 60, 10):
        assert send(service, report(step))["version"] == 1
    assert send(service, report(69))["version"] == 2, "step 9 is more than 50 steps behind now"
    late = send(service, report(9, source="rank1"))
    assert late["late"] == 1
    assert reports_of(service, "run-7b")[1]["applied_seq"] is None


def test_case_13_a_source_that_is_not_declared_is_refused(service: Service) -> None:
    create(service)
    refused(service, report(9, source="rank9"), 409, "'rank9'", "the job has rank0", code="undeclared_source")
    assert reports_of(service, "run-7b") == []
