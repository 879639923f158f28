"""Proposals: asked of a finished fit, judged by all other good fits of the same runs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from mixlaws.proposers.intent import settled
from mixlaws.registry import PROPOSERS
from mixlaws.rivals import check_named
from mixlaws.sampling.measured import Measured
from service.compute.swarms import dump_problem
from service.deferring import defer
from service.errors import ConflictError, NotFoundError
from service.fits import repository as fits
from service.fits import service as fit_service
from service.fits.freshness import Freshness
from service.fits.imported import check_own
from service.fits.noise import Noise
from service.methods import build
from service.models import Fit, ProposalRequest, Study, TaskState
from service.proposals import constraints, repository
from service.proposals.schemas import ProposalIn, ProposalOut, ProposedOut, ReferenceOut, RivalOut
from service.studies import service as studies
from service.studies.schemas import StudyIn
from service.tasks import asking
from service.tasks.schemas import told

KIND = "proposal"


def create(session: Session, study: Study, body: ProposalIn) -> ProposalRequest:
    """Ask for proposals.

    Raises:
        NotFoundError: the study has no such fit.
        ConflictError: the fit is not done.
        UnknownMethodError: no proposer of that name.
        InvalidRequestError: constraints or stages lack something.
        InvalidInputError: statistics or rivals do not fit the study.
        MixlawsError: no mixture satisfies all constraints; the message names those that conflict.
    """
    found = fits.by_id(session, study.project_id, body.fit_id)
    if found is None or found[1].id != study.id:
        raise NotFoundError(f"no fit {body.fit_id} in study {study.name!r}: list its fits to find the id")
    fit = found[0]
    check_own(fit)
    if fit.state is not TaskState.DONE:
        raise ConflictError(f"fit {fit.id} is {fit.state.value}: wait until it is done", code="fit_not_done")
    intent, proposer = settled(body.intent, body.proposer)
    body = body.model_copy(update={"intent": intent, "proposer": proposer})
    build("proposer", PROPOSERS, proposer, body.params)
    definition = studies.definition(study)
    _check_rivals(definition, body)
    constraints.second_stage(definition, constraints.posed(definition, body), body.second_stage)
    request = ProposalRequest(
        study_id=study.id,
        fit_id=fit.id,
        configuration=body.model_dump(mode="json"),
        state=TaskState.QUEUED,
    )
    session.add(request)
    session.flush()
    defer(session, KIND, request.id)
    return request


def _check_rivals(definition: StudyIn, body: ProposalIn) -> None:
    """Refuse what the task would refuse, before it is queued."""
    problem = studies.problem(definition)
    if body.statistics is not None:
        Measured.load(body.statistics).of(problem.domains, tasks=definition.targets)
    named = {name: problem.domains.to_array(weights) for name, weights in body.rivals.items()}
    check_named(problem, named)


def task_input(session: Session, request: ProposalRequest, study: Study) -> dict[str, Any]:
    """What the child needs."""
    found = fits.by_id(session, study.project_id, request.fit_id)
    if found is None:
        raise NotFoundError(f"the fit {request.fit_id} is gone: ask another fit")
    fit = found[0]
    others = {other.method: other for other in reversed(fits.done_on(session, study.id, fit.data_digest))}
    others.pop(fit.method, None)
    configuration = request.configuration
    body = ProposalIn.model_validate(configuration)
    definition = studies.definition(study)
    problem = constraints.posed(definition, body)
    repetition = None
    if body.repetition == "smooth":
        repetition = {"final_tokens": definition.final_tokens, "per_efold": body.per_efold}
    return {
        "problem": dump_problem(problem),
        "repetition": repetition,
        "second": constraints.second_stage(definition, problem, body.second_stage),
        "sampled": fit_service.sampled(session, fit, study),
        "fit": _told(fit),
        "others": [_told(other) for other in others.values()],
        "noise": Noise.told(fit.result or {}, definition.targets or []).of(
            None if body.objective is None else problem.coefficients
        ),
        "targets": definition.targets,
        "statistics": configuration.get("statistics"),
        "rivals": configuration.get("rivals", {}),
        **{name: configuration[name] for name in ("proposer", "params", "count", "seed", "within_sampled")},
    }


def get(session: Session, project_id: UUID, proposal_id: UUID) -> tuple[ProposalRequest, Study]:
    """A proposal with its study.

    Raises:
        NotFoundError: the project has none of that id.
    """
    found = repository.by_id(session, project_id, proposal_id)
    if found is None:
        raise _missing(proposal_id)
    return found


def cancel(session: Session, project_id: UUID, proposal_id: UUID) -> tuple[ProposalRequest, Study]:
    """Let a proposal go that nobody needs any more; again changes nothing.

    Raises:
        NotFoundError: the project has none of that id.
        ConflictError: it is done, or failed.
    """
    _, study = get(session, project_id, proposal_id)
    request = repository.locked(session, proposal_id)
    if request is None:
        raise _missing(proposal_id)
    asking.cancel(session, request)
    return request, study


def shown(session: Session, request: ProposalRequest, study: Study) -> ProposalOut:
    """A proposal as an answer."""
    (answer,) = all_shown(session, [request], study)
    return answer


def all_shown(session: Session, requests: Sequence[ProposalRequest], study: Study) -> list[ProposalOut]:
    """Proposals of a study as answers."""
    freshness = Freshness(session, study.id)
    seen = fits.by_ids_without_results(session, {request.fit_id for request in requests})
    return [_shown(request, study, stale=freshness.is_stale(seen[request.fit_id])) for request in requests]


def _shown(request: ProposalRequest, study: Study, *, stale: bool) -> ProposalOut:
    result = request.result or {}
    definition = studies.definition(study)
    targets, domains = definition.targets or [], studies.domain_set(definition)

    def named(row: dict[str, Any]) -> dict[str, Any]:
        spreads = {name: row.get(name) for name in ("deviation", "half_width_95")}
        stages = [
            {**stage, "weights": domains.to_mapping(stage["weights"])} for stage in row.get("stages", [])
        ]
        return {
            **row,
            "stages": stages or None,
            "weights": domains.to_mapping(row["weights"]),
            "predicted": dict(zip(targets, row["predicted"], strict=True)),
            **{
                name: None if spread is None else dict(zip(targets, spread, strict=True))
                for name, spread in spreads.items()
            },
        }

    return ProposalOut(
        id=request.id,
        study=study.name,
        fit_id=request.fit_id,
        configuration=ProposalIn.model_validate(request.configuration),
        stale_inputs=stale,
        proposals=[ProposedOut.model_validate(named(row)) for row in result.get("proposals", [])],
        references={
            name: ReferenceOut.model_validate(named(row))
            for name, row in result.get("references", {}).items()
        },
        rivals=[RivalOut.model_validate(named(row)) for row in result.get("rivals", [])],
        rivals_left_out=result.get("rivals_left_out", {}),
        scale=result.get("scale"),
        noise=result.get("noise"),
        created_at=request.created_at,
        finished_at=request.finished_at,
        **told(request),
    )


def _told(fit: Fit) -> dict[str, Any]:
    result = fit.result or {}
    return {
        "method": fit.method,
        "predictor": result["predictor"],
        "scale": result.get("scale"),
        "r2": result["objective_scores"]["r2"],
    }


def _missing(proposal_id: UUID) -> NotFoundError:
    return NotFoundError(f"no proposal {proposal_id} in this project: list those of its study to find its id")
