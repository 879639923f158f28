"""Schedules of two domains, and a following of them whose service can fall silent."""

from dataclasses import dataclass, field

from mixclient.following import Following

from mixclient import Schedule, Stage

SAFE = {"web": 0.5, "code": 0.5}


def stage(step: int, web: float, version: int) -> Stage:
    return Stage(step, (web, 1 - web), version)


def served(*stages: Stage, attempt: int = 1, ttl: int = 0, lead: int = 5) -> Schedule:
    newest = max(s.version for s in stages)
    return Schedule("run", attempt, newest, 8, ("web", "code"), stages, lead_steps=lead, ttl_steps=ttl)


@dataclass
class Job:
    """A following, with a service whose silence is a switch."""

    safe: dict[str, float] | None = None
    keep_steps: int = 50
    silent: bool = False
    told: list[tuple[int, int, str]] = field(default_factory=list)

    def begun(self, schedule: Schedule, *, drawn_to: int = -1) -> Following:
        following = Following(
            seed=1,
            keep_steps=self.keep_steps,
            safe=self.safe,
            silent=lambda: self.silent,
            told=lambda stage, step, outcome: self.told.append((stage.version, step, outcome)),
        )
        following.begin(schedule, drawn_to=drawn_to)
        return following
