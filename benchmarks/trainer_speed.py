"""What following a job costs a training run: tokens per second, in alternating blocks of one run.

    python -m benchmarks.trainer_speed [--blocks 40] [--steps 200] [--width 256] [--layers 4] [--json]

Trains a small language model on text of this machine, on a GPU where there is one. In every second block the
loop follows a job of a running service and reports each step's losses; in the others it draws the same
samples from a fixed schedule and tells nobody. Losses by domain are summed in both. The comparison is that of
neighbouring blocks, with the 95 % interval of their mean ratio. The first pair is left out, as it warms up.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from mixclient.documents.jobs import JobIn
from mixclient.documents.shared import DomainBody
from scipy import stats

from benchmarks.arguments import arguments
from benchmarks.served import served
from mixclient import MixtureClient, Sampler, Schedule, ServiceClient
from mixwright.demo.service_process import Address
from proxy_training.corpus import Corpus, LocalSource, build_corpus, default_cache_folder
from proxy_training.mixture_stream import MixtureStream
from proxy_training.spec import TrainSpec
from proxy_training.train import untrained

SAMPLES, CONTEXT, SEED = 32, 64, 17


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    for name, default in (("blocks", 40), ("steps", 200), ("width", 256), ("layers", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    corpus = build_corpus(LocalSource(), cache=default_cache_folder(), megabytes_per_domain=1.0)
    with served() as service:
        client = following(service.address, corpus, service.folder)
        rates = measured(client, corpus, chosen.blocks, chosen.steps, chosen.width, chosen.layers)
        client.close()
    found = compared(rates) | {"steps_of_a_block": chosen.steps, "device": device().type}
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


def device() -> torch.device:
    """Where the model is trained."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def following(address: Address, corpus: Corpus, folder: Path) -> MixtureClient:
    """A client of a job whose weights stay, so that both kinds of block draw the same."""
    domains = zip(corpus.domains.names, corpus.domains.tokens, strict=True)
    rows: list[DomainBody] = [{"name": name, "tokens": tokens} for name, tokens in domains]
    job: JobIn = {"name": "speed", "policy": "static", "domains": rows, "samples_per_step": SAMPLES}
    with ServiceClient(address.url, address.key) as service:
        service.create_job(job)
    client = MixtureClient(address.url, address.key, job="speed", seed=SEED, folder=folder / "client")
    client.start()
    return client


def measured(
    client: MixtureClient, corpus: Corpus, blocks: int, steps: int, width: int, layers: int
) -> list[float]:
    """Tokens per second of every block; the even ones follow the job."""
    spec = TrainSpec(context=CONTEXT, batch=SAMPLES, layers=layers, width=width, hidden=3 * width)
    decoder = untrained(spec, corpus, seed=SEED, device=str(device()))
    optimiser = torch.optim.AdamW(decoder.parameters(), lr=1e-3, fused=True)
    stream = MixtureStream(corpus, context=CONTEXT, seed=SEED)
    weights = dict(zip(client.domains, client.schedule.stages[0].weights, strict=True))
    fixed = Sampler(Schedule.static(weights, samples_per_step=SAMPLES), seed=SEED)
    rates = []
    for block in range(2 * (blocks // 2)):
        begun = time.perf_counter()
        for step in range(block * steps, (block + 1) * steps):
            follows = block % 2 == 0
            domains = client.step(step) if follows else fixed.step(step)
            sums, counts = trained(decoder, optimiser, stream, domains)
            if follows:
                client.record(step, loss_sums=sums, token_counts=counts)
        rates.append(steps * SAMPLES * CONTEXT / (time.perf_counter() - begun))
    return rates


def trained(
    decoder: torch.nn.Module, optimiser: torch.optim.Optimizer, stream: MixtureStream, domains: list[int]
) -> tuple[list[float], list[int]]:
    """Train one step; returns losses and tokens by domain."""
    tokens = torch.from_numpy(stream.batch(domains)).to(device())
    with torch.autocast(device().type, torch.bfloat16, enabled=device().type == "cuda"):
        logits = decoder(tokens[:, :-1])
    losses = F.cross_entropy(logits.float().transpose(1, 2), tokens[:, 1:], reduction="none")
    optimiser.zero_grad(set_to_none=True)
    losses.mean().backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    drawn = torch.tensor(domains, device=device())
    d = len(stream.drawn)
    sums = torch.bincount(drawn, weights=losses.detach().sum(dim=1).double(), minlength=d)
    return sums.tolist(), (CONTEXT * torch.bincount(drawn, minlength=d)).tolist()


def compared(rates: list[float]) -> dict[str, Any]:
    """Rates of both kinds, and the mean ratio of neighbours with its 95 % interval."""
    pairs = np.array(rates).reshape(-1, 2)[1:]
    differences = np.log(pairs[:, 0] / pairs[:, 1])
    mean, error = differences.mean(), stats.sem(differences)
    low, high = stats.t.interval(0.95, len(differences) - 1, loc=mean, scale=error)
    percent = {"mean": mean, "low": low, "high": high}
    return {
        "tokens_per_second": {
            name: float(np.median(rate)) for name, rate in zip(("with", "without"), pairs.T, strict=True)
        },
        "difference_percent": {name: float(100 * np.expm1(value)) for name, value in percent.items()},
        "pairs": len(pairs),
    }


def show(found: dict[str, Any]) -> None:
    """The findings in two sentences."""
    rates, difference = found["tokens_per_second"], found["difference_percent"]
    print(
        f"On a {found['device']}, {found['pairs']} pairs of blocks of {found['steps_of_a_block']} steps, at "
        f"the median: {rates['with']:.0f} tokens per second with the client, {rates['without']:.0f} without."
    )
    print(
        f"With it the run is {difference['mean']:+.2f} % faster, 95 % interval {difference['low']:+.2f} % to "
        f"{difference['high']:+.2f} %."
    )


if __name__ == "__main__":
    main()
