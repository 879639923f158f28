"""Case 56: every address needs a key with a scope, on loopback too, but for a short list."""

from service.scopes import EVERY_SCOPE
from tests.service.problems import problem_of
from tests.support.routes import PUBLIC, WITHOUT_SCOPE, inventory
from tests.support.servers import Service


def test_case_56_the_inventory_finds_the_routes() -> None:
    names = {address.name for address in inventory()}
    assert {("POST", "/v1/jobs/{job}/reports"), ("DELETE", "/v1/keys/{key_id}"), ("GET", "/")} <= names
    assert len(names) > 40


def test_case_56_all_but_a_short_list_of_addresses_need_a_key_on_loopback_too(
    shared_service: Service,
) -> None:
    assert shared_service.url.startswith("http://127.0.0.1:")
    with shared_service.http() as http:
        answers = {address.name: http.request(address.method, address.url) for address in inventory()}
    assert {name for name, answer in answers.items() if answer.status_code != 401} == PUBLIC
    for (method, _), answer in answers.items():
        if answer.status_code == 401 and method != "HEAD" and "html" not in answer.headers["content-type"]:
            problem_of(answer, 401, "Authorization: Bearer mx_", code="unauthorised")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_case_56_a_route_names_exactly_one_scope() -> None:
    wrong = {
        address.name: address.scopes
        for address in inventory()
        if len(address.scopes) != (address.name not in PUBLIC | WITHOUT_SCOPE)
    }
    assert not wrong, "annotate the caller with needs(Scope...)"


def test_case_56_a_key_that_lacks_the_scope_of_a_route_is_told_which(tenant: Service) -> None:
    lacking = {
        scope: tenant.new_key(*(other for other in EVERY_SCOPE if other != scope)) for scope in EVERY_SCOPE
    }
    asked = set()
    with tenant.http() as http:
        for address in inventory():
            (scope,) = address.scopes or (None,)
            if scope is None:
                continue
            asked.add(scope)
            headers = {"Authorization": f"Bearer {lacking[scope]}"}
            answer = http.request(address.method, address.url, headers=headers)
            problem_of(answer, 403, f"lacks the scope '{scope}'", code="missing_scope")
    assert asked == set(EVERY_SCOPE)


def test_case_56_what_is_no_http_is_not_let_past_the_gate(shared_service: Service) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    with shared_service.http(**upgrade) as http:
        assert http.get("/v1/studies").status_code in {400, 401, 403}
