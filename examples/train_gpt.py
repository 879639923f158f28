"""A trainer of a small language model, on one device or many, that follows a live job.

Start the service in one terminal and this in another:

    mixwright serve
    python examples/train_gpt.py --policy odm
    torchrun --nproc-per-node 8 examples/train_gpt.py --policy odm --job eight --folder eight

Rank 0 follows the job and tells the others each new schedule, so that all of them switch at the same step.
A policy with probes, such as aioli, wants held-out losses where a stage ends: `--evaluate`.
End it, or kill it, and go on with `--resume`: on any number of ranks, with the samples that come next.
Kill the service meanwhile: training does not notice.
"""

import argparse
import json
import os
import signal
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812 - the name that everybody uses
from mixclient.documents.jobs import JobIn
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mixclient import Evaluation, MixtureClient, Sampler, Schedule, ServiceClient, Signals
from proxy_training.corpus import Corpus, LocalSource, build_corpus, default_cache_folder
from proxy_training.mixture_stream import MixtureStream
from proxy_training.spec import TrainSpec
from proxy_training.train import learning_rate, untrained
from service.settings import Settings

CHECKPOINT = "checkpoint.pt"


class Ranks:
    """The processes that train together, as torchrun starts them; one alone talks to nobody."""

    def __init__(self) -> None:
        self.rank, self.world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        self.device = torch.device("cpu")
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(self.device)
        if self.world > 1:
            dist.init_process_group("cpu:gloo,cuda:nccl" if self.device.type == "cuda" else "gloo")

    def sum(self, numbers: Tensor) -> Tensor:
        """Numbers added over all ranks."""
        if self.world > 1:
            dist.all_reduce(numbers)
        return numbers

    def told(self, text: str) -> str:
        """What rank 0 says, on every rank."""
        if self.world == 1:
            return text
        data = torch.tensor(list(text.encode()), dtype=torch.uint8)
        size = torch.tensor([len(data)])
        dist.broadcast(size, src=0)
        if self.rank > 0:
            data = torch.empty(int(size), dtype=torch.uint8)
        if size > 0:
            dist.broadcast(data, src=0)
        return bytes(data.tolist()).decode()


class Mixture:
    """The domains of each step, the same on all ranks.

    Args:
        ranks: who trains.
        client: follows the job; rank 0 has it, and nobody else.
        seed: of the sampler, the client's.
    """

    def __init__(self, ranks: Ranks, client: MixtureClient | None, seed: int) -> None:
        self._ranks, self._client, self._seed = ranks, client, seed
        self._told: Schedule | None = None
        self._hear()

    def step(self, step: int) -> list[int]:
        """Domains of all samples of a step."""
        if self._client is not None:
            self._client.step(step)  # from here on nothing that arrives can change this step
        self._hear()
        return self.sampler.step(step)

    def stage_ends(self, step: int) -> bool:
        """Whether other weights hold from the next step on; what arrives later does not change that."""
        if self._client is not None:
            self._client.stage_ends(step)
        self._hear()
        return self.sampler.schedule.stage_ends(step)

    def _hear(self) -> None:
        newest = self._client.schedule if self._client is not None else None
        document = self._ranks.told("" if newest is None or newest is self._told else newest.dump())
        self._told = newest
        if document:
            self.sampler = Sampler(Schedule.parse(json.loads(document)), seed=self._seed)


