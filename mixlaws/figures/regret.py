"""How far a decision is from the optimum, by the number of runs that it rests on."""

import math

import numpy as np
import plotly.graph_objects as go

from mixlaws.arrays import FloatArray
from mixlaws.figures.style import ACCENT, MUTED, add_band, styled


def regret(
    runs: FloatArray,
    measured: FloatArray,
    curve_runs: FloatArray,
    curve: FloatArray,
    interval: FloatArray,
    *,
    there_are: int,
    within: float,
) -> go.Figure:
    """Draw measured regrets and the curve that carries them on, on logarithms.

    Args:
        runs: (k,) runs of the subsets.
        measured: (k,) their mean regret, nats per token.
        curve_runs: (m,) rising numbers of runs.
        curve: (m,) the fitted regret there.
        interval: (2, m) interval of it.
        there_are: runs that there are; beyond them the curve is a forecast.
        within: regret that is wanted.
    """
    figure = go.Figure()
    add_band(figure, curve_runs, interval)
    figure.add_scatter(
        x=curve_runs,
        y=curve,
        mode="lines",
        line={"color": ACCENT, "width": 2},
        hovertemplate="%{x:.0f} runs: %{y:.2g} nats<extra></extra>",
    )
    figure.add_scatter(
        x=runs,
        y=measured,
        mode="markers",
        marker={"color": ACCENT, "size": 9},
        hovertemplate="subsets of %{x} runs: %{y:.2g} nats<extra></extra>",
    )
    _mark(figure, there_are, within)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(type="log", tickvals=_round_numbers(float(curve_runs[0]), float(curve_runs[-1])))
    figure.update_yaxes(type="log", dtick="D2", exponentformat="none")
    return styled(figure, x="runs", y="regret, nats per token", height=400)


def _mark(figure: go.Figure, there_are: int, within: float) -> None:
    """Lines at the runs that there are and the regret that is wanted."""
    dotted = {"color": MUTED, "dash": "dot", "width": 1}
    figure.add_vline(x=there_are, line=dotted)
    figure.add_hline(y=within, line=dotted)
    # Places of texts on an axis of logarithms are logarithms, those of lines are not.
    beside = {"showarrow": False, "font": {"color": MUTED}}
    figure.add_annotation(
        x=np.log10(there_are),
        y=1,
        yref="paper",
        xanchor="left",
        text=f" {there_are} runs there are",
        **beside,
    )
    figure.add_annotation(
        x=0,
        xref="paper",
        y=np.log10(within),
        xanchor="left",
        yanchor="bottom",
        text=f"{within:g} nats",
        **beside,
    )


def _round_numbers(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [digit * 10.0**decade for decade in decades for digit in (1, 2, 3, 5, 7)]
    return [number for number in every if low <= number <= high]
