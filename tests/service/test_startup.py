"""Starting: what stands in the way is told in a sentence with its remedy, before anything is served."""

import socket
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from service.server import AddressError, bind, url_of
from service.settings import Settings
from service.startup import DatabaseUnreachableError, connected, opened

EVERYWHERE = "0.0.0.0"  # noqa: S104 - to see that it is refused


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def refusal(url: str, folder: Path) -> str:
    """Why the service does not start on a database."""
    settings = Settings(database_url=url, data_folder=folder)
    with pytest.raises(DatabaseUnreachableError) as refused, opened(settings):
        pass
    text = str(refused.value)
    assert "MIXWRIGHT_DATABASE_URL" in text
    assert "s3cret" not in text
    assert "\n" not in text
    return text


def test_a_database_that_does_not_answer_is_named_without_its_password(
    closed_port: int, tmp_path: Path
) -> None:
    text = refusal(f"postgresql://mix:s3cret@127.0.0.1:{closed_port}/mix", tmp_path)
    assert f"no database at postgresql+psycopg://mix:***@127.0.0.1:{closed_port}/mix" in text
    assert "refused" in text
    assert "Start it, or correct" in text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"username": "nobody-at-all", "password": "s3cret"}, "authentication failed"),
        ({"password": "s3cret"}, "authentication failed"),
    ],
)
def test_a_database_that_turns_us_away_is_quoted(
    postgres_url: str, tmp_path: Path, change: dict[str, str], reason: str
) -> None:
    url = make_url(postgres_url).set(**change).render_as_string(hide_password=False)  # type: ignore[arg-type]
    assert reason in refusal(url, tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3cret",
        "127.0.0.1:5432",
        "postgresql://mix:s3cret@host:port/mix",
        "postgresql://host:s3cret/mix",
        "mysql://mix:s3cret@127.0.0.1/mix",
        "sqlite:///s3cret.db",
    ],
)
def test_what_is_no_address_of_a_database_is_told_how_one_is_written(url: str, tmp_path: Path) -> None:
    assert "write it as postgresql://user:password@host:port/database" in refusal(url, tmp_path)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_usual_ways_to_write_an_address_are_understood(postgres_url: str, scheme: str) -> None:
    url = postgres_url.replace("postgresql://", f"{scheme}://", 1)
    with connected(Settings(database_url=url)) as database:
        assert database.engine.dialect.driver == "psycopg"


def test_the_password_may_lie_in_a_file(postgres_url: str, tmp_path: Path) -> None:
    file, address = tmp_path / "password", make_url(postgres_url)
    file.write_text(f"{address.password}\n")
    open_to_all = address.set(password=None).render_as_string()
    with connected(Settings(database_url=open_to_all, database_password_file=file)) as database:
        database.engine.connect().close()
    file.write_text("s3cret")
    with (
        pytest.raises(DatabaseUnreachableError, match="authentication failed") as refused,
        connected(Settings(database_url=open_to_all, database_password_file=file)),
    ):
        pass
    assert "s3cret" not in str(refused.value)


def test_a_password_file_that_is_not_there_is_named(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=postgres_url, database_password_file=tmp_path / "none")
    with (
        pytest.raises(DatabaseUnreachableError, match=r"PASSWORD_FILE names .*/none.*let this account"),
        connected(settings),
    ):
        pass


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.0.2.1", "example.org", ""])
def test_an_address_that_others_reach_must_be_asked_for(host: str) -> None:
    with pytest.raises(
        AddressError, match=r"reached from other machines.*--remote, or listen on 127\.0\.0\.1"
    ):
        bind(host, 0)


def has_ipv6() -> bool:
    """Whether this machine has the address ::1, as the system says and not the service."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_addresses_of_this_machine_alone_need_no_leave(host: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6: nothing can listen on ::1")
    with bind(host, 0) as listening, socket.create_connection(listening.getsockname()[:2]):
        assert url_of(listening).startswith("http://")


def test_an_address_that_others_reach_is_listened_on_when_it_is_meant() -> None:
    with bind(EVERYWHERE, 0, remote=True) as listening:
        assert url_of(listening).startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_named() -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(AddressError, match=f"port {port} on 127.0.0.1 is in use: .* another with --port"):
            bind("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(AddressError, match=r"cannot listen on 192\.0\.2\.1"):
        bind("192.0.2.1", 0, remote=True)
