"""Several studies or jobs in one figure.

A domain keeps its colour; things that are compared differ by how their lines are dashed, and where a line is
of no domain, by colour too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import MUTED, colours, shown, styled

DASHES = ("solid", "dot", "dash", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True, eq=False)
class Course:
    """Weights of a job along its steps.

    Args:
        domains: names of axis d.
        steps: (n,) first step of each stage, rising.
        weights: (n, d) shares of samples.
        end: step up to which the last stage is drawn.
    """

    domains: Sequence[str]
    steps: Sequence[int]
    weights: FloatArray
    end: int


def best_so_far(values: Mapping[str, Sequence[float]]) -> go.Figure:
    """Draw the lowest objective so far, nats per token, of (k,) runs of each study."""
    figure = go.Figure()
    for (name, colour), dash in zip(colours(list(values)).items(), DASHES, strict=False):
        figure.add_scatter(
            x=list(range(1, len(values[name]) + 1)),
            y=list(values[name]),
            mode="lines",
            line={"shape": "hv", "color": colour, "dash": dash, "width": 2},
            name=shown(name),
            hovertemplate="%{x} runs: %{y:.3f}<extra>" + shown(name) + "</extra>",
        )
    return styled(figure, x="finished proxy runs", y="best objective, nats per token", height=320)


def weights_of_jobs(jobs: Mapping[str, Course]) -> go.Figure:
    """Draw the weights of each job: a colour for each domain, a dash for each job."""
    figure = go.Figure()
    names = list(dict.fromkeys(domain for course in jobs.values() for domain in course.domains))
    told: set[str] = set()
    for (job, course), dash in zip(jobs.items(), DASHES, strict=False):
        for d, domain in enumerate(course.domains):
            figure.add_scatter(
                x=[*course.steps, max(course.end, course.steps[-1] + 1)],
                y=[*course.weights[:, d], course.weights[-1, d]],
                mode="lines",
                line={"shape": "hv", "color": colours(names)[domain], "dash": dash, "width": 1.5},
                name=shown(domain),
                legendgroup=f"domain {names.index(domain)}",
                showlegend=domain not in told,
                hovertemplate="step %{x}: %{y:.1%}<extra>" + shown(f"{domain}, {job}") + "</extra>",
            )
            told.add(domain)
    for job, dash in zip(jobs, DASHES, strict=False):
        # A line of no points, for the legend alone.
        line = {"color": MUTED, "dash": dash, "width": 2}
        figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=shown(job), hoverinfo="skip")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return styled(figure, x="optimiser step", y="share of samples", height=420)


def losses_of_jobs(losses: Mapping[str, Sequence[tuple[int, float]]]) -> go.Figure:
    """Draw the mean training loss, nats per token, of each job at some of its steps."""
    figure = go.Figure()
    for (job, colour), dash in zip(colours(list(losses)).items(), DASHES, strict=False):
        figure.add_scatter(
            x=[step for step, _ in losses[job]],
            y=[loss for _, loss in losses[job]],
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            name=shown(job),
            hovertemplate="step %{x}: %{y:.3f}<extra>" + shown(job) + "</extra>",
        )
    return styled(figure, x="optimiser step", y="mean loss, nats per token", height=320)