def main() -> None:
    """Train, from the start or from the last checkpoint."""
    chosen, ranks = _options(), Ranks()
    corpus = _corpus(chosen.corpus, ranks)
    checkpoint = _checkpoint(chosen, ranks)
    client = _following(chosen, corpus, checkpoint) if ranks.rank == 0 else None
    mixture = Mixture(ranks, client, chosen.seed)
    spec = _spec(chosen, corpus, mixture.sampler.schedule, ranks)
    decoder = untrained(spec, corpus, seed=chosen.seed, device=str(ranks.device))
    optimiser = torch.optim.AdamW(decoder.parameters(), betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    stream = MixtureStream(corpus, context=spec.context, seed=chosen.seed)
    if checkpoint:
        decoder.load_state_dict(checkpoint["model"])
        optimiser.load_state_dict(checkpoint["optimiser"])
        stream.drawn[:] = checkpoint["drawn"]
    if ranks.device.type == "cuda":
        decoder.compile()
    model = DistributedDataParallel(decoder) if ranks.world > 1 else decoder
    asked_to_end: list[int] = []
    evaluates = chosen.evaluate > 0
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_end.append(number))

    for step in range(checkpoint.get("step", 0), chosen.steps):
        samples = stream.take(mixture.step(step))[ranks.rank :: ranks.world]
        _log(chosen.log_domains, ranks.rank, step, samples)
        losses = _trained(model, optimiser, stream.read(samples), learning_rate(spec, step), ranks.device)
        sums, counts, ending = _measured(
            ranks, corpus, samples, losses, end=bool(asked_to_end) or step + 1 == chosen.steps
        )
        last = ending[0] > 0
        signals = (
            _evaluated(ranks, corpus, decoder, chosen) if evaluates and mixture.stage_ends(step) else None
        )
        if client is not None:
            tokens = [spec.context * int(count) for count in counts]
            client.record(step, loss_sums=sums, token_counts=tokens, signals=signals)
            if last:
                client.close(timeout=5.0)  # before the checkpoint: its token then covers the last reports
            if last or (step + 1) % chosen.checkpoint_every == 0:
                state = {
                    "step": step + 1,
                    "model": decoder.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "drawn": stream.drawn.tolist(),
                    "schedule": mixture.sampler.schedule.dump(),
                    "state_token": client.state_token,
                    "options": _fixed(chosen),
                }
                _save(chosen.folder / CHECKPOINT, state)
        if last:
            break
    if client is not None:
        print(json.dumps(client.counters()))


def _trained(
    model: nn.Module, optimiser: torch.optim.Optimizer, batch: Any, rate: float, device: torch.device
) -> Tensor:
    """Train one step; returns the (B,) summed losses of the samples, nats."""
    tokens = torch.from_numpy(batch).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        logits = model(tokens[:, :-1])
    losses = F.cross_entropy(logits.float().transpose(1, 2), tokens[:, 1:], reduction="none")
    optimiser.zero_grad(set_to_none=True)
    losses.mean().backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.step()
    return losses.detach().sum(dim=1).double()


def _measured(
    ranks: Ranks, corpus: Corpus, samples: list[tuple[int, int]], losses: Tensor, *, end: bool
) -> list[list[float]]:
    """Over all ranks, by domain: summed losses, samples, and how many ranks are to end.

    Sums and counts, never means, so that ranks can be added.
    """
    domains = torch.tensor([domain for domain, _ in samples], device=ranks.device)
    sums = torch.bincount(domains, weights=losses, minlength=len(corpus.domains))
    counts = torch.bincount(domains, minlength=len(corpus.domains)).double()
    added: list[list[float]] = ranks.sum(torch.stack([sums, counts, torch.full_like(sums, end)])).tolist()
    return added


@torch.no_grad()
def _evaluated(ranks: Ranks, corpus: Corpus, decoder: nn.Module, chosen: argparse.Namespace) -> Signals:
    """Losses on text that is never trained on, the same samples of each domain every time."""
    stream = MixtureStream(corpus, context=chosen.context, seed=0, split="validation")
    d = len(corpus.domains)
    sums = torch.zeros(d, dtype=torch.float64, device=ranks.device)
    decoder.eval()
    for domain in range(d):
        samples = stream.take([domain] * chosen.evaluate)[ranks.rank :: ranks.world]
        if samples:
            tokens = torch.from_numpy(stream.read(samples)).to(ranks.device)
            losses = F.cross_entropy(
                decoder(tokens[:, :-1]).float().transpose(1, 2), tokens[:, 1:], reduction="sum"
            )
            sums[domain] = losses.double()
    decoder.train()
    counts = [chosen.evaluate * chosen.context] * d
    return {"eval_losses": Evaluation(ranks.sum(sums).tolist(), counts, set=f"validation-{chosen.evaluate}")}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small language model that follows a live job.")
    parser.add_argument("--url", default="http://127.0.0.1:8321")
    parser.add_argument("--job", default="train-gpt")
    parser.add_argument("--policy", help="create the job with this policy; without it the job is there")
    parser.add_argument("--samples", type=int, default=32, help="of a step, for a job that is created")
    parser.add_argument("--corpus", type=Path, help="a built corpus; by default text of this machine")
    parser.add_argument("--folder", type=Path, default=Path("train-gpt"), help="checkpoint and reports")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint, if there is one")
    parser.add_argument("--checkpoint-every", type=int, default=100, metavar="STEPS")
    parser.add_argument("--report-every", type=int, default=10, metavar="STEPS")
    parser.add_argument("--evaluate", type=int, default=0, metavar="SAMPLES", help="of each domain")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log-domains", type=Path, help="folder for lines `step domain number` of each rank")
    return parser.parse_args()


