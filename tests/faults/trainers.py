"""What the trainers of these cases send, and what the service says to it."""

import json
from typing import Any

import httpx

from tests.service.problems import problem_of
from tests.service.reports import JOB, report
from tests.support.servers import Service
from tests.support.stored import steering_of

NAME = JOB["name"]
PATH = f"/v1/jobs/{NAME}"


def create(service: Service, **more: Any) -> dict[str, Any]:
    """The job that these trainers report to."""
    return service.client.create_job({**JOB, **more})


def losses(**means: float | None) -> dict[str, Any]:
    """Fields of a report with these mean losses over 512 tokens of each domain; None for not finite."""
    return {
        "loss_sums": {name: None if mean is None else 512 * mean for name, mean in means.items()},
        "token_counts": dict.fromkeys(means, 512),
        "non_finite": [name for name, mean in means.items() if mean is None],
    }


def send(service: Service, *reports: dict[str, Any], job: str = NAME) -> Any:
    """The answer to a batch that is taken."""
    return service.client.call("POST", f"/v1/jobs/{job}/reports", body={"reports": reports})


def refused(
    service: Service, body: Any, status: int, *words: str, code: str, text: str | None = None
) -> dict[str, Any]:
    """The problem that reports are refused with; nothing that steers the job has changed."""
    before = steering_of(service, NAME)
    answer = posted(service, json.dumps(body) if text is None else text)
    problem = problem_of(answer, status, *words, code=code)
    assert steering_of(service, NAME) == before
    return problem


def posted(service: Service, content: str | bytes, **headers: str) -> httpx.Response:
    """The answer to a body as it is."""
    with service.http(service.key, **{"Content-Type": "application/json", **headers}) as http:
        return http.post(f"{PATH}/reports", content=content)


def told(service: Service, what: str = "") -> Any:
    """What the service tells of the job."""
    return service.client.call("GET", f"{PATH}{what}")


__all__ = ["JOB", "NAME", "PATH", "create", "losses", "posted", "refused", "report", "send", "told"]
