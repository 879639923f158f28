"""Figures of jobs as they were sent last: who else looks at the same moment is answered from memory."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from uuid import UUID

import plotly.graph_objects as go

from service.dashboard.rendering import figure_data

_MOST_JOBS = 32  # of some 400 KB each


class Drawings:
    """The figures that one process remembers. Two threads may draw the same job: either result is right."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, tuple[str, bytes]] = OrderedDict()

    def figures(self, job_id: UUID, pulse: str, draw: Callable[[], Mapping[str, go.Figure]]) -> bytes:
        """The figures of a job as a JSON object by their names.

        Args:
            job_id: the job.
            pulse: differs whenever the figures do.
            draw: makes them.
        """
        known = self._known.get(job_id)
        if known is None or known[0] != pulse:
            told = {name: figure_data(figure) for name, figure in draw().items()}
            known = pulse, json.dumps(told, separators=(",", ":")).encode()
        kept = OrderedDict(self._known)  # a copy: another thread may be doing the same
        kept[job_id] = known
        kept.move_to_end(job_id)
        while len(kept) > _MOST_JOBS:
            kept.popitem(last=False)
        self._known = kept
        return known[1]
