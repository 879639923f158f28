"""Who takes part in these tests: users in other processes, and the processes of the servers."""

import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 60  # far above what any wait takes on a loaded machine


class User:
    """A user of a server in another process, told what to do one line at a time."""

    def __init__(self, folder: Path, account: pwd.struct_passwd | None = None) -> None:
        arguments = [str(folder), *([str(account.pw_uid), str(account.pw_gid)] if account else [])]
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("user_process.py")), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
            start_new_session=True,
        )
        self._is_ready = False

    def wait_until_ready(self) -> None:
        """Return when its imports are done, so that what follows is the start alone."""
        if not self._is_ready:
            self._is_ready = self.answer() == {"ready": True}

    def ask(self, line: str) -> None:
        self.wait_until_ready()
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the user's process ended without an answer"
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer

    def start(self) -> dict[str, Any]:
        self.ask("start")
        return self.answer()

    def release(self) -> None:
        self.ask("release")
        assert self.answer() == {"released": True}

    def kill(self) -> None:
        """End it without giving it a chance to leave in order."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """Another text in a file, for a while."""
    before = path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        path.write_text(before)


def postmasters(below: Path) -> list[psutil.Process]:
    """First processes of the servers with data below a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            arguments = process.cmdline()
            if arguments[1:2] == ["-D"] and Path(arguments[2]).is_relative_to(below):
                found.append(process)
    # A session that has just begun bears the name of the server that it was forked from.
    pids, first = {process.pid for process in found}, []
    for process in found:
        with suppress(psutil.Error):
            if process.ppid() not in pids:
                first.append(process)
    return first


def postmaster(below: Path) -> psutil.Process:
    (only,) = postmasters(below)
    return only


def kill_server(below: Path) -> None:
    """Take a server and all its sessions away at once, as a power cut would."""
    first = postmaster(below)
    processes = [first, *first.children(recursive=True)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=DEADLINE_SECONDS)


def is_gone(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.005)


def sweep(folder: Path) -> None:
    """Stop at once whatever serves data below a folder."""
    for process in postmasters(folder):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGQUIT)
            until(lambda process=process: is_gone(process))  # type: ignore[misc]
