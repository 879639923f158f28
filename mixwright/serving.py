"""Running the service in this process."""

import json
from collections.abc import Callable
from pathlib import Path

from mixwright.configuration import read_settings
from service.app import create_app
from service.keys.key_files import ensure_admin_key
from service.keys.service import create_link
from service.private_files import write_private
from service.server import Server, bind, url_of
from service.startup import opened


def run_service(
    *,
    host: str | None,
    port: int | None,
    remote: bool,
    tasks: bool,
    ready_file: Path | None,
    report: Callable[[str], None],
    ready: Callable[[str, str, Path], None],
) -> None:
    """Serve until interrupted.

    Args:
        host: address to listen on; None takes the setting.
        port: port to listen on; None takes the setting.
        remote: whether the address may be reached from other machines.
        tasks: whether background tasks run here.
        ready_file: where address and login link are written.
        report: told what takes time.
        ready: told address, one-time token and key file once the socket listens.
    """
    settings = read_settings()
    settings = settings.model_copy(
        update={
            "host": host if host is not None else settings.host,
            "port": port if port is not None else settings.port,
            "tasks_inside": tasks and settings.tasks_inside,
        }
    )
    # The port first: a second start must say that it is taken, before it touches the database.
    listening = bind(settings.host, settings.port, remote=remote)
    with listening, opened(settings, report=report) as database:
        ensure_admin_key(database, settings.admin_key_file)
        with database.session() as session:
            link = create_link(session)
        ready(url_of(listening), link, settings.admin_key_file)
        if ready_file is not None:
            _write(ready_file, url_of(listening), link, settings.admin_key_file)
        Server(create_app(settings, database)).run(sockets=[listening])


def _write(file: Path, url: str, link: str, key_file: Path) -> None:
    """Tell a waiting program where the service is."""
    found = {"url": url, "login": f"{url}/login?link={link}", "key_file": str(key_file)}
    write_private(file, json.dumps(found))
