"""Every problem leads to a page that says what to do: none is missing there, and none is made up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mixlaws import errors as library
from service import errors, problem_details
from service.problem_catalogue import KINDS, markdown
from service.refusals import INSUFFICIENT_DATA
from tests.service.problems import problem_of
from tests.support.servers import Service

ROOT = Path(__file__).parents[2]


def said_in(tree: ast.AST) -> Iterator[str]:
    """Codes that are written out in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "code":
            yield from chosen_of(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("problem") and len(node.args) >= 4:
            code = node.args[1]
            if isinstance(code, ast.Constant):
                yield str(code.value)


def chosen_of(value: ast.expr) -> Iterator[str]:
    """A constant, or the constants between which an expression chooses."""
    if isinstance(value, ast.Constant):
        yield str(value.value)
    if isinstance(value, ast.IfExp):
        yield from chosen_of(value.body)
        yield from chosen_of(value.orelse)


def every_code() -> set[str]:
    written = {
        code
        for path in (ROOT / "service").rglob("*.py")
        for code in said_in(ast.parse(path.read_text(encoding="utf-8")))
    }
    defaults = {kind.default_code for kind in vars(errors).values() if _is(kind, errors.ServiceError)}
    of_library = {errors.code_of(kind) for kind in vars(library).values() if _is(kind, library.MixlawsError)}
    titles = {title.lower().replace(" ", "_") for title in problem_details._TITLES.values()}
    of_database = {code for code, _ in problem_details._DATABASE_SAYS.values()}
    return written | defaults | of_library | of_database | titles | {"error", INSUFFICIENT_DATA}


def _is(kind: object, root: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, root)


def test_every_code_is_in_the_catalogue_and_no_other() -> None:
    assert set(KINDS) == every_code()


def test_the_page_of_the_documentation_is_the_catalogue() -> None:
    page = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    assert page == markdown(), "renew it: python -m tests.support.documents"


def test_the_type_of_a_problem_leads_to_its_part_of_a_page(shared_service: Service) -> None:
    problem = problem_of(shared_service.call("GET", "/v1/studies/none"), 404)
    page, _, part = problem["type"].partition("#")
    answer = shared_service.call("GET", page)
    assert answer.status_code == 200
    assert f'<section id="{part}">' in answer.text
    assert answer.text.count("What to do:") == len(KINDS)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/studies", "GET, POST"),
        ("PATCH", "/v1/studies/none", "DELETE, GET"),
        ("PUT", "/v1/studies/none/runs", "GET, POST"),
        ("DELETE", "/v1/jobs/none/domains", "GET, POST"),
        ("GET", "/v1/runs/claim/x/heartbeat", None),
        ("POST", "/static/style.css", "GET, HEAD"),
        ("DELETE", "/login", "GET, POST"),
        ("OPTIONS", "/v1/keys", "GET, POST"),
    ],
)
def test_an_address_names_all_methods_that_it_takes(
    shared_service: Service, method: str, path: str, allowed: str | None
) -> None:
    answer = shared_service.call(method, path)
    if allowed is None:
        problem_of(answer, 404)
        return
    problem_of(answer, 405, "the header Allow", code="method_not_allowed")
    assert answer.headers["Allow"] == allowed
