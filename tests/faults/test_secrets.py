"""Case 57: no key, no password and no stack trace in what the service answers, logs or prints."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from service.keys.sessions import create_link
from tests.service.reports import JOB, report
from tests.support.routes import inventory
from tests.support.servers import Service

STREAMS = "/events"
# What tells of the inside: lines of a stack trace, names of the driver, statements.
INSIDE = re.compile(
    r"Traceback|File \"|\.py\b|psycopg|sqlalchemy|SELECT |INSERT INTO|postgresql(\+\w+)?://", re.IGNORECASE
)


@dataclass
class Heard:
    """Everything that came out of the service.

    Args:
        answers: of HTTP, with their headers.
        secrets: what must be in none of it.
    """

    secrets: dict[str, str]
    answers: list[httpx.Response] = field(default_factory=list)

    def told(self) -> Iterator[tuple[str, str]]:
        """Every answer as text, with where it is from."""
        for answer in self.answers:
            where = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
            yield where, f"{dict(answer.headers)} {answer.text}"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that any logger of the process says, down to its chatter."""
    for name in ("httpx", "httpcore"):  # the test's own client
        caplog.set_level(logging.CRITICAL, logger=name)
    caplog.set_level(logging.DEBUG)
    return caplog


def printed(log: pytest.LogCaptureFixture) -> str:
    """Records as a log shows them, and all that a structured log could show of them."""
    formatter = logging.Formatter("%(levelname)s %(name)s %(message)s")
    return "\n".join(f"{formatter.format(record)} {vars(record)}" for record in log.records)


def drive(service: Service) -> Heard:
    """Call every address, well and badly, with secrets wherever a caller may put them."""
    with service.database.session() as session:
        link = create_link(session, project=service.project)
    wrong = f"{service.key[:-6]}AAAAAA"
    password = make_url(service.database.url).password
    unread = "mx_0123456789ab_" + "q" * 43
    heard = Heard({"key": service.key, "wrong key": wrong, "link": link, "key in a query": unread})
    if password:
        heard.secrets["database password"] = str(password)
    service.client.create_job(JOB)
    query = f"?key={unread}&token={service.key}"
    keys = (service.key, wrong)
    for key in keys:
        with service.http(key) as http:
            for address in inventory():
                if not address.path.endswith(STREAMS):
                    url = address.url.replace("nothing", JOB["name"]) + query
                    heard.answers.append(http.request(address.method, url, json={"key": service.key}))
    with service.http() as http:
        for form in ({"key": wrong}, {"key": service.key}):
            heard.answers.append(http.post("/login", data=form))
        heard.secrets["session"] = http.cookies["mixwright_session"]
        heard.answers.append(http.get(f"/login?link={link}x"))
        heard.answers.append(http.get("/v1/studies", headers={"Host": "evil.example"}))
    heard.answers.append(service.call("POST", f"/v1/jobs/{JOB['name']}/reports", report(9)))
    heard.answers.append(service.call("POST", "/v1/studies", "{" * 5000))
    return heard


def test_case_57_neither_answers_nor_logs_tell_a_secret(
    service: Service, log: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = drive(service)
    with service.database.session() as session:
        session.execute(text("ALTER TABLE studies RENAME TO elsewhere"))
    study = {"name": "x", "domains": [{"name": service.key, "tokens": 5}]}
    broken = [service.call("GET", "/v1/studies"), service.call("POST", "/v1/studies", study)]
    assert {answer.status_code for answer in broken} == {500}
    heard.answers += broken
    assert len(heard.answers) > 100
    assert {answer.status_code for answer in heard.answers} >= {200, 303, 401, 404, 421, 422, 500}
    for where, told in heard.told():
        for name, secret in heard.secrets.items():
            # A browser is given its own session, once, in the cookie.
            if not (name == "session" and where.startswith("POST /login 303")):
                assert secret not in told, f"{where} tells the {name}"
    for answer in heard.answers:
        if answer.headers.get("content-type") == "application/problem+json":
            assert not INSIDE.search(answer.text), answer.text
        assert answer.status_code < 500 or answer.json()["code"] == "internal_error"
    output = "".join(capfd.readouterr()) + printed(log)
    assert "failed" in output, "failures are logged"
    for name, secret in heard.secrets.items():
        assert secret not in output, f"the log tells the {name}"


def test_case_57_a_key_is_told_by_the_answers_that_make_one_and_no_other(tenant: Service) -> None:
    body = {"name": "trainer", "scopes": ["jobs:read"]}
    key = tenant.client.call("POST", "/v1/keys", body=body)
    new = tenant.client.call("POST", f"/v1/keys/{key['id']}/rotate", body={})
    secrets = {one["key"].split("_", 2)[-1] for one in (key, new)}
    assert len(secrets) == 2
    shown = [tenant.call("GET", path).text for path in ("/v1/keys", "/v1/audit")]
    with tenant.database.session() as session:
        for table in ("api_keys", "audit_entries", "browser_sessions"):
            shown += session.scalars(text(f"SELECT t::text FROM {table} t"))  # noqa: S608 - ours
    assert not [secret for secret in secrets for told in shown if secret in told]
