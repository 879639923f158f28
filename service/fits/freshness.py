"""Whether a fit still sees the data of now: by counters of changes, not by reading runs again."""

from uuid import UUID

from sqlalchemy.orm import Session

from service.fits.imported import is_imported
from service.models import Fit
from service.sweeps import repository as sweeps


class Freshness:
    """Answers for the fits of one study as of now; most of them see the same sweeps, which are read once.

    Args:
        session: of the caller.
        study_id: the study.
    """

    def __init__(self, session: Session, study_id: UUID) -> None:
        self._session = session
        self._study_id = study_id
        self._versions: dict[tuple[UUID, ...] | None, int] = {}

    def is_stale(self, fit: Fit) -> bool:
        """Whether results changed since the fit was asked for, among those that it would see."""
        return is_imported(fit) or self.version(sweeps_of(fit)) != fit.data_version

    def version(self, sweep_ids: list[UUID] | None) -> int:
        """Version of the data of some sweeps, or of all proxy sweeps."""
        key = None if sweep_ids is None else tuple(sweep_ids)
        if key not in self._versions:
            self._versions[key] = sweeps.data_version(self._session, self._study_id, sweep_ids)
        return self._versions[key]


def sweeps_of(fit: Fit) -> list[UUID] | None:
    """The sweeps that a fit names; None for all proxy sweeps."""
    wanted = fit.configuration["sweep_ids"]
    return None if wanted is None else [UUID(sweep) for sweep in wanted]
