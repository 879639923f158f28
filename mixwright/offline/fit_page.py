"""A fit as a page: what was tried, what it is worth, and what it says of each domain."""

import math
from pathlib import Path

import numpy as np

from mixlaws.auto.score_table import score_table
from mixlaws.coverage import coverage
from mixlaws.estimator import HeavyTailedPredictor
from mixlaws.figures.calibration import calibration
from mixlaws.figures.effects import effects as draw_effects
from mixlaws.figures.mixtures import mixtures
from mixlaws.figures.prediction import objective_prediction, prediction
from mixlaws.figures.residuals import residuals
from mixlaws.figures.response import response as draw_response
from mixlaws.fit_verdict import fit_verdict
from mixlaws.responses import effects, responses
from mixlaws.score_intervals import score_intervals
from mixlaws.swarm import mixture_numbers
from mixlaws.swarm_notes import notes
from mixwright.offline.fitting import Fitted
from mixwright.offline.page import Page
from mixwright.offline.score_tables import legend, of_targets
from service.importers.report import ImportReport

_SHARE = 0.8  # of held-out errors, as of the intervals that predictors give


def write(path: Path, fitted: Fitted, report: ImportReport) -> None:
    """Write the page."""
    page = Page(f"{fitted.method} on {len(fitted.swarm)} runs")
    page.sentence(_verdict(fitted), "verdict")
    if fitted.members:
        page.sentence(fitted.members.verdict)
    for sentence in report.sentences():
        page.sentence(sentence, "dim")
    for note in notes(fitted.swarm):
        page.sentence(note, "note")
    if fitted.members:
        _members(page, fitted)
    page.heading("Scores on runs that the fit did not see")
    heads, rows = of_targets(fitted)
    page.table(heads, rows, total=True)
    page.sentence(legend(fitted), "dim")
    _predictions(page, fitted)
    _responses(page, fitted)
    page.heading("The mixtures")
    objective = fitted.swarm.values @ fitted.coefficients
    page.figure(mixtures(fitted.swarm.domains.names, fitted.swarm.weights, objective))
    page.write(path)


def _verdict(fitted: Fitted) -> str:
    held_out, scores = fitted.held_out, fitted.objective_scores
    intervals = None
    if held_out.scales is None:  # of several scales scores are means over them
        intervals = score_intervals(
            held_out.measured @ fitted.coefficients,
            held_out.predicted @ fitted.coefficients,
            mixture_numbers(fitted.swarm.weights),
            rng=np.random.default_rng(0),
        )
    return fit_verdict(
        fitted.method,
        runs=len(fitted.swarm),
        spearman=scores.spearman,
        mae=scores.mae,
        intervals=intervals,
        noise=fitted.objective_noise,
    )


def _members(page: Page, fitted: Fitted) -> None:
    members = score_table(fitted.members.table if fitted.members else ())
    page.heading("What was tried")
    page.table([column.head for column in members.columns], members.rows)
    page.sentence(
        f"{members.legend}. Errors and ranks are of runs that the method did not see. The shares were "
        "chosen by these scores; those of the whole, below, are of runs that took no part in the choice.",
        "dim",
    )
    for sentence in members.notes:
        page.sentence(sentence, "dim")


def _predictions(page: Page, fitted: Fitted) -> None:
    held_out = fitted.held_out
    measured, predicted = (side @ fitted.coefficients for side in (held_out.measured, held_out.predicted))
    page.heading("The objective, measured and predicted")
    page.figure(objective_prediction(measured, predicted, noise=fitted.objective_noise))
    page.heading("Residuals of the objective")
    page.sentence(
        "Measured less predicted, on runs that the fit did not see. A bend or a fan is what the form of the "
        "method leaves out; the band, where runs are repeated, is twice the deviation between seeds.",
        "dim",
    )
    page.figure(residuals(predicted, measured, noise=fitted.objective_noise))
    page.heading("Every target, measured and predicted")
    page.figure(prediction(fitted.swarm.targets, held_out.measured, held_out.predicted))
    if held_out.deviation is not None:
        freedom = fitted.predictor.freedom if isinstance(fitted.predictor, HeavyTailedPredictor) else math.inf
        page.heading("Calibration")
        page.sentence(
            "How many of the held-out runs lie in intervals of a level: below the dotted line the fit is too "
            "sure, in the band a difference may be chance."
            + (" The 80 % intervals of auto were widened on these very runs." if fitted.members else ""),
            "dim",
        )
        page.figure(
            calibration(*coverage(held_out.measured, held_out.predicted, held_out.deviation, freedom=freedom))
        )


def _responses(page: Page, fitted: Fitted) -> None:
    swarm, held_out = fitted.swarm, fitted.held_out
    base = np.asarray(swarm.weights.mean(axis=0))
    found = responses(fitted.predictor, swarm.weights, base, fitted.coefficients)
    error = float(np.quantile(np.abs((held_out.predicted - held_out.measured) @ fitted.coefficients), _SHARE))
    lines = [
        (at, line, _within(line.objective, error) if line.interval is None else line.interval)
        for at, line in enumerate(found)
        if line is not None
    ]
    if not lines:
        return
    limits = (
        min(float(interval.min()) for _, _, interval in lines),
        max(float(interval.max()) for _, _, interval in lines),
    )
    page.heading("The objective along each domain's share")
    own = all(line.interval is None for _, line, _ in lines)
    page.sentence(
        "The others keep their proportions in the mean of the runs, which the dotted line marks; ticks at "
        "the foot are runs. The band is "
        + (f"{_SHARE:.0%} of the held-out errors" if own else "the fit's 80 % interval")
        + ". All have one scale.",
        "dim",
    )
    page.figures(
        [
            draw_response(
                swarm.domains.names[at],
                line.shares,
                line.objective,
                interval,
                base=float(base[at]),
                sampled=swarm.weights[:, at],
                limits=limits,
            )
            for at, line, interval in lines
        ]
    )
    if len(swarm.targets) > 1:
        page.heading("What each domain does to each target")
        page.sentence(
            "The change of a target when a domain goes from the lower to the upper quartile of its shares in "
            "the runs, the others in proportion. Blue is a loss that falls.",
            "dim",
        )
        changes = effects(fitted.predictor, swarm.weights, base)
        page.figure(draw_effects(swarm.domains.names, swarm.targets, changes))


def _within(objective: np.ndarray, error: float) -> np.ndarray:
    return np.stack([objective - error, objective + error])
