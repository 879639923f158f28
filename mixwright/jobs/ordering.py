"""`mixwright job pin` and the other orders: each has a reason, and can be tried out before."""

import json as json_module
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer
from rich.console import Console

from mixwright.jobs.calling import JobName
from mixwright.offline import options
from mixwright.offline.grouped import grouped
from mixwright.studies.calling import connected

if TYPE_CHECKING:
    from mixclient.documents.jobs import OrderOut

    from mixclient import ServiceClient


@dataclass(frozen=True)
class Order:
    """What every order has."""

    reason: Annotated[str, typer.Option(help="Why; it stays in the audit trail.", metavar="TEXT")]
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the schedule as it would be, and store nothing.")
    ] = False
    json: options.Json = False

    @property
    def words(self) -> "Words":
        """What the service is told with every order."""
        return {"reason": self.reason, "dry_run": self.dry_run}


class Words(TypedDict):
    """What the service is told with every order."""

    reason: str
    dry_run: bool


Domain = Annotated[str, typer.Argument(help="Name of the domain.", metavar="DOMAIN")]


@grouped
def pin(
    job: JobName,
    *,
    weights: Annotated[
        list[str], typer.Option(help="Share of samples of every domain.", metavar="NAME=NUMBER,...")
    ],
    order: Order,
    service: options.Service,
) -> None:
    """Hold weights of your choice until you release them."""
    named = options.named_numbers(weights)
    _give(
        service,
        job,
        lambda client: client.pin_job(job, named, **order.words),
        order,
        "the weights of the job are pinned",
    )


@grouped
def freeze(job: JobName, *, order: Order, service: options.Service) -> None:
    """Hold the weights as they are until you release them; the policy goes on learning."""
    _give(
        service,
        job,
        lambda client: client.freeze_job(job, **order.words),
        order,
        "the weights of the job are frozen",
    )


@grouped
def release(job: JobName, *, order: Order, service: options.Service) -> None:
    """Let the policy steer again after a pin, a freeze, a rollback or an alarm."""
    _give(
        service,
        job,
        lambda client: client.release_job(job, **order.words),
        order,
        "the job is released: its policy steers",
    )


@grouped
def rollback(
    job: JobName,
    version: Annotated[int, typer.Argument(min=1, help="Version to go back to.", metavar="VERSION")],
    *,
    order: Order,
    service: options.Service,
) -> None:
    """Hold the weights of a version, and let the policy forget what it has learnt since."""
    _give(
        service,
        job,
        lambda client: client.roll_back_job(job, version, **order.words),
        order,
        f"the job is back at version {version}",
    )


@grouped
def retire(job: JobName, domain: Domain, *, order: Order, service: options.Service) -> None:
    """Take a domain out; its share is spread as the guards of the job say."""
    _give(
        service,
        job,
        lambda client: client.retire_domain(job, domain, **order.words),
        order,
        f"{domain} is retired",
    )


@grouped
def readmit(job: JobName, domain: Domain, *, order: Order, service: options.Service) -> None:
    """Let a retired domain in again."""
    _give(
        service,
        job,
        lambda client: client.readmit_domain(job, domain, **order.words),
        order,
        f"{domain} is admitted again",
    )


@grouped
def shadow(
    job: JobName,
    *,
    on: Annotated[bool, typer.Option("--on/--off", help="Let the policy watch, or let it steer.")],
    order: Order,
    service: options.Service,
) -> None:
    """Let the policy watch while the prior holds, or let it steer."""
    what = "the policy of the job only watches: the prior holds" if on else "the policy of the job steers"
    _give(service, job, lambda client: client.shadow_job(job, on=on, **order.words), order, what)


@grouped
def add_domain(
    job: JobName,
    name: Annotated[str, typer.Argument(help="Name of the new domain.", metavar="NAME")],
    *,
    tokens: Annotated[str, typer.Option(help="Tokens that it holds, as 60e9 or 60B.", metavar="NUMBER")],
    max_epochs: Annotated[
        float | None,
        typer.Option(help="How often it may be read; by default without limit.", metavar="NUMBER"),
    ] = None,
    prior_weight: Annotated[
        float | None,
        typer.Option(
            help="Its weight in the prior, taken from all others alike; by default by tokens.",
            metavar="NUMBER",
        ),
    ] = None,
    order: Order,
    service: options.Service,
) -> None:
    """Add a domain, which comes in with the next restart from a checkpoint."""
    held = options.token_count(tokens)

    def add(client: "ServiceClient") -> "OrderOut":
        return client.add_domain(
            job, name, held, max_epochs=max_epochs, prior_weight=prior_weight, **order.words
        )

    _give(service, job, add, order, f"{name} comes in with the next attempt")


def _give(
    service: options.Service,
    job: str,
    give: "Callable[[ServiceClient], OrderOut]",
    order: Order,
    what: str,
) -> None:
    """Give an order, and tell what came of it and the stages to come."""
    with connected(service) as client:
        before = client.job(job)["version"]
        answer = give(client)
    if order.json:
        typer.echo(json_module.dumps(answer))
        return
    from mixwright.jobs.tables import tell_stages  # noqa: PLC0415
    from mixwright.showing import say  # noqa: PLC0415

    console = Console()
    came = _versions(before, answer)
    say(console, f"dry run, nothing was stored: {what}, {came}" if order.dry_run else f"{what}, {came}")
    tell_stages(console, answer["schedule"])


def _versions(before: int, answer: "OrderOut") -> str:
    """What an order published."""
    new = [stage for stage in answer["schedule"]["stages"] if stage["version"] > before]
    if not new:
        return "and the schedule stays as it is"
    told = (
        f"version {new[0]['version']}"
        if len(new) == 1
        else f"versions {new[0]['version']} to {answer['version']}"
    )
    return f"with {told} from step {new[0]['effective_step']} on"
