"""Places for the tests' servers, swept afterwards: no server, process or folder is left.

Creating a database takes longer than all else here. So the tests share one home, whose server each of them
finds and leaves stopped, and only tests of creation have a place of their own.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from service.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, installation
from service.embedded_postgres import home as homes
from service.embedded_postgres.account import Account, server_accounts
from tests.service.embedded_postgres.actors import User, sweep


def new_place() -> Path:
    """A folder with a short path that every account can enter."""
    folder = Path(tempfile.mkdtemp(prefix="mw-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    return folder


@pytest.fixture
def place() -> Iterator[Path]:
    """A place of the test's own."""
    folder = new_place()
    yield folder
    sweep(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def shared_place() -> Iterator[Path]:
    folder = new_place()
    yield folder
    sweep(folder)
    shutil.rmtree(folder)


@pytest.fixture
def home(shared_place: Path) -> Iterator[Path]:
    """The home that the tests share; its server is stopped, and may have been created by an earlier test."""
    yield shared_place / "home"
    sweep(shared_place)


@pytest.fixture
def state_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root's own folder, moved to the place of the test."""
    monkeypatch.setattr(homes, "STATE_FOLDER", place / "state")
    return place / "state"


@pytest.fixture
def embedded(home: Path) -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Users of servers in this process, who leave at the end."""
    made: list[EmbeddedPostgres] = []

    def make(folder: Path = home, report: Callable[[str], None] = print) -> EmbeddedPostgres:
        made.append(EmbeddedPostgres(folder, report=report))
        return made[-1]

    yield make
    for one in made:
        with suppress(EmbeddedPostgresError):
            one.release()


@pytest.fixture
def stopped(embedded: Callable[..., EmbeddedPostgres]) -> Path:
    """The shared home, with a database that was started once and is stopped."""
    with embedded() as server:
        return server.folder


@pytest.fixture
def users(home: Path) -> Iterator[Callable[..., User]]:
    """Users of servers in other processes, killed at the end."""
    made: list[User] = []

    def make(folder: Path = home, account: pwd.struct_passwd | None = None) -> User:
        made.append(User(folder, account))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
def server_account() -> Account:
    """Who runs the servers that this process starts."""
    return server_accounts()[0]


@pytest.fixture
def ordinary() -> pwd.struct_passwd:
    """An ordinary account that root can put a user's process under."""
    if os.geteuid() != 0:
        pytest.skip(
            "needs root, who alone can act as another account: all other tests run as an ordinary user"
        )
    account = pwd.getpwnam("nobody")
    program = installation.package_folder() / f"pginstall{installation.MAJOR_VERSION}" / "bin" / "postgres"
    reached = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", program], check=False, user="nobody", extra_groups=[], cwd="/"
    )
    if reached.returncode != 0:
        pytest.skip(
            f"the account 'nobody' cannot reach {program}: install in a folder that all accounts can enter"
        )
    return account


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: it is about what root's server does")
