"""Requests made up from the OpenAPI document: no failure of ours, and answers that are what it says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service.reports import JOB
from tests.support import documents
from tests.support.servers import Service

DOCUMENT = documents.openapi()
# A stream has no end that a generated request could wait for; its tests read it.
LEFT_OUT = {"GET /v1/jobs/{job}/schedule/events"}
CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 6  # requests of each operation


@schemathesis.serializer("application/x-ndjson")
def lines(_: object, value: object) -> bytes:
    """Bodies of studies as files, made up as text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


def operations() -> Iterator[str]:
    for path, methods in DOCUMENT["paths"].items():
        yield from (f"{method.upper()} {path}" for method in methods)


@pytest.fixture(scope="module")
def there(shared_service: Service) -> dict[str, str]:
    """What is there, by the parameters of paths that name it."""
    client = shared_service.client
    client.create_study({"name": "trial", "domains": JOB["domains"]})
    client.create_job(JOB)
    sweep = client.create_sweep("trial", {"design": "sobol", "count": 2})
    (run, _) = client.runs("trial")
    return {"study": "trial", "job": JOB["name"], "sweep_id": sweep["id"], "run_id": run["id"]}


@pytest.mark.parametrize("name", sorted(set(operations()) - LEFT_OUT))
def test_made_up_requests_get_answers_that_the_document_tells_of(
    shared_service: Service, there: dict[str, str], name: str
) -> None:
    method, path = name.split()
    operation = SCHEMA[path][method]
    strategy = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )

    @given(case=strategy, named=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answered(case: Case[Any], named: bool) -> None:
        if named:
            case.path_parameters |= {
                key: value for key, value in there.items() if key in case.path_parameters
            }
        headers = {"Authorization": f"Bearer {shared_service.key}"}
        response = case.call(base_url=shared_service.url, headers=headers)
        case.validate_response(response, checks=CHECKS)

    answered()


def test_nothing_is_left_out_but_streams() -> None:
    streams = {name for name in operations() if "text/event-stream" in str(_operation(name)["responses"])}
    assert streams == LEFT_OUT


def _operation(name: str) -> dict[str, Any]:
    method, path = name.split()
    operation: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return operation
