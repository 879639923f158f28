"""A plan as a page: the curve, carried on to the runs that are needed."""

from pathlib import Path

import numpy as np

from mixlaws.figures.regret import regret
from mixwright.offline.page import Page
from mixwright.offline.plan_tables import account, advice, curve, sizes
from mixwright.offline.planning import Planned
from service.importers.report import ImportReport

_POINTS = 60
_BEYOND = 3.0  # times the runs that there are, at the least


def write(path: Path, planned: Planned, report: ImportReport) -> None:
    """Write the page."""
    plan = planned.plan
    page = Page(f"A plan from {plan.runs} runs")
    page.sentence(plan.verdict, "verdict")
    page.sentence(account(planned))
    for sentence in report.sentences():
        page.sentence(sentence, "dim")
    for note in planned.notes:
        page.sentence(note, "note")
    page.heading("How far the decision is from the optimum")
    most = max(_BEYOND * plan.runs, 1.2 * (plan.needed or 0))
    runs = np.geomspace(plan.points[0].runs, most, _POINTS)
    page.figure(
        regret(
            np.array([point.runs for point in plan.points]),
            np.array([point.regret for point in plan.points]),
            runs,
            np.array([plan.curve.regret(number) for number in runs]),
            np.array([plan.curve.regret_interval(number) for number in runs]).T,
            there_are=plan.runs,
            within=plan.within,
        )
    )
    page.sentence(
        "Points are means over random subsets of the runs, by the fit of all. The band holds 80 % of the "
        "curves of resampled subsets; to the right of the dotted line it is a forecast.",
        "dim",
    )
    page.table(*curve(planned))
    if planned.sizes:
        page.heading("Model sizes")
        page.table(*sizes(planned.sizes))
        page.sentence(advice(planned.sizes))
    page.write(path)
