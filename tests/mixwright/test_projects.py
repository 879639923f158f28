"""`mixwright project`: tenants are made with a first key, renamed, and removed once they are empty."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from service.db import Database
from service.keys.service import principal_of_key
from service.scopes import PROJECT_SCOPES
from tests.mixwright.commands import Command, Outcome

Projects = Callable[..., Outcome]


@pytest.fixture
def projects(command: Command, database: Database) -> Projects:
    """`mixwright project` on a database of the test's own."""
    return lambda *arguments: command("project", *arguments, MIXWRIGHT_DATABASE_URL=database.conninfo)


def names(projects: Projects) -> list[str]:
    return [row["name"] for row in json.loads(projects("list", "--json").out)]


def test_a_project_comes_with_a_key_that_may_do_everything_in_it_and_nothing_beside(
    projects: Projects, database: Database
) -> None:
    made = json.loads(projects("create", "team-a", "--json").out)
    with database.session() as session:
        principal = principal_of_key(session, made["key"])
    assert principal is not None
    assert str(principal.project_id) == made["id"]
    assert principal.scopes == set(PROJECT_SCOPES)
    assert names(projects) == ["default", "team-a"]
    assert "there is a project 'team-a' already" in projects("create", "team-a").sentence
    assert "team-a" in projects("list").out


def test_a_renamed_project_keeps_what_it_has(projects: Projects, database: Database) -> None:
    key = projects("create", "team-a").out.strip()
    assert projects("rename", "team-a", "team-b", "--reason", "merged").out == "renamed team-a to team-b\n"
    assert names(projects) == ["default", "team-b"]
    with database.session() as session:
        assert principal_of_key(session, key) is not None
    assert "there is a project 'default' already" in projects("rename", "team-b", "default").sentence
    assert "no project 'team-a': `mixwright project list`" in projects("rename", "team-a", "x").sentence


def test_a_project_that_is_not_empty_stays_and_an_empty_one_goes_with_its_keys(
    projects: Projects, database: Database
) -> None:
    key = projects("create", "team-a").out.strip()
    study = (
        "INSERT INTO studies (id, project_id, name, definition) "
        "SELECT gen_random_uuid(), id, 's', '{}' FROM projects WHERE name = 'team-a'"
    )
    with database.session() as session:
        session.execute(text(study))
    assert "still has studies: delete them first" in projects("delete", "team-a").sentence
    with database.session() as session:
        session.execute(text("DELETE FROM studies"))
    assert "the project of your own key" in projects("delete", "default").sentence
    assert projects("delete", "team-a", "--reason", "left").out == "deleted team-a\n"
    assert names(projects) == ["default"]
    with database.session() as session:
        assert principal_of_key(session, key) is None
        told = session.execute(text("SELECT kind, subject, reason FROM audit_entries ORDER BY id")).all()
    assert [tuple(row) for row in told] == [
        ("project.created", "team-a", ""),
        ("project.deleted", "team-a", "left"),
    ]
