"""A child process for one computation: bounded in time and memory, told and telling in JSON.

A thread cannot be stopped and a fork would copy locks; a fresh interpreter can be killed at any moment
and takes nothing with it.
"""

import json
import os
import subprocess
import sys
from typing import Any

from mixlaws.errors import MixlawsError
from service.errors import ServiceError

_QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
_REFUSED = 3  # exit code of a child that understood its task and says no


class ComputationError(Exception):
    """A computation that did not end well; the text is for people."""


def compute(name: str, raw: dict[str, Any], *, seconds: int, memory_bytes: int) -> dict[str, Any]:
    """Run a computation in a child of its own.

    Raises:
        ComputationError: it refused its input, ran out of time or memory, or died.
    """
    command = [sys.executable, "-m", "service.compute.child", name, str(memory_bytes)]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(raw).encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
            env={**os.environ, **_QUIET},
        )
    except subprocess.TimeoutExpired:
        raise ComputationError(
            f"not done within {seconds} seconds: use fewer runs or a simpler method"
        ) from None
    if done.returncode == 0:
        result: dict[str, Any] = json.loads(done.stdout)
        return result
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if done.returncode == _REFUSED:
        raise ComputationError(said[-1] if said else "refused without a reason")
    if "MemoryError" in " ".join(said[-3:]):
        raise ComputationError(f"out of memory at {memory_bytes} bytes: use fewer runs or a simpler method")
    raise ComputationError(
        f"the computation died (exit {done.returncode}): {said[-1] if said else 'no message'}"
    )


def main() -> int:
    """Entry point of the child."""
    name, memory_bytes = sys.argv[1], int(sys.argv[2])
    _limit_memory(memory_bytes)
    # Imported here: the parent must not pay for it, and the limit must hold for it.
    from service.compute.fitting import run_fit  # noqa: PLC0415
    from service.compute.proposing import run_proposal  # noqa: PLC0415

    computations = {"fit": run_fit, "proposal": run_proposal}
    try:
        result = computations[name](json.load(sys.stdin))
    except (MixlawsError, ServiceError) as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    json.dump(result, sys.stdout, allow_nan=False)
    return 0


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
