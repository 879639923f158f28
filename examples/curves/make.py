"""Makes curves.csv beside this file: loss curves at four model sizes, of which the truth is known.

python examples/curves/make.py
"""

import csv
import math
from pathlib import Path

import numpy as np

SIZES = {"10M": 10_000_000, "30M": 30_000_000, "100M": 100_000_000, "300M": 300_000_000}
WEB_SHARES = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95)
STEPS = (1000, 2000, 3000, 4000, 6000, 8000)
BATCH_TOKENS = 1_000_000
NOISE = 0.002  # nats per token


def truth(own_share: float, size: float, tokens: float) -> float:
    """Chinchilla's law, and below it what a domain's own share is worth; nats per token."""
    return float(1.5 + 40 * size**-0.3 + 4000 * tokens**-0.4 + 0.4 * math.exp(-4 * own_share))


def main() -> None:
    """Write one row for each size, mixture, step and domain."""
    rng = np.random.default_rng(7)
    header = ["size", "model_parameters", "mixture_id", "step", "tokens", "validation_domain", "loss"]
    with (Path(__file__).parent / "curves.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header, "weight_web", "weight_code"])
        for size, parameters in SIZES.items():
            for number, web in enumerate(WEB_SHARES):
                for step in STEPS:
                    for domain, share in (("web", web), ("code", 1 - web)):
                        loss = truth(share, parameters, step * BATCH_TOKENS) + NOISE * rng.standard_normal()
                        about = [size, parameters, f"mixture-{number}", step, step * BATCH_TOKENS, domain]
                        writer.writerow([*about, f"{loss:.4f}", f"{web:.2f}", f"{1 - web:.2f}"])


if __name__ == "__main__":
    main()
