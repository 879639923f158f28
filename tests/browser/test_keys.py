"""Keys and audit: made, shown once, revoked after a confirmation, and told in the trail."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Watched, logged_in, watched
from tests.browser.test_pages import shoot
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]
NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def seen(chromium: Browser, populated: Populated) -> Iterator[Watched]:
    service, _ = populated
    watching = logged_in(chromium, service)
    yield watching
    watching.check()
    watching.page.context.close()


def made(seen: Watched, name: str, *scopes: str) -> str:
    """A key made by the form; its secret as the page shows it."""
    seen.open("/keys")
    seen.page.get_by_label("What it is for").fill(name)
    for scope in scopes:
        seen.page.get_by_role("checkbox", name=scope, exact=True).check()
    seen.page.get_by_role("button", name="Make the key").click()
    return seen.page.locator("#secret").inner_text()


def test_a_key_is_made_shown_once_and_works_until_it_is_revoked(seen: Watched, populated: Populated) -> None:
    service, _ = populated
    secret = made(seen, NASTY, "studies:read")
    shoot(seen, "keys-made")
    with service.http(secret) as http:
        assert http.get("/v1/studies").status_code == 200
        assert http.get("/v1/jobs").status_code == 403
    seen.open("/keys")
    assert secret not in seen.page.content()
    row = seen.page.locator("table[data-name=keys] tbody tr").filter(has_text=NASTY)
    expect(row).to_contain_text("works")
    expect(row).to_contain_text("studies:read")
    row.get_by_label(f"revoke the key {NASTY}").press("Enter")
    row.get_by_label("Why, for the audit trail").fill("leaked & seen")
    shoot(seen, "keys-revoke")
    row.get_by_role("button", name=f"Revoke {NASTY}").click()
    expect(row).to_contain_text("revoked")
    expect(row.get_by_role("button", name="Revoke")).to_have_count(0)
    with service.http(secret) as http:
        assert http.get("/v1/studies").status_code == 401
    seen.page.get_by_role("link", name="Audit trail").click()
    newest = seen.page.locator("table[data-name=audit] tbody tr").first
    for told in ("key.revoked", NASTY, "leaked & seen"):
        expect(newest).to_contain_text(told)
    assert seen.page.locator("main img").count() == 0


def test_a_key_is_replaced_by_the_keyboard_and_both_work_for_the_hours_that_were_said(
    seen: Watched, populated: Populated
) -> None:
    service, _ = populated
    page = seen.page
    old = made(seen, "turned & tossed", "jobs:read")
    seen.open("/keys")
    rows = page.locator("table[data-name=keys] tbody tr").filter(has_text="turned")
    rows.get_by_label("replace the key").press("Enter")
    rows.get_by_label("Hours that the old one still works").fill("1")
    rows.get_by_label("Why it is replaced").fill("a year has passed")
    shoot(seen, "keys-replace")
    rows.get_by_role("button", name="Replace turned").press("Enter")
    new = page.locator("#secret").inner_text()
    expect(page.get_by_role("status", name="new key")).to_contain_text("shown this once")
    shoot(seen, "keys-replaced")
    assert new != old
    for secret in (old, new):
        with service.http(secret) as http:
            assert http.get("/v1/jobs").status_code == 200
    seen.open("/keys")
    assert new not in page.content()
    first, second = rows.all()
    expect(first).to_contain_text("replaced")
    expect(first.get_by_label("replace the key")).to_have_count(0)
    expect(second).to_contain_text("works")
    expect(second).to_contain_text("jobs:read")
    page.get_by_role("link", name="Audit trail").click()
    newest = page.locator("table[data-name=audit] tbody tr").first
    for told in ("key.rotated", "turned", "a year has passed", "overlap_seconds: 3600"):
        expect(newest).to_contain_text(told)


def test_a_key_that_cannot_be_made_says_why(seen: Watched) -> None:
    seen.open("/keys")
    seen.page.get_by_label("What it is for").fill("nothing")
    with seen.page.expect_response("**/keys") as answer:
        seen.page.get_by_role("button", name="Make the key").click()
    assert answer.value.status == 422
    expect(seen.page.get_by_role("alert")).to_contain_text("scopes")
    expect(seen.page.locator("table[data-name=keys] tbody tr").filter(has_text="nothing")).to_have_count(0)
    # The browser itself tells of an answer that is an error.
    seen.complaints[:] = [told for told in seen.complaints if "422" not in told]


def test_the_trail_is_filtered_and_goes_on(seen: Watched, populated: Populated) -> None:
    service, _ = populated
    for number in range(3):
        service.client.call("POST", "/v1/keys", body={"name": f"paged-{number}", "scopes": ["jobs:read"]})
    seen.open("/audit")
    shoot(seen, "audit")
    seen.page.get_by_label("What").select_option("key.created")
    seen.page.get_by_role("button", name="Show").click()
    kinds = seen.page.locator("table[data-name=audit] tbody td:nth-child(3)")
    assert set(kinds.all_inner_texts()) == {"key.created"}
    whole = seen.page.locator("table[data-name=audit] tbody td:nth-child(4)").all_inner_texts()
    seen.open("/audit?kind=key.created&limit=2")
    paged = []
    for _ in range(len(whole)):
        paged += seen.page.locator("table[data-name=audit] tbody td:nth-child(4)").all_inner_texts()
        older = seen.page.get_by_role("link", name="Older")
        if not older.count():
            break
        older.click()
    assert paged == whole, "every entry is seen once"
    seen.open("/audit?since=2999-01-01")
    expect(seen.page.get_by_text("Nothing of that kind was done")).to_be_visible()


@pytest.mark.parametrize(
    ("scope", "reads", "refused"), [("keys:admin", "/keys", "/audit"), ("audit:read", "/audit", "/keys")]
)
def test_each_page_is_for_those_whose_scopes_allow_it(
    chromium: Browser, populated: Populated, scope: str, reads: str, refused: str
) -> None:
    service, _ = populated
    seen = watched(chromium, service.url, width=390)
    seen.page.goto(service.url + "/login")
    seen.page.fill("#key", service.new_key(scope, "studies:read"))
    seen.page.keyboard.press("Enter")
    seen.page.get_by_role("link", name="Keys and audit").click()
    assert seen.page.url == service.url + reads
    overflow = seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    shoot(seen, f"{reads[1:]}-390")
    expect(seen.page.get_by_role("navigation", name="keys and audit")).to_have_count(0)
    answer = seen.page.goto(service.url + refused)
    assert answer is not None
    assert answer.status == 403
    expect(seen.page.get_by_role("alert")).to_contain_text("lacks the scope")
    if reads == "/keys":
        seen.open("/keys")
        offered = seen.page.locator("fieldset label").all_inner_texts()
        assert {text.strip() for text in offered} == {"keys:admin", "studies:read"}
