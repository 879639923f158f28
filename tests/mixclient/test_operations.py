"""The client knows the whole API: what the document says, it can call, with the types that it gives."""

import inspect
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from mixclient.service.clients import Operations
from mixclient.service.operation import Items, Listing, Operation

from mixclient import AsyncServiceClient, ServiceClient
from tests.support import client_documents
from tests.support.documents import HOW, openapi


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi()


def operations() -> dict[tuple[str, str], Operation[Any, Any]]:
    """Every operation of the client, by method and path."""
    found = [getattr(Operations, name) for name in dir(Operations)]
    return {(one.method, one.path): one for one in found if isinstance(one, Operation)}


def described(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation of the document, by method and path."""
    return {
        (method.upper(), path): told
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    }


def answered(told: dict[str, Any]) -> Any:
    """The schema of an answer that tells of success."""
    for status, answer in told["responses"].items():
        content = answer.get("content", {}).get("application/json")
        if status < "300" and content:
            return content["schema"]
    return None


def named(kind: Any) -> set[str]:
    """Names of the documents in a type, such as those in `Tagged[NotesBody] | None`."""
    inner = get_args(kind)
    return set().union(*map(named, inner)) if inner else {kind.__name__} - {"NoneType"}


def test_every_operation_of_the_document_has_a_method_and_every_method_is_in_the_document(
    document: dict[str, Any],
) -> None:
    assert set(operations()) == set(described(document))


def test_a_key_is_sent_with_whatever_takes_one(document: dict[str, Any]) -> None:
    for address, told in described(document).items():
        names = {parameter["name"] for parameter in told.get("parameters", [])}
        assert operations()[address].keyed == ("Idempotency-Key" in names), address


def test_lists_are_read_page_by_page(document: dict[str, Any]) -> None:
    for address, told in described(document).items():
        names = {parameter["name"] for parameter in told.get("parameters", [])}
        # A log is no list: its pages have more than items.
        paged = "cursor" in names and not address[1].endswith("/log")
        assert isinstance(operations()[address], Listing) == paged, address


def test_answers_have_the_types_of_the_document(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for address, told in described(document).items():
        operation = operations()[address]
        (answer,) = get_args(get_type_hints(operation._write)["return"])
        schema = answered(told)
        if schema is None:
            continue
        name = schema.get("$ref", "").rpartition("/")[2]
        held = schemas.get(name, schema)
        lists = [part for part in (held, *held.get("properties", {}).values()) if "items" in part]
        items = {part["items"].get("$ref", "").rpartition("/")[2] for part in lists}
        is_list = isinstance(operation, Listing) or get_origin(answer) is list
        assert named(answer) <= (items if is_list else {name}), address


def test_the_types_are_those_of_the_document(document: dict[str, Any]) -> None:
    kept = {path.name: path.read_text(encoding="utf-8") for path in client_documents.FOLDER.glob("*.py")}
    assert kept == client_documents.files(document), HOW


def test_both_clients_show_what_an_operation_takes() -> None:
    with ServiceClient("http://service", "key") as client:
        assert list(inspect.signature(client.study).parameters) == ["study"]
        assert list(inspect.signature(client.runs).parameters) == ["study", "state", "purpose", "limit"]
        assert isinstance(client.runs, Items)
        assert "newest first" in str(client.studies.__doc__)
        several = AsyncServiceClient("http://service", "key")
        assert inspect.signature(several.pin_job) == inspect.signature(client.pin_job)
