"""What goes wrong in a schedule, drawn from its seed."""

import random
from dataclasses import dataclass
from enum import Enum

from tests.support.proxy import Mode


class Place(Enum):
    """Where something goes wrong."""

    CLIENTS = "between clients and service"
    DATABASE = "between service and database"
    PROCESS = "process"
    SESSIONS = "sessions of the database"
    TABLE = "table"
    SERVER = "server of the database"


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Args:
        place: where.
        what: which way.
        replica: index of the process that it befalls, where there is one.
        operations: how many operations of clients end before it is mended.
        pause: how many end before it begins.
    """

    place: Place
    what: str
    replica: int
    operations: int
    pause: int

    @property
    def kind(self) -> str:
        """What to count it as."""
        return f"{self.place.value}: {self.what}"


KILLED, ENDED, PAUSED = "killed", "ended", "paused"
FAIL_POINTS = (
    "before_commit", "after_commit", "inside_group_commit", "before_group_commit", "after_group_commit",
)  # fmt: skip
TABLES = ("reports", "jobs", "proxy_runs", "schedule_stages", "api_keys")
KINDS: tuple[tuple[Place, str], ...] = (
    (Place.CLIENTS, Mode.LOSE_ANSWERS.value),
    (Place.PROCESS, KILLED),
    (Place.DATABASE, Mode.CUT.value),
    (Place.SERVER, "restarted"),
    (Place.CLIENTS, Mode.DUPLICATE.value),
    (Place.PROCESS, FAIL_POINTS[1]),
    (Place.SESSIONS, "ended"),
    (Place.CLIENTS, Mode.HANG.value),
    (Place.TABLE, TABLES[0]),
    (Place.PROCESS, FAIL_POINTS[4]),
    (Place.CLIENTS, Mode.CUT.value),
    (Place.DATABASE, Mode.HANG.value),
    (Place.PROCESS, ENDED),
    (Place.CLIENTS, Mode.GARBAGE.value),
    (Place.TABLE, TABLES[1]),
    (Place.PROCESS, FAIL_POINTS[2]),
    (Place.DATABASE, Mode.DELAY.value),
    (Place.CLIENTS, Mode.DELAY.value),
    (Place.PROCESS, PAUSED),
    (Place.TABLE, TABLES[2]),
    (Place.CLIENTS, Mode.DRIP.value),
    (Place.DATABASE, Mode.GARBAGE.value),
    (Place.PROCESS, FAIL_POINTS[0]),
    (Place.CLIENTS, Mode.TROUBLED.value),
    (Place.TABLE, TABLES[3]),
    (Place.DATABASE, Mode.DRIP.value),
    (Place.PROCESS, FAIL_POINTS[3]),
    (Place.TABLE, TABLES[4]),
)
FAULTS = 3  # of a schedule


def drawn(seed: int, *, replicas: int) -> list[Fault]:
    """The faults of a schedule: the first by its number, so that all kinds come, the others at random."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    kinds = [KINDS[seed % len(KINDS)], *rng.sample(KINDS, FAULTS - 1)]
    return [
        Fault(*kind, rng.randrange(replicas), operations=rng.randrange(10, 40), pause=rng.randrange(0, 20))
        for kind in kinds
    ]
