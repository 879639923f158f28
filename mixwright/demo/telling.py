"""Telling the story: who is started, in which order, and what is said at the end."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from mixclient import ServiceClient
from mixwright.demo import tables
from mixwright.demo.plan import Plan
from mixwright.demo.results import noise, target_rows
from mixwright.demo.service_process import Address, ServiceProcess
from mixwright.demo.story import Story, study_name
from mixwright.pool import Order, Pool
from proxy_training.corpus import Corpus, LocalSource, build_corpus, default_cache_folder
from service.server import AddressError, bind


def tell(plan: Plan, *, leave: bool, file: Path | None, port: int) -> dict[str, Any]:
    """Tell the story; afterwards serve on until interrupted, unless asked to leave.

    Args:
        plan: how large it is.
        leave: whether to end when it is told.
        file: where to write what was found.
        port: port of the service, if it is free.

    Raises:
        CommandError: a part of it failed; the text says which and why.
    """
    started = time.monotonic()
    console = Console(stderr=True, soft_wrap=False)
    service = ServiceProcess(port=port if _is_free(port) else 0)
    pool: Pool | None = None
    found: dict[str, Any] = {}
    try:
        console.print("[bold]1[/] [dim]0 s[/] starting the service and reading text of this machine")
        address = service.start()
        corpus = _corpus(plan, console)
        pool = Pool(Order(address.url, address.key, corpus.folder, study=(name := study_name())))
        pool.start(plan.processes)
        with ServiceClient(address.url, address.key) as client:
            story = Story(client, corpus, pool, plan, name, console)
            found = _told(story, started)
        pool.stop()
        found["service_restarts"] = service.restarts
        if file is not None:
            file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        console.print(f"Told in {found['seconds']:.0f} s, as study {name}.", highlight=False)
        if leave:
            console.print("`mixwright serve` shows it again.")
        else:
            _serve(console, service, address)
    except KeyboardInterrupt:
        console.print("stopping")
    finally:
        if pool is not None:
            pool.stop()
        service.stop()
    return found


def _told(story: Story, started: float) -> dict[str, Any]:
    """The story from the sweep to the last table."""
    console, plan = story.console, story.plan
    domains = story.corpus.domains
    console.print(
        f"[bold]2[/] {_elapsed(started)} training {plan.designed + plan.repeats + 2} proxy runs on mixtures "
        f"of {len(domains)} domains: {', '.join(domains.names)}",
        highlight=False,
    )
    proxies = story.sweep()
    console.print(
        f"[bold]3[/] {_elapsed(started)} fitting laws and regressors to them, and asking for mixtures"
    )
    fits = story.fits()
    tables.show_fits(console, fits)
    proposals = story.proposals(fits)
    tables.show_proposals(console, fits, proposals)
    console.print(
        f"[bold]4[/] {_elapsed(started)} training larger models; the live ones follow weights that the "
        "service sends them"
    )
    runs, jobs = story.targets(proposals[0]["proposals"][0]["weights"])
    shares = domains.to_mapping(domains.natural)
    rows, spread = target_rows(runs, shares), noise(runs, shares)
    tables.show_targets(console, rows, spread)
    tables.show_gain(console, rows)
    tables.show_live(console, jobs)
    return {
        "study": story.study,
        "domains": [
            {"name": n, "train_tokens": t} for n, t in zip(domains.names, domains.tokens, strict=True)
        ],
        "proxy_runs": [_brief(run) for run in proxies],
        "fits": [row for fit in fits for row in _scores(fit)],
        "proposals": _proposed(fits, proposals),
        "targets": rows,
        "noise": spread,
        "live": {**jobs[0], "jobs": jobs},
        "seconds": time.monotonic() - started,
    }


def _corpus(plan: Plan, console: Console) -> Corpus:
    with console.status("reading text ...") as status:
        return build_corpus(
            LocalSource(),
            cache=default_cache_folder(),
            vocabulary=plan.vocabulary,
            megabytes_per_domain=plan.megabytes,
            progress=lambda phase, share: status.update(f"{phase} {share:.0%}"),
        )


def _serve(console: Console, service: ServiceProcess, address: Address) -> None:
    """Serve until interrupted."""
    console.print("The dashboard, with one login within an hour:")
    console.print(f"  {address.login}", soft_wrap=True, highlight=False)
    console.print("Serving until Ctrl-C.")
    sys.stderr.flush()
    service.wait()


def _elapsed(started: float) -> str:
    return f"[dim]{time.monotonic() - started:.0f} s[/]"


def _is_free(port: int) -> bool:
    try:
        bind("127.0.0.1", port).close()
    except AddressError:
        return False
    return True


def _brief(run: Mapping[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("label", "weights", "seed")} | {"losses": run["result"]["losses"]}


def _scores(fit: Mapping[str, Any]) -> list[dict[str, Any]]:
    if fit["state"] == "failed":
        return [{"method": fit["method"], "error": fit["error"]}]
    rows = {**fit["scores"], "objective": fit["objective_scores"]}
    return [{"method": fit["method"], "target": target, **scores} for target, scores in rows.items()]


def _proposed(
    fits: Sequence[Mapping[str, Any]], proposals: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    methods = {fit["id"]: fit["method"] for fit in fits}
    return [
        {"method": methods[request["fit_id"]], "proposer": request["configuration"]["proposer"], **proposed}
        for request in proposals
        for proposed in request["proposals"]
    ]
