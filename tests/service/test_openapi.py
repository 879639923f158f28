"""The document of the interface: complete, consistent, and true about problems and keys."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from service import examples
from tests.support import documents
from tests.support.servers import Service

Document = dict[str, Any]
PUBLIC = {"/livez", "/readyz"}


@pytest.fixture(scope="module")
def document(shared_service: Service) -> Document:
    answer = shared_service.call("GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    served: Document = answer.json()
    return served


def operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_document_has_the_members_that_its_version_asks_for(document: Document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Mixwright"
    assert document["info"]["version"]
    assert "POST /v1/studies" in document["info"]["description"]
    found = dict(operations(document))
    assert len(found) > 25
    ids = [operation["operationId"] for operation in found.values()]
    assert len(set(ids)) == len(ids)
    for name, operation in found.items():
        for status, answer in operation["responses"].items():
            assert status == "default" or 200 <= int(status) < 600, name
            assert answer["description"], name


def test_every_reference_leads_somewhere_and_no_schema_is_left_over(document: Document) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) == schemas


def test_every_operation_says_what_it_does(document: Document) -> None:
    silent = [name for name, operation in operations(document) if not operation.get("description")]
    silent += [name for name, operation in operations(document) if not operation.get("summary")]
    assert silent == []


def test_every_parameter_says_what_it_is_and_every_path_has_its_own(document: Document) -> None:
    for name, operation in operations(document):
        parameters = operation.get("parameters", [])
        assert [p["name"] for p in parameters if not p.get("description")] == [], name
        inside = {part.strip("{}") for part in name.split("/") if part.startswith("{")}
        assert {p["name"] for p in parameters if p["in"] == "path"} == inside, name
        assert all(p["required"] for p in parameters if p["in"] == "path"), name


def test_every_schema_and_every_field_says_what_it_is(document: Document) -> None:
    silent: list[str] = []
    for name, schema in document["components"]["schemas"].items():
        fields = schema.get("properties", {}).items()
        silent += [] if schema.get("description") else [name]
        silent += [f"{name}.{field}" for field, declared in fields if not declared.get("description")]
    assert silent == []


def test_every_body_refuses_unknown_fields(document: Document) -> None:
    bodies = [o["requestBody"]["content"] for _, o in operations(document) if "requestBody" in o]
    names = {reference.rsplit("/", 1)[1] for reference in references(bodies)}
    assert len(names) > 10
    open_ones = [
        name
        for name in names
        if document["components"]["schemas"][name].get("additionalProperties") is not False
    ]
    assert open_ones == []


def test_problems_and_keys_are_as_the_document_says(document: Document, shared_service: Service) -> None:
    problem = document["components"]["schemas"]["Problem"]
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status == "default" or int(status) >= 400:
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, name
        assert (operation.get("security") == []) == (name.split()[1] in PUBLIC), name
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    answers = [
        shared_service.call("GET", "/v1/studies/none"),
        shared_service.call("POST", "/v1/studies", {}),
        shared_service.call("DELETE", "/v1/studies"),
    ]
    for answer in answers:
        assert set(answer.json()) <= set(problem["properties"])
        assert set(answer.json()) >= set(problem["required"])


def test_every_body_has_an_example_that_its_schema_allows(document: Document) -> None:
    for name, operation in operations(document):
        succeeded = [answer for status, answer in operation["responses"].items() if status[0] == "2"]
        for body in (operation.get("requestBody", {}), *succeeded):
            for kind, content in body.get("content", {}).items():
                assert "example" in content, f"{name}: add one to the examples.json of its slice"
                if kind == "application/json":
                    checker = jsonschema_rs.validator_for({**document, **content["schema"]})
                    found = checker.iter_errors(content["example"])
                    wrong = [f"{error.instance_path}: {error.message}" for error in found]
                    assert wrong == [], name


def test_every_example_is_of_a_schema_that_is_used(document: Document) -> None:
    assert set(examples.read()) <= document["components"]["schemas"].keys()


def test_every_tag_is_described_and_used(document: Document) -> None:
    used = {tag for _, operation in operations(document) for tag in operation["tags"]}
    assert {tag["name"] for tag in document["tags"]} == used
    assert all(tag["description"] for tag in document["tags"])


def test_the_document_in_the_repository_is_the_one_that_is_served(document: Document) -> None:
    kept = documents.DOCS / "openapi.json"
    # Compared as text, so that the difference shows what has changed for callers.
    assert kept.read_text(encoding="utf-8") == documents.written(document), documents.HOW
