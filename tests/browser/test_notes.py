"""Notes of a study as people write them: tried, saved, and never over what somebody else wrote meanwhile."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Dialog, Locator, Page, expect

from service.studies.schemas import MOST_NOTES
from tests.browser.conftest import Watched, logged_in, watched
from tests.browser.test_accessibility import faults
from tests.browser.test_pages import shoot
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]
TEXT = """# Why

The **7B** run of spring; *code* may not fall below 10 %, see [the others](/studies).

- three seeds of the natural mixture
- ~~law~~ is out

| domain | least |
|---|--:|
| code | 10 % |
| web | 5 % |

> 300M is too small to tell.

```
mixwright import my-swarm --study my-study
```
"""
NASTY = [
    "<img src=x onerror=alert(1)>",
    "</textarea><script>alert(2)</script>",
    "[x](javascript:alert(3))",
    "![x](http://evil.example/pixel.png)",
    "<javascript:alert(4)>",
]


@pytest.fixture
def study(populated: Populated) -> str:
    """A new study without notes."""
    name = f"noted-{uuid4().hex[:8]}"
    populated[0].client.create_study({"name": name, "domains": [{"name": "web", "tokens": 9}]})
    return name


@pytest.fixture
def seen(chromium: Browser, populated: Populated) -> Iterator[Watched]:
    watching = logged_in(chromium, populated[0])
    yield watching
    watching.check()
    watching.page.context.close()


def section(page: Page) -> Locator:
    return page.locator("#notes")


def box(page: Page) -> Locator:
    return page.get_by_label("notes, in Markdown")


def stored(service: Service, study: str) -> str:
    text: str = service.client.study_notes(study).value["notes"]
    return text


def test_notes_are_written_tried_and_saved_by_keyboard_alone(
    seen: Watched, populated: Populated, study: str
) -> None:
    service, _ = populated
    page = seen.page
    seen.open(f"/studies/{study}")
    expect(section(page)).to_contain_text("None yet: what the study is for")
    page.get_by_role("button", name="Write notes").focus()
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.insert_text(TEXT)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Preview")).to_be_focused()
    page.keyboard.press("Enter")
    tried = section(page).locator(".preview")
    expect(tried.get_by_role("heading", name="Why")).to_be_visible()
    assert stored(service, study) == "", "a preview stores nothing"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    shown = section(page).get_by_role("region", name="notes")
    expect(shown.get_by_role("heading", name="Why")).to_be_visible()
    expect(section(page).get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_role("button", name="Edit notes")).to_be_focused()
    expect(shown.get_by_role("link", name="the others")).to_have_attribute("href", "/studies")
    assert stored(service, study) == TEXT
    seen.open(f"/studies/{study}")
    expect(shown.get_by_role("cell", name="10 %")).to_be_visible()
    page.get_by_role("button", name="Edit notes").click()
    expect(box(page)).to_have_value(TEXT)
    page.get_by_role("button", name="Cancel").click()
    expect(shown).to_be_visible()


def test_a_preview_follows_what_is_typed(seen: Watched, study: str) -> None:
    page = seen.page
    seen.open(f"/studies/{study}")
    page.get_by_role("button", name="Write notes").click()
    page.get_by_role("button", name="Preview").click()
    tried = section(page).locator(".preview")
    expect(tried).to_contain_text("None yet")
    box(page).fill("# First")
    expect(tried.get_by_role("heading", name="First")).to_be_visible()
    page.get_by_role("button", name="Discard my changes").click()
    expect(section(page)).to_contain_text("None yet: what the study is for")


def test_who_saves_over_newer_notes_sees_both_and_loses_nothing(
    seen: Watched, populated: Populated, study: str
) -> None:
    service, _ = populated
    page = seen.page
    seen.open(f"/studies/{study}")
    page.get_by_role("button", name="Write notes").click()
    box(page).fill("mine")
    service.client.put_study_notes(study, {"notes": "theirs, *first*"}, if_match="*")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(section(page)).to_contain_text("Somebody saved these notes while you wrote")
    expect(box(page)).to_have_value("mine")
    expect(page.get_by_label("saved meanwhile")).to_have_value("theirs, *first*")
    assert stored(service, study) == "theirs, *first*", "nothing was written over"
    shoot(seen, "notes-conflict-1280", section(page))
    assert faults(seen) == []
    # Even who then insists is told of a third one.
    service.client.put_study_notes(study, {"notes": "a third"}, if_match="*")
    page.get_by_role("button", name="Save mine instead").click()
    expect(page.get_by_label("saved meanwhile")).to_have_value("a third")
    page.get_by_role("button", name="Add these below mine").click()
    expect(box(page)).to_have_value("mine\n\na third")
    page.get_by_role("button", name="Save mine instead").click()
    expect(section(page).get_by_role("status").first).to_have_text("Saved.")
    assert stored(service, study) == "mine\n\na third"
    assert [text for text in seen.complaints if "412" not in text] == [], "a browser notes what was refused"
    assert len(seen.complaints) == 2
    seen.complaints.clear()


def test_who_gives_up_sees_what_the_others_wrote(seen: Watched, populated: Populated, study: str) -> None:
    service, _ = populated
    page = seen.page
    seen.open(f"/studies/{study}")
    page.get_by_role("button", name="Write notes").click()
    box(page).fill("mine")
    service.client.put_study_notes(study, {"notes": "theirs"}, if_match="*")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Discard my changes").click()
    expect(section(page).get_by_role("region", name="notes")).to_have_text("theirs")
    page.get_by_role("button", name="Edit notes").click()
    expect(box(page)).to_have_value("theirs")
    box(page).fill("after theirs")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(section(page).get_by_role("region", name="notes")).to_have_text("after theirs")
    seen.complaints.clear()


def test_notes_that_are_too_long_stay_in_the_box_and_the_page_says_by_how_much(
    seen: Watched, populated: Populated, study: str
) -> None:
    service, _ = populated
    page = seen.page
    seen.open(f"/studies/{study}")
    page.get_by_role("button", name="Write notes").click()
    expect(section(page)).to_contain_text(f"At most {MOST_NOTES:,} characters.")
    box(page).fill("é" * (MOST_NOTES + 12))
    expect(section(page)).to_contain_text(": 12 too many")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(section(page).get_by_role("alert")).to_contain_text("12 characters too long: shorten them")
    assert stored(service, study) == ""
    box(page).fill("é" * (MOST_NOTES - 5))
    expect(section(page)).to_contain_text(", 5 are left")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(section(page).get_by_role("status").first).to_have_text("Saved.")


def test_whoever_leaves_with_something_unsaved_is_asked(seen: Watched, study: str) -> None:
    page = seen.page
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    seen.open(f"/studies/{study}")
    page.get_by_role("button", name="Write notes").click()
    box(page).press_sequentially("half a thought")
    page.get_by_role("link", name="Compare").click()
    expect(box(page)).to_have_value("half a thought")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Discard my changes").click()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Compare")
    assert asked == ["beforeunload"]


def test_case_52_what_notes_hold_is_never_run(seen: Watched, populated: Populated, study: str) -> None:
    service, _ = populated
    page = seen.page
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    service.client.put_study_notes(study, {"notes": "\n\n".join(NASTY)}, if_match="*")
    seen.open(f"/studies/{study}")
    shown = section(page).get_by_role("region", name="notes")
    for text in (NASTY[0], NASTY[1], NASTY[2], NASTY[4]):
        expect(shown).to_contain_text(text)
    page.get_by_role("button", name="Edit notes").click()
    expect(box(page)).to_have_value("\n\n".join(NASTY))
    page.get_by_role("button", name="Preview").click()
    expect(section(page).locator(".preview")).to_contain_text(NASTY[0])
    assert page.locator("main img, main a[href^='javascript'], main [onerror]").count() == 0
    page.get_by_role("button", name="Cancel").click()


def test_who_may_only_read_sees_notes_and_nothing_to_press(
    chromium: Browser, populated: Populated, study: str
) -> None:
    service, _ = populated
    service.client.put_study_notes(study, {"notes": "to be read"}, if_match="*")
    seen = watched(chromium, service.url, width=1280)
    seen.page.goto(service.url + "/login", wait_until="networkidle")
    seen.page.fill("#key", service.new_key("studies:read"))
    seen.page.keyboard.press("Enter")
    expect(seen.page.get_by_role("button", name="Log out")).to_be_visible()
    seen.page.wait_for_load_state("networkidle")
    seen.open(f"/studies/{study}")
    expect(section(seen.page)).to_contain_text("to be read")
    expect(section(seen.page).get_by_role("button")).to_have_count(0)
    seen.check()
    seen.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_notes_fit_the_screen_and_have_no_serious_fault(
    chromium: Browser, populated: Populated, width: int, scheme: str
) -> None:
    service, paths = populated
    name = paths["study"].rsplit("/", 1)[1]
    service.client.put_study_notes(name, {"notes": TEXT}, if_match="*")
    seen = logged_in(chromium, service, width=width, scheme=scheme)
    seen.open(paths["study"])
    shoot(seen, f"notes-{width}-{scheme}", section(seen.page))
    assert faults(seen) == []
    seen.page.get_by_role("button", name="Edit notes").click()
    seen.page.get_by_role("button", name="Preview").click()
    expect(seen.page.locator(".preview").get_by_role("heading", name="Why")).to_be_visible()
    assert seen.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    shoot(seen, f"notes-edited-{width}-{scheme}", section(seen.page))
    assert faults(seen) == []
    seen.page.get_by_role("button", name="Cancel").click()
    seen.check()
    seen.page.context.close()
