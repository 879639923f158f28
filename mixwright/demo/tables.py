"""The demo's findings as tables for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mixwright.demo.results import difference_error


def show_fits(console: Console, fits: Sequence[Mapping[str, Any]]) -> None:
    """Held-out scores of every method."""
    table = Table(
        "method", "rank correlation", "error, nats", "R²", "by domain", title="Fits, on runs not seen"
    )
    for fit in fits:
        if fit["state"] == "failed":
            table.add_row(fit["method"], Text(fit["error"], style="red"))
            continue
        scores, own = fit["objective_scores"], list(fit["scores"].values())
        ranks = sorted(s["spearman"] for s in own if s["spearman"] is not None)
        middle = f"{ranks[len(ranks) // 2]:.2f} median rank" if ranks else "constant"
        table.add_row(
            fit["method"],
            _number(scores["spearman"]),
            _number(scores["mae"], 3),
            _number(scores["r2"]),
            middle,
        )
    console.print(table)


def show_proposals(
    console: Console, fits: Sequence[Mapping[str, Any]], proposals: Sequence[Mapping[str, Any]]
) -> None:
    """Proposed mixtures with what each method thinks of them."""
    methods = {fit["id"]: fit["method"] for fit in fits}
    done = [proposal for proposal in proposals if proposal["proposals"]]
    columns = [("natural" if n == "prior" else n, r["weights"]) for n, r in done[0]["references"].items()]
    columns += [(methods[p["fit_id"]], p["proposals"][0]["weights"]) for p in done]
    table = Table("share of tokens, %", title="Proposals")
    for name, _ in columns:
        table.add_column(name.replace("_", " "), justify="right")
    for domain in columns[0][1]:
        table.add_row(domain, *(f"{100 * weights[domain]:.1f}" for _, weights in columns))
    table.add_section()
    blank = [""] * len(done[0]["references"])
    best = [p["proposals"][0] for p in done]
    table.add_row("predicted gain over natural", *blank, *(f"{b['gain_over_prior']:+.3f}" for b in best))
    doubts = ["\n".join(b["disagreeing"]).replace("_", " ") or "nobody" for b in best]
    table.add_row("doubted by", *blank, *doubts)
    console.print(table)


def show_targets(console: Console, rows: Sequence[Mapping[str, Any]], noise: Mapping[str, Any]) -> None:
    """Held-out losses of the larger runs, with what two seeds of one mixture differ by beside them."""
    table = Table("held-out loss, nats per token", title="Target runs, on text that no proxy was scored on")
    for row in rows:
        table.add_column(f"{row['method']} ×{row['seeds']}", justify="right")
    for domain in rows[0]["losses"]:
        table.add_row(domain, *(f"{row['losses'][domain]:.3f}" for row in rows))
    table.add_section()
    for measure, title in (
        ("natural_weighted", "natural-weighted"),
        ("mean", "plain mean"),
        ("bits_per_byte", "bits per byte"),
    ):
        table.add_row(
            title,
            *(f"{row[measure]:.4f}" for row in rows),
            style="bold" if measure == "natural_weighted" else "",
        )
    table.add_section()
    deviation = noise["standard_deviation"]["natural_weighted"]
    for reference in ("natural", "uniform"):
        table.add_row(f"against {reference}", *(_difference(row, rows, reference, deviation) for row in rows))
    console.print(table)
    console.print(
        f"Differences are of the natural-weighted loss, ± their standard error. One mixture differs between "
        f"seeds by {_number(deviation, 3)} ({noise['degrees_of_freedom']} degrees of freedom, pooled).",
        style="dim",
    )


def show_gain(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Which domains the proposal's gain over natural comes from."""
    chosen = next(row for row in rows if row["method"] == "proposal")
    gains = sorted(chosen["gain_by_domain_over_natural"].items(), key=lambda item: -abs(item[1]))
    parts = ", ".join(f"{domain} {gain:+.4f}" for domain, gain in gains)
    console.print(
        f"The proposal's gain over natural, by domain: {parts} (sum {sum(g for _, g in gains):+.4f})"
    )


def show_live(console: Console, jobs: Sequence[Mapping[str, Any]]) -> None:
    """What the live jobs did."""
    table = Table(
        "live job", "published", "applied", "late", "reports", "largest share off", title="Live steering"
    )
    for job in jobs:
        table.add_row(
            job["job"].rsplit("-odm", 1)[-1].replace("-", "odm, seed "),
            str(job["versions_published"]),
            str(job["versions_applied"]),
            str(job["versions_too_late"]),
            f"{job['reports_accepted']} of {job['reports_expected']}",
            f"{100 * job['largest_share_difference']:.2f} points",
        )
    console.print(table)


def _difference(
    row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], reference: str, deviation: float | None
) -> str:
    if row["method"] == reference:
        return "-"
    other = next(r for r in rows if r["method"] == reference)
    error = difference_error(deviation, row["seeds"], other["seeds"])
    return f"{row[f'against_{reference}']['natural_weighted']:+.3f}" + (f" ± {error:.3f}" if error else "")


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
