"""A fit as one page of HTML that needs no network: scores, predictions, mixtures."""

import html
from pathlib import Path

import plotly.graph_objects as go

from mixlaws.figures.mixtures import mixtures
from mixlaws.figures.prediction import objective_prediction, prediction
from mixlaws.validation import Scores
from mixwright.offline.fitting import Fitted
from service.importers.report import ImportReport

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font-family: system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; }} td, th {{ padding: .2rem .8rem; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }} tr:last-child td {{ border-top: 1px solid; }}
</style></head><body><h1>{title}</h1>
"""


def write(path: Path, fitted: Fitted, report: ImportReport) -> None:
    """Write the page."""
    swarm, held_out = fitted.swarm, fitted.held_out
    measured, predicted = (side @ fitted.coefficients for side in (held_out.measured, held_out.predicted))
    figures = {
        "The objective, measured and predicted on runs that the fit did not see": objective_prediction(
            measured, predicted, noise=fitted.objective_noise
        ),
        "Every target": prediction(swarm.targets, held_out.measured, held_out.predicted),
        "The mixtures": mixtures(swarm.domains.names, swarm.weights, measured),
    }
    parts = [_HEAD.format(title=html.escape(f"{fitted.method} on {len(swarm)} runs"))]
    parts += [f"<p>{html.escape(sentence)}</p>" for sentence in report.sentences()]
    parts.append(_table(fitted))
    for number, (title, figure) in enumerate(figures.items()):
        parts += [f"<h2>{html.escape(title)}</h2>", _drawn(figure, with_library=number == 0)]
    parts.append("</body></html>\n")
    path.write_text("\n".join(parts), encoding="utf-8")


def _drawn(figure: go.Figure, *, with_library: bool) -> str:
    text: str = figure.to_html(full_html=False, include_plotlyjs=with_library, config={"displaylogo": False})
    return text


def _table(fitted: Fitted) -> str:
    rows = [*fitted.scores.items(), ("objective", fitted.objective_scores)]
    body = "".join(f"<tr><td>{html.escape(name)}</td>{_cells(scores)}</tr>" for name, scores in rows)
    return f"<table><tr><th>target</th><th>Spearman</th><th>mean error</th><th>R²</th></tr>{body}</table>"


def _cells(scores: Scores) -> str:
    values = (scores.spearman, scores.mae, scores.r2)
    return "".join(f"<td>{'–' if value is None else f'{value:.4f}'}</td>" for value in values)
