"""`mixwright key`: a secret is shown once, works at once, and is stored nowhere."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from service.db import Database
from service.keys.admin_key import ensure_admin_key
from service.keys.service import principal_of_key
from service.scopes import PROJECT_SCOPES, WORKER_SCOPES
from tests.mixwright.commands import Command, Outcome

Keys = Callable[..., Outcome]


@pytest.fixture
def keys(command: Command, database: Database) -> Keys:
    """`mixwright key` on a database of the test's own."""
    return lambda *arguments, **settings: command(
        "key", *arguments, MIXWRIGHT_DATABASE_URL=database.conninfo, **settings
    )


def created(keys: Keys, *arguments: str) -> dict[str, Any]:
    done = keys("create", *arguments, "--json")
    assert (done.code, done.err) == (0, "")
    made: dict[str, Any] = json.loads(done.out)
    return made


def listed(keys: Keys, *arguments: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(keys("list", "--json", *arguments).out)
    return rows


def scopes_of(database: Database, secret: str) -> set[str]:
    with database.session() as session:
        principal = principal_of_key(session, secret)
        return set(principal.scopes) if principal else set()


def test_a_key_is_printed_alone_so_that_a_script_can_keep_it(keys: Keys, database: Database) -> None:
    secret = keys("create", "trainer").out.removesuffix("\n")
    assert scopes_of(database, secret) == set(WORKER_SCOPES)


def test_scopes_are_those_that_were_asked_for(keys: Keys, database: Database) -> None:
    few = created(keys, "reader", "--scope", "studies:read", "--scope", "jobs:read")
    assert scopes_of(database, few["key"]) == {"studies:read", "jobs:read"} == set(few["scopes"])
    assert scopes_of(database, created(keys, "owner", "--admin")["key"]) == set(PROJECT_SCOPES)


def test_no_list_shows_a_secret_and_no_table_stores_one(keys: Keys, database: Database) -> None:
    made = created(keys, "trainer")
    hidden = made["key"].split("_", 2)[-1]
    shown = keys("list").out + keys("list", "--json").out
    assert made["id"] in shown
    assert hidden not in shown
    with database.session() as session:
        for table in inspect(database.engine).get_table_names():
            stored = session.execute(text(f'SELECT t::text FROM "{table}" AS t')).scalars()  # noqa: S608 - ours
            assert not [row for row in stored if hidden in row], table


def test_a_narrow_terminal_cuts_nothing_off(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    made = created(keys, "trainer")
    monkeypatch.setenv("COLUMNS", "80")
    table = keys("list").out
    assert made["id"] in table
    assert "…" not in table


def test_the_table_shows_names_as_they_are(keys: Keys) -> None:
    created(keys, "[red]ab[/]")
    assert "[red]ab[/]" in keys("list").out


def test_a_revoked_key_is_refused_and_says_when(keys: Keys, database: Database) -> None:
    made, kept = created(keys, "lost"), created(keys, "kept")
    for _ in range(2):  # revoking twice is the same as once
        assert keys("revoke", made["id"]).out == f"revoked {made['id']}\n"
    assert scopes_of(database, made["key"]) == set()
    assert scopes_of(database, kept["key"]) == set(WORKER_SCOPES)
    table = [line for line in keys("list").out.splitlines() if "lost" in line or "kept" in line]
    assert ["it is revoked" in line for line in table] == [False, True]
    revoked = {row["name"]: row["revoked_at"] is not None for row in listed(keys)}
    assert revoked == {"lost": True, "kept": False}


def test_a_rotated_key_is_printed_alone_and_the_old_one_ends_later(keys: Keys, database: Database) -> None:
    old = created(keys, "trainer", "--scope", "jobs:read")
    secret = keys("rotate", old["id"], "--reason", "seen in a log").out.removesuffix("\n")
    assert scopes_of(database, secret) == {"jobs:read"} == scopes_of(database, old["key"])
    first, second = listed(keys)
    assert second["replaces_id"] == first["id"] == old["id"]
    assert first["expires_at"] is not None
    assert "was replaced by" in keys("rotate", old["id"]).sentence
    ended = keys("rotate", second["id"], "--overlap-hours", "0")
    assert scopes_of(database, secret) == set()
    assert scopes_of(database, ended.out.strip()) == {"jobs:read"}
    with database.session() as session:
        trail = session.execute(text("SELECT kind, actor, reason FROM audit_entries ORDER BY id")).all()
    assert [tuple(row) for row in trail][:2] == [
        ("key.created", "command line", ""),
        ("key.rotated", "command line", "seen in a log"),
    ]


def test_the_admin_key_that_is_rotated_is_written_where_it_was(
    keys: Keys, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "data" / "admin.key"
    old = ensure_admin_key(database, file)
    (row,) = listed(keys)
    done = keys("rotate", row["id"], MIXWRIGHT_DATA_FOLDER=str(file.parent))
    assert file.read_text() == done.out != old + "\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in done.err


def test_keys_of_another_project_are_apart(keys: Keys) -> None:
    created(keys, "theirs")
    made = created(keys, "mine", "--project", "other")
    assert made["project"] == "other"
    assert [row["name"] for row in listed(keys)] == ["theirs"]
    assert [row["id"] for row in listed(keys, "--project", "other")] == [made["id"]]
    assert f"no key {made['id']}" in keys("revoke", made["id"]).sentence
    assert "no project 'third'" in keys("revoke", made["id"], "--project", "third").sentence


def test_a_key_with_days_expires_that_much_later(keys: Keys) -> None:
    created(keys, "guest", "--days", "30")
    created(keys, "staff")
    guest, staff = listed(keys)
    assert guest["created_at"][:4] <= guest["expires_at"][:4]
    assert staff["expires_at"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "me", "--scope", "runs:wrok"), "scopes ['runs:wrok']: choose from studies:read"),
        (("create", "me", "--days", "0"), "--days"),
        (("create", "me", "--days", "3000000"), "--days"),
        (("create", ""), "a name has 1 to 100 characters"),
        (("create", "x" * 101), "a name has 1 to 100 characters"),
        (("create", "a\udcffb"), "a name has 1 to 100 characters"),
        (("create", "me", "--project", ""), "a name has 1 to 100 characters"),
        (("revoke", "mx_abc"), "'mx_abc' is no key id: `mixwright key list` shows them"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_made(
    keys: Keys, arguments: tuple[str, ...], message: str
) -> None:
    assert message in keys(*arguments).sentence
    assert listed(keys) == []


def test_a_key_in_a_file_is_made_once_and_never_printed(
    keys: Keys, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "scrape.key"
    for _ in range(2):
        done = keys("create", "prometheus", "--scope", "jobs:read", "--file", str(file))
        assert (done.code, done.out, done.err) == (0, "", "")
    assert scopes_of(database, file.read_text().strip()) == {"jobs:read"}
    assert [key["name"] for key in listed(keys)] == ["prometheus"]


def test_a_key_in_a_file_has_no_end_that_nobody_would_see(keys: Keys, tmp_path: Path) -> None:
    refused = keys("create", "x", "--file", str(tmp_path / "key"), "--days", "3")
    assert refused.code != 0
    assert "leave --days and --json out" in refused.sentence
    assert not (tmp_path / "key").exists()
