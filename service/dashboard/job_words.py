"""What a job's page says of its policy and its trainer in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from mixlaws.steering.telling import told
from service.dashboard.rendering import ago
from service.jobs.schemas import JobOut
from service.jobs.trainer import TrainerStatus
from service.models import Job


@dataclass(frozen=True)
class PolicyWords:
    """A policy's state, told: a sentence, named numbers, and a table of the domains."""

    sentence: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


def of_policy(job: Job, shown: JobOut) -> PolicyWords:
    """What the policy knows, and whether it is followed."""
    name, learnt = shown.definition.policy, int(job.state.get("steps", 0))
    seen = f"has learnt from {learnt} steps" if learnt else "has seen no report yet"
    found = told(job.state.get("policy", {}), [domain.name for domain in shown.definition.domains])
    return PolicyWords(f"{name} {seen} and {_followed(shown)}", found.facts, found.columns, found.rows)


def _followed(shown: JobOut) -> str:
    guards, step = shown.definition.guards, shown.reported_step + 1
    if shown.ended is not None:
        return "learns no more: the job is over."
    if shown.hold is not None:
        return f"is not followed: the weights are held ({shown.hold.reason})."
    if shown.shadow:
        return "only watches: the prior holds."
    if step < guards.warmup_steps:
        return f"is followed after the warm-up, from step {guards.warmup_steps} on."
    if guards.cooldown_step is not None and step >= guards.cooldown_step:
        return f"is not followed since the cool-down began at step {guards.cooldown_step}."
    return "steers."


def of_trainer(trainer: TrainerStatus) -> list[tuple[str, Markup]]:
    """Named facts of the trainer, in the order of what matters most."""
    if trainer.heard_at is None:
        return [("last sign of life", Markup("none yet: start the trainer with this job's name"))]
    facts = [("last sign of life", ago(trainer.heard_at))]
    if trainer.pause is not None:
        facts.append(("reports come", escape(f"every {_seconds(trainer.pause)}")))
    facts.append((f"lag in applying version {trainer.version}", escape(_lag(trainer))))
    waiting = f"{trainer.unseen} steps wait for other sources" if trainer.unseen else "none"
    facts.append(("steps that the policy has not seen", escape(waiting)))
    facts.append(("planned ahead", escape(f"{trainer.ahead} steps")))
    return facts


def _lag(trainer: TrainerStatus) -> str:
    time = "" if trainer.lag_seconds is None or not trainer.lag else f", {_seconds(trainer.lag_seconds)}"
    if not trainer.applied and not trainer.lag:
        return "it has just begun"
    if not trainer.applied:
        return f"not confirmed for {trainer.lag} steps{time}"
    return f"{trainer.lag} steps{time}" if trainer.lag else "none"


def _seconds(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"
