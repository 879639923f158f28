"""Keys in files: made once however many processes start, taken over from a deployment, never resurrected."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from service.db import Database
from service.keys import repository
from service.keys.admin_key import ensure_admin_key
from service.keys.key_files import KeyFileError, ensure_key
from service.keys.secrets import new_key
from service.keys.service import principal_of_key, revoke_key
from service.scopes import EVERY_SCOPE
from tests.support.servers import Service


def keys_named(database: Database, name: str) -> list[str]:
    """Public parts of the keys of a name, revoked ones too."""
    with database.session() as session:
        project = repository.project_named(session, "default")
        keys = repository.keys_of(session, project.id) if project else []
        return [key.public_part for key in keys if key.name == name]


def scopes_of(database: Database, text: str) -> set[str]:
    with database.session() as session:
        principal = principal_of_key(session, text)
        return set(principal.scopes) if principal else set()


def test_the_admin_key_is_for_its_owner_alone_and_made_once(shared_service: Service, tmp_path: Path) -> None:
    file = tmp_path / "data" / "admin.key"
    mask = os.umask(0)  # the most generous there is
    try:
        key = ensure_admin_key(shared_service.database, file)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == key
    assert list(file.parent.iterdir()) == [file]
    assert scopes_of(shared_service.database, key) == set(EVERY_SCOPE)
    assert ensure_admin_key(shared_service.database, file) == key


@pytest.mark.parametrize("content", [b"", b"mx_000000000000_" + b"a" * 43, b"\xff\xfe", b"garbage\n"])
def test_an_admin_key_file_that_opens_nothing_is_replaced(
    shared_service: Service, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "admin.key"
    file.write_bytes(content)
    key = ensure_admin_key(shared_service.database, file)
    assert file.read_text().strip() == key
    assert scopes_of(shared_service.database, key) == set(EVERY_SCOPE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_replicas_that_start_together_on_an_empty_database_make_one_key(
    database: Database, tmp_path: Path
) -> None:
    file, together = tmp_path / "data" / "admin.key", Barrier(8)

    def start() -> str:
        together.wait()
        return ensure_admin_key(database, file)

    with ThreadPoolExecutor(8) as pool:
        found = {future.result() for future in [pool.submit(start) for _ in range(8)]}
    assert found == {file.read_text().strip()}
    assert len(keys_named(database, "admin")) == 1
    assert list(file.parent.iterdir()) == [file]


def test_a_key_that_a_deployment_chose_opens_every_replica_without_a_shared_folder(
    database: Database, tmp_path: Path
) -> None:
    chosen = new_key().text
    for replica in ("one", "two"):
        file = tmp_path / replica
        file.write_text(chosen + "\n")
        assert ensure_admin_key(database, file) == chosen
        assert file.read_text() == chosen + "\n"
    assert keys_named(database, "admin") == [chosen.split("_")[1]]
    assert scopes_of(database, chosen) == set(EVERY_SCOPE)


def test_a_revoked_key_is_replaced_and_never_taken_over_again(
    shared_service: Service, tmp_path: Path
) -> None:
    database, file = shared_service.database, tmp_path / "scrape.key"
    old = ensure_key(database, file, name="scrape", scopes=["jobs:read"])
    with database.session() as session:
        project = repository.project_named(session, "default")
        assert project is not None
        (lost,) = [key for key in repository.keys_of(session, project.id) if key.name == "scrape"]
        revoke_key(session, project.id, lost.id)
    new = ensure_key(database, file, name="scrape", scopes=["jobs:read"])
    assert new != old
    assert (scopes_of(database, old), scopes_of(database, new)) == (set(), {"jobs:read"})
    file.write_text(old)
    assert ensure_key(database, file, name="scrape", scopes=["jobs:read"]) != old
    assert scopes_of(database, old) == set()


def test_a_key_that_cannot_be_kept_is_not_made(shared_service: Service, tmp_path: Path) -> None:
    (tmp_path / "no-folder").write_text("")
    with pytest.raises(
        KeyFileError, match=r"no-folder/admin\.key holds no key .*: put a key there"
    ) as refused:
        ensure_key(
            shared_service.database, tmp_path / "no-folder" / "admin.key", name="lost", scopes=["jobs:read"]
        )
    assert "\n" not in str(refused.value)
    assert keys_named(shared_service.database, "lost") == []
