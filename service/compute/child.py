"""A child process for one computation: bounded in time and memory, told and telling in JSON.

A thread cannot be stopped and a fork would copy locks; a fresh interpreter can be killed at any moment
and takes nothing with it.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mixlaws.errors import MixlawsError
from service.errors import ServiceError

_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
_PARENT_SECONDS = 1.0
_REFUSED = 3  # exit code of a child that understood its task and says no


class ComputationError(Exception):
    """A computation that did not end well; the text is for people."""


class InterruptedComputationError(ComputationError):
    """A computation that was stopped because its process ends: to be done by the next one."""


class Children:
    """The computations of one process, which can all be stopped at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopping = False

    def stop(self) -> None:
        """Stop every computation, those yet to come included."""
        with self._lock:
            self._stopping = True
            for child in self._running:
                child.kill()

    def compute(self, name: str, raw: dict[str, Any], *, seconds: int, memory_bytes: int) -> dict[str, Any]:
        """Run a computation in a child of its own.

        Raises:
            InterruptedComputationError: it was stopped.
            ComputationError: it refused its input, ran out of time or memory, or died.
        """
        with self._started(name, memory_bytes) as child:
            try:
                told, said = child.communicate(json.dumps(raw).encode(), timeout=seconds)
            except subprocess.TimeoutExpired:
                raise ComputationError(
                    f"not done within {seconds} seconds: use fewer runs or a simpler method"
                ) from None
        if child.returncode == 0:
            result: dict[str, Any] = json.loads(told)
            return result
        if self._stopping:
            raise InterruptedComputationError("stopped")
        raise _death(child.returncode, said.decode(errors="replace").strip().splitlines(), memory_bytes)

    @contextmanager
    def _started(self, name: str, memory_bytes: int) -> Iterator["subprocess.Popen[bytes]"]:
        with self._lock:
            if self._stopping:
                raise InterruptedComputationError("stopped")
            child = subprocess.Popen(
                [sys.executable, "-m", "service.compute.child", name, str(memory_bytes), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **_QUIET},
            )
            self._running.add(child)
        with child:  # closes its pipes and waits for its end
            try:
                yield child
            finally:
                with self._lock:
                    self._running.discard(child)
                child.kill()


def _death(code: int, said: list[str], memory_bytes: int) -> ComputationError:
    if code == _REFUSED:
        return ComputationError(said[-1] if said else "refused without a reason")
    if "MemoryError" in " ".join(said[-3:]):
        return ComputationError(f"out of memory at {memory_bytes} bytes: use fewer runs or a simpler method")
    return ComputationError(f"the computation died (exit {code}): {said[-1] if said else 'no message'}")


def main() -> int:
    """Entry point of the child."""
    name, memory_bytes, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _limit_memory(memory_bytes)
    # Imported here: the parent must not pay for it, and the limit must hold for it.
    from service.compute.fitting import run_fit  # noqa: PLC0415
    from service.compute.proposing import run_proposal  # noqa: PLC0415
    from service.jobs.expensive import compute as compute_policy_step  # noqa: PLC0415

    computations = {"fit": run_fit, "proposal": run_proposal, "policy-step": compute_policy_step}
    try:
        result = computations[name](json.load(sys.stdin))
    except (MixlawsError, ServiceError) as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    json.dump(result, sys.stdout, allow_nan=False)
    return 0


def _end_with(parent: int) -> None:
    """A child whose parent was killed has nobody to tell its result, and nobody who keeps its deadline."""
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(1)


def _limit_memory(memory_bytes: int) -> None:
    try:
        import resource  # noqa: PLC0415 - POSIX only
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    raise SystemExit(main())
