"""Fits, what they predict, proposals, and work in the background."""

from collections.abc import Mapping, Sequence

from mixclient.documents.fits import FitIn, FitOut, PredictedOut, ScaleIn
from mixclient.documents.proposals import ProposalIn, ProposalOut
from mixclient.documents.tasks import TaskOut, TaskState
from mixclient.service.answers import the_list
from mixclient.service.call import PAGE, Call
from mixclient.service.operation import listing, operation


class Fits:
    """What a client can do with fits, proposals and tasks."""

    @operation("POST", "/v1/studies/{study}/fits", keyed=True)
    def create_fit(self, study: str, fit: FitIn) -> Call[FitOut]:
        """Start a fit in the background."""
        return Call({"study": study}, body=fit)

    @listing("/v1/studies/{study}/fits")
    def fits(self, study: str, *, limit: int = PAGE) -> Call[FitOut]:
        """All fits of a study, newest first."""
        return Call({"study": study}, query={"limit": limit})

    @operation("GET", "/v1/fits/{fit_id}")
    def fit(self, fit_id: str, *, wait: int = 0) -> Call[FitOut]:
        """A fit with its scores, once it is done.

        Args:
            fit_id: the fit.
            wait: seconds for which the service holds its answer until the fit has ended; at most 55.
        """
        return Call({"fit_id": fit_id}, wait=wait)

    @operation("POST", "/v1/fits/{fit_id}/cancel", keyed=True)
    def cancel_fit(self, fit_id: str) -> Call[FitOut]:
        """Let a fit go that is not done yet; again is not an error."""
        return Call({"fit_id": fit_id})

    @operation("POST", "/v1/fits/{fit_id}/predict", repeatable=True)
    def predict(
        self, fit_id: str, mixtures: Sequence[Mapping[str, float]], *, at: ScaleIn | None = None
    ) -> Call[list[PredictedOut]]:
        """What a finished fit says of each mixture, in their order.

        Args:
            fit_id: the fit.
            mixtures: shares of every domain; at most 10,000 mixtures a call.
            at: another scale, as `model_parameters` or `tokens`, for laws that know it.
        """
        return Call({"fit_id": fit_id}, body={"mixtures": mixtures, "at": at}, read=the_list("predictions"))

    @operation("POST", "/v1/studies/{study}/proposals", keyed=True)
    def create_proposal(self, study: str, proposal: ProposalIn) -> Call[ProposalOut]:
        """Start a proposal in the background."""
        return Call({"study": study}, body=proposal)

    @listing("/v1/studies/{study}/proposals")
    def proposals(self, study: str, *, limit: int = PAGE) -> Call[ProposalOut]:
        """All proposals of a study, newest first."""
        return Call({"study": study}, query={"limit": limit})

    @operation("GET", "/v1/proposals/{proposal_id}")
    def proposal(self, proposal_id: str, *, wait: int = 0) -> Call[ProposalOut]:
        """A proposal with its mixtures, once it is done; `wait` is that of `fit`."""
        return Call({"proposal_id": proposal_id}, wait=wait)

    @operation("POST", "/v1/proposals/{proposal_id}/cancel", keyed=True)
    def cancel_proposal(self, proposal_id: str) -> Call[ProposalOut]:
        """Let a search go that is not done yet; again is not an error."""
        return Call({"proposal_id": proposal_id})

    @listing("/v1/tasks")
    def tasks(self, *, state: TaskState | None = None, limit: int = PAGE) -> Call[TaskOut]:
        """Work in the background that waits, runs or failed, newest first."""
        return Call(query={"state": state, "limit": limit})
