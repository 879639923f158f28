"""Python programs that start at once: each is a fork of one process that has imported torch already.

To import what a trainer needs takes three seconds of a core, and a test of many ranks starts many.
"""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "torch",
        "torch._dynamo",
        "torch.distributed",
        "proxy_training.train",
        "proxy_training.corpus",
        "service.settings",
    ]
)


class Program:
    """A script in a process of its own, as if it had been started by name.

    Args:
        script: its file, or a module to run after `-m`.
        arguments: its command line.
        environment: variables beside those of this process; `None` takes one away.
        folder: where its output goes.
    """

    def __init__(
        self, script: Path | str, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("*.out")))
        self._out, self._err = folder / f"{number}.out", folder / f"{number}.err"
        self._out.touch()
        surroundings = {**os.environ, **environment}
        target = (script, list(arguments), surroundings, str(self._out), str(self._err))
        self._process = _CONTEXT.Process(target=_run, args=target)
        self._process.start()

    @property
    def code(self) -> int | None:
        """How it ended, by the number of the signal with a minus if it was one; None while it runs."""
        return self._process.exitcode

    @property
    def out(self) -> str:
        """What it printed so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """What it complained of so far."""
        return self._err.read_text() if self._err.exists() else ""

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self._process.pid is not None and self.code is None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End it at once, wherever it is."""
        self._process.kill()
        self._process.join()

    def ended(self, *, seconds: float = 60) -> int:
        """How it ended, waiting for that."""
        self._process.join(seconds)
        assert self.code is not None, f"it did not end: {self.err}"
        return self.code


def _run(script: Path | str, arguments: list[str], environment: dict[str, str], out: str, err: str) -> None:
    for path, standard in ((out, 1), (err, 2)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(handle, standard)
        os.close(handle)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [str(script), *arguments]
    if isinstance(script, Path):
        runpy.run_path(str(script), run_name="__main__")
    else:
        runpy.run_module(script, run_name="__main__", alter_sys=True)
