"""The service in a process of its own, started again if it dies."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mixclient import ONCE, MixclientError, ServiceClient
from mixwright.problems import CommandError

_START_SECONDS = 120  # a first start creates a database, a later one may have to recover it
_RESTART_PAUSE = 0.5


@dataclass(frozen=True)
class Address:
    """Where the service is.

    Args:
        url: its address.
        login: a link that logs a browser in once.
        key: the admin key of the installation.
    """

    url: str
    login: str
    key: str


class ServiceProcess:
    """`mixwright serve` as a child, watched: if it dies, it is started again on the same port.

    Args:
        port: port to listen on; 0 takes a free one.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._port = port
        self._folder = tempfile.TemporaryDirectory(prefix="mixwright-demo-")
        self._ready_file = Path(self._folder.name) / "ready.json"
        self._log = Path(self._folder.name) / "service.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="service-watch", daemon=True)
        self.restarts = 0

    def start(self) -> Address:
        """Start the service and wait until it answers.

        Raises:
            CommandError: it did not start; the text quotes what it said.
        """
        self._spawn()
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready_file.exists():
            if self._ended() or time.monotonic() > deadline:
                raise CommandError(f"the service did not start:\n{self._said()}")
            time.sleep(0.02)
        told = json.loads(self._ready_file.read_text())
        address = Address(told["url"], told["login"], Path(told["key_file"]).read_text().strip())
        self._port = urlsplit(address.url).port or 0
        with ServiceClient(address.url, address.key, retry=ONCE) as client:
            while not _answers(client):
                if self._ended() or time.monotonic() > deadline:
                    raise CommandError(f"the service did not answer:\n{self._said()}")
                time.sleep(0.02)
        self._watcher.start()
        return address

    @property
    def pid(self) -> int:
        """Process id of the service now."""
        return self._child.pid if self._child is not None else -1

    def stop(self) -> None:
        """End the service and wait for that."""
        self._stopping.set()
        child = self._child
        if child is not None:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            _let_go(child)
        self._folder.cleanup()

    def wait(self) -> None:
        """Wait for the end of the service, that is for ever, unless it is interrupted."""
        while not self._stopping.wait(1.0):
            pass

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "mixwright", "serve", "--port", str(self._port)]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [*command, "--ready-file", str(self._ready_file), "--until-stdin-closes"],
                stdout=log,
                stderr=log,
                stdin=subprocess.PIPE,
                # A Ctrl-C in the terminal is for the demo, which ends the service when its jobs are done.
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )

    def _watch(self) -> None:
        while not self._stopping.wait(_RESTART_PAUSE):
            if self._ended() and not self._stopping.is_set():
                self.restarts += 1
                if self._child is not None:
                    _let_go(self._child)
                self._spawn()

    def _ended(self) -> bool:
        return self._child is None or self._child.poll() is not None

    def _said(self) -> str:
        try:
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
        except OSError:
            return "(nothing)"


def _let_go(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()


def _answers(client: ServiceClient) -> bool:
    try:
        client.ready()
    except MixclientError:
        return False
    return True
