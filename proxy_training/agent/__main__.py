"""Train the data mixing agent and write its network.

    OMP_NUM_THREADS=1 python -m proxy_training.agent [--runs 60] [--seed 0] [--only-imitation] --out FILE

The file that ships is mixlaws/policies/agent_weights.json; what it was trained with stands in
benchmarks/README.md.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

from proxy_training.agent.learning import Settings, batched, conservative, imitated
from proxy_training.agent.trajectories import decisions


def main() -> None:
    """Play, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=60, help="runs of each shape, half of them good")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only-imitation", action="store_true", help="leave Q-learning out")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings(seed=chosen.seed)
    data = batched(decisions(chosen.runs, np.random.default_rng(chosen.seed)))
    actor = imitated(data, settings)
    if not chosen.only_imitation:
        actor, _ = conservative(actor, data, settings)
    chosen.out.write_text(json.dumps(actor.layers()) + "\n", encoding="utf-8")
    sys.stderr.write(f"{len(data.reward)} decisions; {chosen.out.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
