"""What comes in place of a schedule: ignored and counted, while the job follows the one that it has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.scripted import DOCUMENT, client, schedule, train
from tests.support.trainers import until

CURRENT = {**DOCUMENT, "version": 7, "stages": [{**DOCUMENT["stages"][0], "version": 7}]}
NEXT = {
    **CURRENT,
    "version": 8,
    "stages": [
        *CURRENT["stages"],
        {"effective_step": 50, "weights": {"web": 0.25, "code": 0.75}, "version": 8},
    ],
}
HTML = {"Content-Type": "text/html"}


def document(**changes: Any) -> httpx.Response:
    return httpx.Response(200, json={**NEXT, **changes})


STRANGE: dict[str, tuple[str, Callable[[], httpx.Response]]] = {
    "bytes": ("foreign_answers", lambda: httpx.Response(200, content=b"\x00\xff\xfe\x80" * 99)),
    "page of a proxy": ("foreign_answers", lambda: httpx.Response(200, text="<html>log in", headers=HTML)),
    "page of a gateway": ("failed_polls", lambda: httpx.Response(502, text="<html>bad", headers=HTML)),
    "cut off": ("foreign_answers", lambda: httpx.Response(200, content=document().content[:-40])),
    "nothing": ("foreign_answers", lambda: httpx.Response(200)),
    "other JSON": ("foreign_answers", lambda: httpx.Response(200, json=[1, 2])),
    "nested without end": ("foreign_answers", lambda: httpx.Response(200, content=b"[" * 100_000)),
    "older version": ("refused_schedules_older", lambda: document(version=6)),
    "older attempt": ("refused_schedules_older", lambda: document(attempt=0)),
    "other job": ("refused_schedules_other_job", lambda: document(job="other")),
    "other domains": ("refused_schedules_malformed", lambda: document(domains=[{"name": "law"}])),
    "other schema": ("refused_schedules_malformed", lambda: document(schema="mixture-schedule/v9")),
    "no number": ("refused_schedules_malformed", lambda: document(version="eight")),
    "no stage": ("refused_schedules_malformed", lambda: document(stages=[])),
}


@pytest.mark.parametrize("strange", sorted(STRANGE))
def test_case_29_what_is_no_newer_schedule_is_ignored_and_counted(tmp_path: Path, strange: str) -> None:
    counted, made = STRANGE[strange]
    answers = [lambda: httpx.Response(200, json=CURRENT, headers={"ETag": '"1-7"'})]

    def get(_: httpx.Request) -> httpx.Response:
        return answers[-1]()

    follower = client(tmp_path, get=get)
    follower.start()
    held, kept = follower.schedule, (tmp_path / "schedule.json").read_text()
    answers.append(made)
    until(lambda: follower.counters().get(counted, 0) > 0)
    train(follower, range(20))
    assert follower.schedule == held
    assert {follower.stage(step).version for step in range(20)} == {7}
    assert (tmp_path / "schedule.json").read_text() == kept
    until(lambda: follower.gauges()["rung"] == 1)
    answers.append(lambda: httpx.Response(200, json=NEXT, headers={"ETag": '"1-8"'}))
    until(lambda: follower.schedule.version == 8)
    assert [follower.stage(step).version for step in (49, 50)] == [7, 8]
    until(lambda: follower.gauges()["rung"] == 0)
    follower.close(timeout=0.1)


def test_case_29_a_job_that_has_no_schedule_yet_does_not_begin_with_such_a_thing(tmp_path: Path) -> None:
    answers = iter([STRANGE["page of a proxy"][1], STRANGE["cut off"][1]])

    def get(request: httpx.Request) -> httpx.Response:
        strange = next(answers, None)
        return schedule(request) if strange is None else strange()

    follower = client(tmp_path, get=get)
    follower.start()
    assert follower.schedule.stages[0].weights == (0.5, 0.5)
    assert follower.counters()["foreign_answers"] == 2
    follower.close(timeout=0.1)
