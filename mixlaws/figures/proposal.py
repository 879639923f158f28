"""A proposed mixture beside the prior and the uniform one."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from mixlaws.figures.style import ACCENT, MUTED, shown, styled

_OTHERS = (MUTED, "#C9CDD3", "#56B4E9", "#E69F00")


def proposal(domains: Sequence[str], mixtures: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Draw mixtures as bars, domain by domain.

    Args:
        domains: names, in their order.
        mixtures: weights by name of the mixture; the first is the proposal, the others are to compare.
    """
    figure = go.Figure()
    for number, (name, weights) in enumerate(mixtures.items()):
        figure.add_bar(
            x=[shown(domain) for domain in domains],
            y=[weights[domain] for domain in domains],
            name=shown(name),
            marker={"color": ACCENT if number == 0 else _OTHERS[(number - 1) % len(_OTHERS)]},
            hovertemplate="%{x}: %{y:.1%}<extra>" + shown(name) + "</extra>",
        )
    figure.update_layout(barmode="group", bargap=0.25)
    figure.update_xaxes(type="category")  # a domain may be called 2024
    figure.update_yaxes(tickformat=".0%")
    return styled(figure, x="domain", y="share of training tokens")
