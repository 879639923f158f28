"""Proposed mixtures as schedules that a training job can follow, with or without a service."""

from typing import Any

from service.proposals.schemas import ProposedOut
from service.studies.schemas import StudyIn


def documents(proposals: list[ProposedOut], definition: StudyIn) -> list[dict[str, Any] | None]:
    """A `mixture-schedule/v1` for each proposal; None for stages whose steps were not told.

    A mixture that holds throughout needs no step: its `samples_per_step` is left to who knows the trainer.
    """
    domains = [domain.model_dump() for domain in definition.domains]
    return [_document(proposal, domains) for proposal in proposals]


def _document(proposal: ProposedOut, domains: list[dict[str, Any]]) -> dict[str, Any] | None:
    if proposal.stages:
        return proposal.schedule
    stage = {"effective_step": 0, "weights": proposal.weights, "version": 1, "reason": "proposal"}
    return {
        "schema": "mixture-schedule/v1",
        "job": "proposal",
        "attempt": 0,
        "version": 1,
        "samples_per_step": None,
        "lead_steps": 0,
        "ttl_steps": 0,
        "frozen": False,
        "domains": domains,
        "stages": [stage],
    }
