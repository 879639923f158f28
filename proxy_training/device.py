"""Where torch computes."""

import torch


class DeviceError(ValueError):
    """A device that this machine, or this build of torch, does not have."""


def usable_device(wanted: str) -> str:
    """A device that works: `auto` is the first GPU, or the CPU without one.

    Raises:
        DeviceError: the device cannot be used; told before a run is claimed that would fail on it.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise DeviceError(f"device {wanted!r} cannot be used: {reason}. Use cpu, or auto") from None
    return wanted
