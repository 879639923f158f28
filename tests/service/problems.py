"""What every refusal of the service has in common."""

from typing import Any

import httpx

LONGEST_ANSWER = 50_000  # bytes: a problem is read by people


def problem_of(answer: httpx.Response, status: int, *words: str, code: str | None = None) -> dict[str, Any]:
    """The problem document of an answer, which must be one of this status that says these words."""
    assert answer.status_code == status, answer.text[:1000]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"/problems#{problem['code']}"
    assert problem["title"]
    assert problem["request_id"]
    assert len(answer.content) < LONGEST_ANSWER
    for word in words:
        assert word in problem["detail"], problem["detail"]
    assert problem["detail"] != problem["title"], "the detail says more than the kind"
    if code is not None:
        assert problem["code"] == code
    return problem
