"""A plan as text: the measured curve, what it leads to, and the account of model sizes."""

from collections.abc import Sequence

from rich.console import Console

from mixlaws.scaling.proxy_sizes import ProxySize, most_informative
from mixwright.offline.planning import Planned
from mixwright.showing import say, table


def tell(planned: Planned, console: Console) -> None:
    """Print the plan."""
    console.print(table(console, *curve(planned)))
    for note in planned.notes:
        say(console, note, style="yellow", indent=2)
    say(console, planned.plan.verdict, style="bold")
    say(console, account(planned))
    if planned.sizes:
        console.print(table(console, *sizes(planned.sizes)))
        say(console, advice(planned.sizes))


def curve(planned: Planned) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of what subsets led to."""
    rows = [
        [
            str(point.runs),
            f"{point.regret:.4f}",
            f"{planned.plan.curve.regret(point.runs):.4f}",
            f"{point.error:.4f}",
        ]
        for point in planned.plan.points
    ]
    return ["runs", "regret, nats", "curve, nats", "held-out error, nats"], rows


def account(planned: Planned) -> str:
    """What is expected of the runs that there are, in words."""
    plan = planned.plan
    low, high = plan.regret_interval
    of_size = "" if planned.model_parameters is None else f" of {planned.model_parameters:.3g} parameters"
    return (
        f"with the {plan.runs} runs{of_size}: {plan.regret:.2g} nats expected ({low:.2g} to {high:.2g}); "
        f"the {planned.prior_name} itself is {plan.prior_regret:.2g} nats from the optimum; by "
        f"{planned.method}. To see {plan.within:g} nats between two mixtures at two standard errors takes "
        f"{plan.confirmation} runs of each"
    )


def sizes(found: Sequence[ProxySize]) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of the account of model sizes."""
    heads = ["parameters", "runs", "in common", "ranks as the largest", "FLOPs a run", "nats per 1e18 FLOPs"]
    return heads, [_size(size, largest=size is found[-1]) for size in found]


def _size(size: ProxySize, *, largest: bool) -> list[str]:
    agreement = "–"
    if size.agreement is not None and size.interval is not None:
        agreement = f"{size.agreement:.2f} ({size.interval[0]:.2f} to {size.interval[1]:.2f})"
    return [
        f"{size.model_parameters:.3g}",
        str(size.runs),
        "–" if largest else str(size.common),
        "largest" if largest else agreement,
        "–" if size.flops is None else f"{size.flops:.2g}",
        "–" if size.information is None else f"{size.information:.3g}",
    ]


def advice(sizes: Sequence[ProxySize]) -> str:
    """Which size to make runs of, in words."""
    best = most_informative(sizes)
    if best is None:
        return (
            "no size surely ranks mixtures as the largest one does, or tokens are unknown: no advice on size"
        )
    return (
        f"{best.model_parameters:.3g} parameters tell most of the largest size for their compute; no number "
        "of such runs ranks mixtures better than that size does"
    )
