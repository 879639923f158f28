"""Two stages of an offline proposal, from options, and the schedule document that a training job follows."""

import json
from dataclasses import dataclass
from pathlib import Path

from mixlaws.simplex import FILE_TOLERANCE, as_weights
from mixlaws.swarm import Swarm
from mixlaws.two_stages import SecondObjective, SecondStage, schedule_document, whole_steps
from mixwright.offline.options import named_numbers, numbers_of_file
from mixwright.offline.proposal_options import Staging
from mixwright.offline.proposing import Proposed
from mixwright.problems import CommandError


@dataclass(frozen=True)
class Plan:
    """What was asked of stages.

    Args:
        share: the second stage's share of the tokens, in whole steps if these are known; None for one stage.
        mixture: its shares by domain, if they are stated.
        objective: its objective, if it is looked for.
        steps: steps of the final run.
        samples_per_step: samples of a step.
        out: where the schedule goes.
    """

    share: float | None
    mixture: dict[str, float]
    objective: dict[str, float]
    steps: int | None
    samples_per_step: int | None
    out: Path | None

    @classmethod
    def checked(cls, asked: Staging) -> "Plan":
        """Options that make sense together.

        Raises:
            CommandError: an option needs another one, or two exclude each other.
            InvalidInputError: the share is none, or leaves a stage without a step.
        """
        share, mixture, objective = asked.second_share, asked.second, asked.second_objective
        out, steps, samples_per_step = asked.schedule, asked.steps, asked.samples_per_step
        if (share is None) != (mixture is None and not objective) or (mixture is not None and objective):
            raise CommandError("two stages need --second-share and one of --second and --second-objective")
        if len({value is None for value in (out, steps, samples_per_step)}) > 1:
            raise CommandError("--schedule, --steps and --samples-per-step belong together: give all or none")
        if out is not None and share is None:
            raise CommandError("--schedule writes two stages: give --second-share")
        if share is not None and steps is not None:
            share = whole_steps(share, steps)
        stated = {} if mixture is None else numbers_of_file(mixture, "the share")
        return cls(share, stated, named_numbers(objective), steps, samples_per_step, out)

    def second(self, swarm: Swarm) -> SecondStage | SecondObjective | None:
        """The second stage over the domains and targets of a swarm.

        Raises:
            MixlawsError: a domain or target is unknown, or the mixture is off the simplex.
        """
        if self.share is None:
            return None
        if self.objective:
            return SecondObjective(self.share, swarm.coefficients(self.objective))
        weights = as_weights(swarm.domains.to_array(self.mixture, missing=0.0), tolerance=FILE_TOLERANCE)
        return SecondStage(self.share, weights)

    def write(self, proposed: Proposed) -> None:
        """Write the schedule of the first proposal, if that was asked for."""
        if self.out is None or self.steps is None or self.samples_per_step is None or not proposed.proposals:
            return
        (_, first), (share, last) = proposed.stages(proposed.proposals[0])
        document = schedule_document(
            proposed.problem.domains, (first, last), share=share, steps=self.steps,
            samples_per_step=self.samples_per_step,
        )  # fmt: skip
        self.out.write_text(json.dumps(document, indent=1), encoding="utf-8")