def _fixed(chosen: argparse.Namespace) -> dict[str, int | str]:
    """Options that a resumed run must share with its checkpoint."""
    return {name: getattr(chosen, name) for name in ("job", "steps", "context", "layers", "width", "seed")}


def _corpus(folder: Path | None, ranks: Ranks) -> Corpus:
    if folder is None:
        # Rank 0 builds what the others then find.
        if ranks.rank > 0:
            ranks.told("")
        folder = build_corpus(LocalSource(), cache=default_cache_folder(), megabytes_per_domain=1.0).folder
        if ranks.rank == 0:
            ranks.told("built")
    return Corpus.open(folder)


def _checkpoint(chosen: argparse.Namespace, ranks: Ranks) -> dict[str, Any]:
    """The last checkpoint; empty without one."""
    path = chosen.folder / CHECKPOINT
    if not path.exists():
        return {}
    if not chosen.resume:
        raise SystemExit(f"{path} exists: go on from it with --resume, or choose another --folder")
    # Tensors, numbers and text alone: nothing in the file is run.
    checkpoint: dict[str, Any] = torch.load(path, map_location=ranks.device, weights_only=True)
    if checkpoint["options"] != _fixed(chosen):
        raise SystemExit(f"{path} was trained with {checkpoint['options']}: resume with the same")
    return checkpoint


def _save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole, or leave the one before it."""
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _following(chosen: argparse.Namespace, corpus: Corpus, checkpoint: dict[str, Any]) -> MixtureClient:
    # The key of this installation; a trainer elsewhere has one with the scope jobs:follow.
    key = os.environ.get("MIXWRIGHT_KEY") or Settings().admin_key_file.read_text().strip()
    if chosen.policy:
        domains = zip(corpus.domains.names, corpus.domains.tokens, strict=True)
        job: JobIn = {
            "name": chosen.job,
            "policy": chosen.policy,
            "domains": [{"name": name, "tokens": tokens} for name, tokens in domains],
            "guards": {"floor": 0.01},
            "signals": ["losses", "eval_losses"] if chosen.evaluate else ["losses"],
            "samples_per_step": chosen.samples,
            "lead_steps": 20,
        }
        with ServiceClient(chosen.url, key) as service:
            service.create_job(job)
    client = MixtureClient(
        chosen.url,
        key,
        job=chosen.job,
        seed=chosen.seed,
        folder=chosen.folder / "client",
        report_every=chosen.report_every,
    )
    followed = Schedule.parse(json.loads(checkpoint["schedule"])) if checkpoint else None
    client.start(
        from_step=checkpoint.get("step", 0) if chosen.resume else None,
        state_token=checkpoint.get("state_token"),
        followed=followed,
    )
    return client


def _spec(chosen: argparse.Namespace, corpus: Corpus, schedule: Schedule, ranks: Ranks) -> TrainSpec:
    batch = schedule.samples_per_step
    if schedule.domains != corpus.domains.names:
        names = ", ".join(corpus.domains.names)
        raise SystemExit(f"job {schedule.job!r} has other domains than the corpus: give it {names}")
    if batch % ranks.world:
        raise SystemExit(f"{batch} samples of a step cannot be shared evenly by {ranks.world} ranks")
    return TrainSpec(
        tokens=chosen.steps * batch * chosen.context,
        context=chosen.context,
        batch=batch,
        layers=chosen.layers,
        width=chosen.width,
        hidden=3 * chosen.width,
    )


def _log(folder: Path | None, rank: int, step: int, samples: list[tuple[int, int]]) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"rank{rank}.txt").open("a", encoding="utf-8") as file:
            file.writelines(f"{step} {domain} {number}\n" for domain, number in samples)


if __name__ == "__main__":
    main()
    if dist.is_initialized():  # only now: a model that still holds on to it would end in an abort
        dist.barrier()
        dist.destroy_process_group()
