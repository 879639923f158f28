"""A training loop of your own that follows a live job.

Start the service in one terminal and this in another:

    mixwright serve
    python examples/follow_a_schedule.py

It creates a job over the local corpus, trains a bigram model with plain torch, and lets the service choose
what the model reads next. Kill the service meanwhile: the loop does not notice. Open the dashboard, and
look at the job.
"""

import argparse
import os
import time

import torch

from mixclient import MixtureClient, ServiceClient
from proxy_training.corpus import LocalSource, build_corpus, default_cache_folder
from proxy_training.mixture_stream import MixtureStream
from service.settings import Settings

SAMPLES, CONTEXT = 32, 64


def main() -> None:
    """Create a job and train."""
    parser = argparse.ArgumentParser(description="Train a bigram model that follows a live job.")
    parser.add_argument("--url", default="http://127.0.0.1:8321")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--megabytes", type=float, default=1.0, help="text of each domain")
    chosen = parser.parse_args()
    # The key of this installation; a trainer elsewhere has one with the scope jobs:follow.
    key = os.environ.get("MIXWRIGHT_KEY") or Settings().admin_key_file.read_text().strip()
    corpus = build_corpus(LocalSource(), cache=default_cache_folder(), megabytes_per_domain=chosen.megabytes)

    job = time.strftime("example-%Y%m%d-%H%M%S")
    with ServiceClient(chosen.url, key) as service:
        service.create_job(
            {
                "name": job,
                "policy": "odm",
                "domains": [
                    {"name": name, "tokens": tokens}
                    for name, tokens in zip(corpus.domains.names, corpus.domains.tokens, strict=True)
                ],
                "guards": {"floor": 0.01},
                "samples_per_step": SAMPLES,
                "lead_steps": 20,
            }
        )

    stream = MixtureStream(corpus, context=CONTEXT, seed=0)
    bigram = torch.zeros(corpus.vocabulary, corpus.vocabulary, requires_grad=True)
    optimiser = torch.optim.Adam([bigram], lr=0.1)
    client = MixtureClient(chosen.url, key, job=job)
    client.start()
    for step in range(chosen.steps):
        domains = torch.tensor(client.step(step))
        tokens = torch.from_numpy(stream.batch(domains.tolist()))
        scores = bigram[tokens[:, :-1]].transpose(1, 2)
        losses = torch.nn.functional.cross_entropy(scores, tokens[:, 1:], reduction="none").sum(dim=1)
        optimiser.zero_grad()
        (losses.sum() / tokens[:, 1:].numel()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        # Sums and counts, never means: steps and ranks can then be added.
        d = len(client.domains)
        sums = torch.bincount(domains, weights=losses.detach().double(), minlength=d)
        client.record(
            step,
            loss_sums=sums.tolist(),
            token_counts=(CONTEXT * torch.bincount(domains, minlength=d)).tolist(),
        )
    client.close()
    counted = client.counters()
    print(f"{job}: {counted['sent_reports']} reports sent, {counted['schedules']} schedules followed")


if __name__ == "__main__":
    main()
