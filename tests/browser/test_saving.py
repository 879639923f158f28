"""What pages show can be taken along: tables and the data of figures as CSV, figures as PNG."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Watched, logged_in
from tests.support.populated import STUDY
from tests.support.servers import Service

pytestmark = pytest.mark.browser

Populated = tuple[Service, dict[str, str]]


def saved(seen: Watched, label: str) -> bytes:
    with seen.page.expect_download() as waiting:
        seen.page.get_by_role("button", name=label, exact=True).click()
    return Path(waiting.value.path()).read_bytes()


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def test_a_table_is_saved_as_it_is_sorted_and_filtered(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.open(paths["study"])
    domains = seen.page.locator("table[data-name=domains]")
    domains.get_by_role("button", name="tokens").click()
    head, *body = rows(saved(seen, "save domains as CSV"))
    assert head[:2] == ["domain", "tokens"]
    tokens = {row["name"]: row["tokens"] for row in service.client.study(STUDY)["definition"]["domains"]}
    assert [row[0] for row in body] == sorted(tokens, key=lambda name: tokens[name])
    seen.check()


def test_a_figure_is_saved_as_a_picture_and_as_numbers(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.open(paths["proposal"])
    assert saved(seen, "save the figure mixture as PNG").startswith(b"\x89PNG")
    head, *body = rows(saved(seen, "save the data of the figure mixture as CSV"))
    assert head[0] == "trace"
    names = {row["name"] for row in service.client.study(STUDY)["definition"]["domains"]}
    assert names <= {cell for row in body for cell in row}
    seen.check()


def test_no_cell_is_a_formula(chromium: Browser, populated: Populated) -> None:
    service, paths = populated
    seen = logged_in(chromium, service)
    seen.open(paths["study"])
    cells = ["=1+1", "@x", "-2", "+3.5", 'a,"b"', " =2", " ok"]
    told = seen.page.evaluate("async row => (await import('/static/saving.js')).csv([row])", cells)
    assert rows(told.encode()) == [["'=1+1", "'@x", "-2", "+3.5", 'a,"b"', "' =2", " ok"]]
