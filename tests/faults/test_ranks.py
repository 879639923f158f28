"""Ranks that hear of versions at different moments draw the same all the same."""

import hashlib
import json
from typing import Any

import numpy as np

from mixclient import Sampler, Schedule
from tests.support.followed import SAFE, Job, served, stage

RANKS, STEPS = 8, 60


class Rank:
    """One of several that draw all samples of each step; a digest tells whether two have drawn the same."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.drawn: list[list[int]] = []

    def draw(self, document: str, step: int) -> None:
        domains = Sampler(Schedule.parse(json.loads(document)), seed=1).step(step)
        self.digest.update(bytes(domains))
        self.drawn.append(domains)


def versions() -> list[Schedule]:
    """What the service publishes, one after the other."""
    stages = [stage(0, 0.9, 1), stage(12, 0.3, 2), stage(21, 0.75, 3), stage(33, 0.1, 4), stage(45, 0.6, 5)]
    return [served(*stages[: number + 1]) for number in range(len(stages))]


def test_case_27_ranks_that_race_for_versions_draw_what_rank_0_broadcasts(rng: np.random.Generator) -> None:
    published = versions()
    follows = [Job().begun(published[0]) for _ in range(RANKS)]  # every rank polls, at moments of its own
    moments = [sorted(rng.choice(STEPS, len(published) - 1, replace=False)) for _ in range(RANKS)]
    arrivals = [dict(zip(at, published[1:], strict=True)) for at in moments]
    told, alone = [Rank() for _ in range(RANKS)], [Rank() for _ in range(RANKS)]
    for step in range(STEPS):
        for following, arriving in zip(follows, arrivals, strict=True):
            if step in arriving:
                following.take(arriving[step])
            following.fix(step)
        broadcast = follows[0].sampler.schedule.dump()
        for rank, following in enumerate(follows):
            told[rank].draw(broadcast, step)
            alone[rank].draw(following.sampler.schedule.dump(), step)
    assert {rank.digest.digest() for rank in told} == {alone[0].digest.digest()}
    assert len({rank.digest.digest() for rank in alone}) > 4, "who follows what it heard itself goes astray"
    assert len(follows[0].sampler.schedule.stages) > 1


def test_case_27_other_ranks_learn_of_every_change_before_its_step() -> None:
    # Rank 0 fixes a step and then broadcasts; what the others draw from that document is what it draws.
    job = Job(safe=SAFE)
    following = job.begun(served(stage(0, 0.9, 1), ttl=3))
    arrivals: dict[int, Any] = {8: served(stage(0, 0.9, 1), stage(14, 0.3, 2), ttl=3)}
    ranks = [Rank() for _ in range(RANKS)]
    for step in range(60):
        job.silent = 20 <= step < 40
        if step in arrivals:
            following.take(arrivals[step])
        if not job.silent:
            following.heard()
            if following.adrift:
                following.take(served(stage(14, 0.3, 2), ttl=3))
        following.fix(step)
        document = following.sampler.schedule.dump()
        for rank in ranks:
            rank.draw(document, step)
        assert ranks[0].drawn[-1] == following.sampler.step(step)
    assert len({rank.digest.digest() for rank in ranks}) == 1
    assert following.counters["fell_back"] == 1
