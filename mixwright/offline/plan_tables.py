"""A plan on the terminal: the measured curve, what it leads to, and the account of model sizes."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from mixlaws.scaling.proxy_sizes import ProxySize, most_informative
from mixwright.offline.planning import Planned


def tell(planned: Planned, console: Console) -> None:
    """Print the plan."""
    console.print(_curve(planned))
    plan = planned.plan
    console.print(f"[bold]{escape(plan.verdict)}[/]", highlight=False, soft_wrap=True)
    low, high = plan.regret_interval
    of_size = "" if planned.model_parameters is None else f" of {planned.model_parameters:.3g} parameters"
    console.print(
        f"with the {plan.runs} runs{of_size}: {plan.regret:.2g} nats expected ({low:.2g} to {high:.2g}); "
        f"by {planned.method}. To see {plan.within:g} nats between two mixtures at two standard errors takes "
        f"{plan.confirmation} runs of each",
        highlight=False,
        soft_wrap=True,
    )
    if planned.sizes:
        console.print(_sizes(planned.sizes))
        console.print(_best(planned.sizes), highlight=False, soft_wrap=True)


def _curve(planned: Planned) -> Table:
    table = Table(*(Column(name, justify="right") for name in ("runs", "regret", "curve", "held-out error")))
    for point in planned.plan.points:
        fitted = planned.plan.curve.regret(point.runs)
        table.add_row(str(point.runs), f"{point.regret:.4f}", f"{fitted:.4f}", f"{point.error:.4f}")
    return table


def _sizes(sizes: Sequence[ProxySize]) -> Table:
    heads = ("parameters", "runs", "in common", "ranks as the largest", "FLOPs a run", "nats per 1e18 FLOPs")
    table = Table(*(Column(name, justify="right") for name in heads))
    for size in sizes:
        agreement = "–"
        if size.agreement is not None and size.interval is not None:
            agreement = f"{size.agreement:.2f} ({size.interval[0]:.2f} to {size.interval[1]:.2f})"
        table.add_row(
            f"{size.model_parameters:.3g}",
            str(size.runs),
            str(size.common) if size is not sizes[-1] else "–",
            agreement if size is not sizes[-1] else "largest",
            "–" if size.flops is None else f"{size.flops:.2g}",
            "–" if size.information is None else f"{size.information:.3g}",
        )
    return table


def _best(sizes: list[ProxySize]) -> str:
    best = most_informative(sizes)
    if best is None:
        return (
            "no size surely ranks mixtures as the largest one does, or tokens are unknown: no advice on size"
        )
    return (
        f"{best.model_parameters:.3g} parameters tell most of the largest size for their compute; no number "
        "of such runs ranks mixtures better than that size does"
    )
