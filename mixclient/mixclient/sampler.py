"""The sampler: which domain each sample of a step comes from.

A stateless, pure function of (seed, schedule, sample index): any rank computes any sample, a restart
draws the same again, and realised shares follow the schedule instead of scattering around it.

For S samples of a step, domain i owns the interval [C_(i-1), C_i) of the cumulative weights, and sample k
takes the domain that owns the point (k + theta) / S (systematic sampling): the count of a domain is S w_i
rounded up or down, in every step. The offset theta moves from step to step along the golden-ratio
sequence, so that over n steps the count is n S w_i up to about log n, and a share of a hundredth of a
sample still gets its turn. A permutation keyed by seed and step then spreads the domains over the ranks.

All arithmetic is on integers: the same on every machine.
"""

import hashlib
import struct
from itertools import accumulate

from mixclient.schedule import Schedule, Stage

_ONE = 1 << 53  # the whole of a share, in units that a float holds exactly
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio


class Sampler:
    """Draws domains as a schedule says.

    Args:
        schedule: what to follow.
        seed: the same on every rank and in every restart of a job.
    """

    def __init__(self, schedule: Schedule, *, seed: int = 0) -> None:
        self.schedule = schedule
        self.seed = seed
        self._offset = int.from_bytes(hashlib.blake2b(_key(seed, "offset"), digest_size=8).digest(), "little")

    def step(self, step: int) -> list[int]:
        """Indices into `schedule.domains` of all samples of a step, in order.

        A rank takes its slice, such as `[rank::world_size]`.
        """
        step = int(step)  # a NumPy integer overflows where Python's does not
        size = self.schedule.samples_per_step
        domains = [domain for domain, count in enumerate(self.counts(step)) for _ in range(count)]
        noise = hashlib.shake_128(_key(self.seed, f"order-{step}")).digest(8 * size)
        keys = struct.unpack(f"<{size}Q", noise)
        return [domains[k] for k in sorted(range(size), key=keys.__getitem__)]

    def sample(self, index: int) -> int:
        """Index into `schedule.domains` of one sample, counted from the start of the job."""
        step, place = divmod(int(index), self.schedule.samples_per_step)
        return self.step(step)[place]

    def counts(self, step: int) -> list[int]:
        """How many samples of a step each domain gets."""
        size = self.schedule.samples_per_step
        # 64-bit golden-ratio sequence, of which the upper 53 bits are used.
        theta = ((self._offset + int(step) * _GOLDEN) % (1 << 64)) >> 11
        ends = [-((theta - size * edge) // _ONE) for edge in _edges(self.schedule.stage_at(step))]
        return [end - start for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _edges(stage: Stage) -> list[int]:
    """Upper ends of the domains' intervals, from 0 to one; a domain of weight 0 owns an empty one."""
    sums = list(accumulate(stage.weights))
    return [int(total / sums[-1] * _ONE) for total in sums]


def _key(seed: int, purpose: str) -> bytes:
    return f"mixclient/{seed}/{purpose}".encode()
