"""Runs made side by side, each in a process of its own: on these sizes faster than threads of one."""

from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from benchmarks.online_methods.keeping import Kept
from benchmarks.online_methods.methods import METHODS
from benchmarks.online_methods.playing import Setup, play
from benchmarks.online_methods.summary import SCORES
from benchmarks.tables import note
from proxy_training.corpus import Corpus


def made(kept: Kept, wanted: list[tuple[str, int]], setup: Setup, corpus: Corpus, processes: int) -> None:
    """Make runs, each a method and a seed, and keep them as they end."""
    context = get_context("spawn")  # a forked torch may hang
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_alone) as pool:
        runs = [pool.submit(_played, name, seed, setup, corpus.folder) for name, seed in wanted]
        try:
            for number, run in enumerate(as_completed(runs), start=1):
                row = run.result()
                kept.keep(row)
                note(f"{number} of {len(wanted)}: {_told(row)}")
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after an error nobody would keep what follows


def _told(row: dict[str, Any]) -> str:
    scores = ", ".join(f"{score} {row[score]:.3f}" for score in SCORES)
    took = f"{row['steps']} steps, {row['seconds']:.0f} s"
    return f"{row['method']}, seed {row['seed']}: {scores}; {took}"


def _alone() -> None:
    torch.set_num_threads(1)


def _played(name: str, seed: int, setup: Setup, folder: Path) -> dict[str, Any]:
    return {"method": name, "seed": seed, **play(METHODS[name], setup, Corpus.open(folder), seed=seed)}
