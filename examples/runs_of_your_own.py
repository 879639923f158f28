"""From a study to a live job with runs that you train yourself: `python examples/runs_of_your_own.py`.

A formula stands for the training here. The address and the key come from MIXWRIGHT_URL and MIXWRIGHT_KEY.
"""

import os
import random
import time

from mixclient.documents.runs import ResultIn

from mixclient import ServiceClient

DOMAINS = {"web": 9_000_000_000, "code": 3_000_000_000, "law": 1_000_000_000}


def train(weights: dict[str, float]) -> dict[str, float]:
    """Held-out losses of a small model, in nats per token: put your training here."""
    return {name: 2.0 + 1.5 / (1.0 + 8.0 * share) for name, share in weights.items()}


def main(url: str, key: str, study: str) -> str:
    """Find a mixture and steer a job from it; returns the name of the job."""
    with ServiceClient(url, key) as client:
        rows = client.create_study(
            {"name": study, "domains": [{"name": name, "tokens": size} for name, size in DOMAINS.items()]}
        )["definition"]["domains"]
        rng = random.Random(17)  # noqa: S311 - mixtures are no secrets
        for number in range(24):
            draws = [rng.gammavariate(1.0, 1.0) for _ in DOMAINS]
            weights = {name: draw / sum(draws) for name, draw in zip(DOMAINS, draws, strict=True)}
            # The same again changes nothing: start this program anew whenever it was interrupted.
            run = client.put_run(study, f"mine-{number}", {"weights": weights})
            result: ResultIn = {
                "losses": train(weights),
                "step": 1000,
                "tokens": 500_000_000,
                "model_parameters": 20_000_000,
                "seconds": 60.0,
            }
            client.put_result(run["id"], result)
        fit = client.create_fit(study, {"method": "linear", "folds": 4})
        while fit["state"] in {"queued", "running"}:
            fit = client.fit(fit["id"], wait=25)
        asked = client.create_proposal(
            study, {"fit_id": fit["id"], "proposer": "convex", "params": {"kl": 0.1}}
        )
        while asked["state"] in {"queued", "running"}:
            asked = client.proposal(asked["id"], wait=25)
        best = asked["proposals"][0]["weights"]
        job = client.create_job(
            {
                "name": study,
                "study": study,
                "policy": "odm",
                "domains": rows,
                "prior": best,
                "samples_per_step": 64,
            }
        )
        print(f"job {job['name']} begins with {best}")
        for one in client.jobs.iterate():
            print(f"{one['name']}: version {one['version']}")
    return job["name"]


if __name__ == "__main__":
    main(os.environ["MIXWRIGHT_URL"], os.environ["MIXWRIGHT_KEY"], time.strftime("own-%Y%m%d-%H%M%S"))
