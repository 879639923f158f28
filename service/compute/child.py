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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import IO, Any

from mixlaws.errors import MixlawsError
from mixlaws.progress import listening
from service.compute import progress
from service.errors import ServiceError
from service.refusals import code_of

_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
_PARENT_SECONDS = 1.0
_LOOK_SECONDS = 1.0
_KILL = 9  # no such name in `signal` of every system
REFUSED = 3  # exit code of a child that understood its task and says no
# What libraries say of an allocation that the limit forbids; not all of them raise MemoryError.
_OUT_OF_MEMORY = (
    "MemoryError",
    "bad_alloc",
    "annot allocate memory",
    "Unable to allocate",
    "Memory allocation",
)


class ComputationError(Exception):
    """A computation that did not end well; the text is for people.

    Args:
        words: what happened, and what to do.
        code: its machine-readable name.
        passing: whether the same computation may well succeed when it is tried again.
    """

    def __init__(self, words: str, *, code: str, passing: bool = False) -> None:
        super().__init__(words)
        self.code = code
        self.passing = passing


class InterruptedComputationError(Exception):
    """A computation that was stopped because its process ends: to be done by the next one."""


class AbandonedComputationError(Exception):
    """A computation that was stopped because nobody waits for its result any more."""


class Children:
    """The computations of one process, which can all be stopped at once."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """Stop every computation, those yet to come included."""
        with self._lock:
            self.stopping.set()
            for child in self._running:
                child.kill()

    def compute(
        self,
        name: str,
        raw: dict[str, Any],
        *,
        seconds: int,
        memory_bytes: int,
        watch: Callable[[str, float], bool] = lambda *_: True,
    ) -> dict[str, Any]:
        """Run a computation in a child of its own.

        Args:
            name: which one.
            raw: its input.
            seconds: its deadline.
            memory_bytes: address space that it may use.
            watch: told about once a second what is computed, in words, and which share of the whole is done;
                it answers whether to go on.

        Raises:
            InterruptedComputationError: it was stopped.
            AbandonedComputationError: `watch` said so.
            ComputationError: it refused its input, ran out of time or memory, or died.
        """
        with self._started(name, memory_bytes) as child:
            told, said = _watched(child, json.dumps(raw).encode(), seconds, watch)
        if child.returncode == 0:
            result: dict[str, Any] = json.loads(told)
            return result
        if self.stopping.is_set():
            raise InterruptedComputationError("stopped")
        if child.returncode == REFUSED:
            refusal = json.loads(told)
            raise ComputationError(refusal["detail"], code=refusal["code"])
        raise _death(child.returncode, progress.without(said), memory_bytes)

    @contextmanager
    def _started(self, name: str, memory_bytes: int) -> Iterator["subprocess.Popen[bytes]"]:
        with self._lock:
            if self.stopping.is_set():
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


def _watched(
    child: "subprocess.Popen[bytes]", sent: bytes, seconds: int, watch: Callable[[str, float], bool]
) -> tuple[bytes, bytes]:
    """What a child told and said, once it has ended."""
    deadline = time.monotonic() + seconds
    # Not by `communicate`, which forgets what is left of a large input when it is called again.
    if child.stdin is not None:
        threading.Thread(target=_sent, args=(child.stdin, sent), daemon=True).start()
        child.stdin = None
    while True:
        left = deadline - time.monotonic()
        try:
            return child.communicate(timeout=min(_LOOK_SECONDS, max(left, 0.0)))
        except subprocess.TimeoutExpired as waiting:
            if left <= _LOOK_SECONDS:
                raise ComputationError(
                    f"not done within {seconds} seconds: use fewer runs or a simpler method, or let it have "
                    "more with MIXWRIGHT_TASK_SECONDS",
                    code="deadline",
                    passing=True,
                ) from None
            if not watch(*progress.newest(waiting.stderr or b"")):
                raise AbandonedComputationError("nobody waits for the result") from None


def _sent(pipe: IO[bytes], sent: bytes) -> None:
    with suppress(OSError), pipe:  # a child that has ended takes no more
        pipe.write(sent)


def _death(code: int, said: list[str], memory_bytes: int) -> ComputationError:
    last = f": {said[-1]}" if said else ""
    if any(words in line for line in said[-5:] for words in _OUT_OF_MEMORY):
        return ComputationError(
            f"out of memory at its limit of {memory_bytes} bytes: use fewer runs or a simpler method, or let "
            "it have more with MIXWRIGHT_TASK_MEMORY_BYTES",
            code="out_of_memory",
        )
    if code == -_KILL:
        return ComputationError(
            "killed from outside (signal 9), most often because the machine ran out of memory: give it more, "
            "or let fewer tasks run at once with MIXWRIGHT_TASK_CONCURRENCY",
            code="killed",
            passing=True,
        )
    if code < 0:
        return ComputationError(f"ended by signal {-code}{last}", code="died", passing=True)
    return ComputationError(f"the computation died (exit {code}){last or ': no message'}", code="died")


def main() -> int:
    """Entry point of the child."""
    name, memory_bytes, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _limit_memory(memory_bytes)
    try:
        with listening(progress.tell):
            result = computation(name)(json.load(sys.stdin))
    except (MixlawsError, ServiceError) as error:
        json.dump({"code": code_of(error), "detail": str(error)}, sys.stdout)
        return REFUSED
    json.dump(result, sys.stdout, allow_nan=False)
    return 0


def computation(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What to run. Only that is imported, in the child alone: it is most of what a short task costs."""
    module, function = {
        "fit": ("service.compute.fitting", "run_fit"),
        "proposal": ("service.compute.proposing", "run_proposal"),
        "policy-step": ("service.jobs.expensive", "compute"),
    }[name]
    found: Callable[[dict[str, Any]], dict[str, Any]] = getattr(import_module(module), function)
    return found


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
