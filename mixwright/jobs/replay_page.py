"""The schedule that another policy would have published, and the one that held, on a page."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mixlaws.figures.schedule import schedule
from mixwright.jobs.counterfactual import Counterfactual, wide
from mixwright.jobs.log_file import JobLog
from mixwright.jobs.telling import CAVEAT
from mixwright.offline.page import Page
from service.jobs.definition import JobDefinition


def write(path: Path, log: JobLog, definitions: Mapping[int, JobDefinition], found: Counterfactual) -> None:
    """Write the page."""
    last = definitions[max(definitions)]
    names, name = last.domains.names, last.steering.name
    end = max((step for _, step, _ in found.held), default=0) + 1
    page = Page(f"{log.job} under {name}")
    if found.distance is not None:
        page.sentence(
            f"Mean total variation from the weights that really held: {found.distance:.4f}", "verdict"
        )
    page.sentence(CAVEAT, "note")
    page.heading(f"What {name} would have published")
    begun = [stage for stage in found.plan if stage.effective_step < end] or found.plan[:1]
    weights = np.array([wide(stage.weights, len(names)) for stage in begun])
    page.figure(schedule(names, [stage.effective_step for stage in begun], weights, end=end))
    if found.held:
        page.heading("What really held")
        steps, held = [first for first, _, _ in found.held], np.array([row for _, _, row in found.held])
        page.figure(schedule(names, steps, held, end=end))
    page.write(path)
