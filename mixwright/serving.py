"""Running the service in this process."""

import gc
import json
from collections.abc import Callable
from pathlib import Path

from mixwright.configuration import read_settings
from service.app import create_app
from service.keys.admin_key import ensure_admin_key
from service.keys.sessions import create_link
from service.observing import logs
from service.private_files import write_private
from service.server import Server, allow_many_connections, bind, url_of
from service.startup import opened


def run_service(
    *,
    host: str | None,
    port: int | None,
    remote: bool,
    root_path: str | None,
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
        root_path: prefix under which a proxy shows the service; None takes the setting.
        tasks: whether background tasks run here.
        ready_file: where address and login link are written.
        report: told what takes time.
        ready: told address, one-time token and key file once the socket listens.
    """
    settings = read_settings(root_path=root_path)
    settings = settings.model_copy(
        update={
            "host": host if host is not None else settings.host,
            "port": port if port is not None else settings.port,
            "tasks_inside": tasks and settings.tasks_inside,
        }
    )
    logs.configure(settings.log_format)
    allow_many_connections()
    # The port first: a second start must say that it is taken, before it touches the database.
    listening = bind(settings.host, settings.port, remote=remote)
    with listening, opened(settings, report=report) as database:
        ensure_admin_key(database, settings.admin_key_file)
        with database.session() as session:
            link = create_link(session)
        url = url_of(listening) + settings.root_path
        ready(url, link, settings.admin_key_file)
        if ready_file is not None:
            _write(ready_file, url, link, settings.admin_key_file)
        app = create_app(settings, database)
        # What was loaded so far stays: looking through it for garbage would stop everybody for 100 ms.
        gc.collect()
        gc.freeze()
        Server(app).run(sockets=[listening])


def _write(file: Path, url: str, link: str, key_file: Path) -> None:
    """Tell a waiting program where the service is."""
    found = {"url": url, "login": f"{url}/login?link={link}", "key_file": str(key_file)}
    write_private(file, json.dumps(found))
