"""The problem of a proposal: that of its study, with what the request asks beyond it."""

from dataclasses import replace
from typing import Any

from mixlaws.arrays import FloatArray
from mixlaws.feasible.constraints import Group, Measure, PriorDistance
from mixlaws.problem import MixtureProblem
from mixlaws.proposers.intent import posed_for, settled
from mixlaws.simplex import as_weights
from mixlaws.swarm import target_coefficients
from mixlaws.two_stages import SecondStage, whole_steps
from service.errors import InvalidRequestError
from service.proposals.schemas import ProposalIn, SecondStageIn
from service.studies import service as studies
from service.studies.schemas import StudyIn


def posed(definition: StudyIn, body: ProposalIn) -> MixtureProblem:
    """The problem that a request poses over a study.

    Raises:
        InvalidRequestError: repetition at its worth lacks what it needs.
        MixlawsError: a domain is unknown, a group unusable, or no mixture satisfies all constraints.
    """
    stated = definition.model_copy(update={"objective": body.objective or definition.objective})
    problem = posed_for(settled(body.intent, body.proposer)[0], studies.problem(stated))
    if body.repetition == "smooth":
        if problem.final_tokens is None:
            raise InvalidRequestError(
                "repetition: smooth needs the final_tokens of the study: make one with it"
            )
        problem = problem.without_caps()
    elif body.per_efold is not None:
        raise InvalidRequestError("per_efold: it belongs to repetition smooth")
    distance = None
    if body.max_distance is not None:
        distance = PriorDistance(Measure(body.max_distance.measure), body.max_distance.most)
    groups = tuple(
        Group(one.name, tuple(one.domains), one.lower, one.upper, one.keep_proportions) for one in body.groups
    )
    return replace(problem.freeze(body.frozen), groups=groups, distance=distance)


def second_stage(
    definition: StudyIn, problem: MixtureProblem, body: SecondStageIn | None
) -> dict[str, Any] | None:
    """What a task is told of the second stage.

    Raises:
        InvalidRequestError: it is neither stated nor looked for, or both, or half of a schedule is told.
        MixlawsError: a name is unknown, the mixture breaks a constraint, or a stage would have no step.
    """
    if body is None:
        return None
    if (body.weights is None) == (body.objective is None):
        raise InvalidRequestError("second_stage: give it weights or an objective, and not both")
    if (body.steps is None) != (body.samples_per_step is None):
        raise InvalidRequestError(
            "second_stage: a schedule needs steps and samples_per_step: give both or neither"
        )
    share = body.share if body.steps is None else whole_steps(body.share, body.steps)
    weights: FloatArray | None = None
    coefficients: FloatArray | None = None
    if body.weights is not None:
        weights = as_weights(problem.domains.to_array(body.weights, missing=0.0))
        SecondStage(share, weights).mean_problem(problem)  # raises what cannot be met
    if body.objective is not None:
        coefficients = target_coefficients(definition.targets or [], body.objective)
    return {
        "share": share,
        "weights": None if weights is None else weights.tolist(),
        "coefficients": None if coefficients is None else coefficients.tolist(),
        "steps": body.steps,
        "samples_per_step": body.samples_per_step,
    }
