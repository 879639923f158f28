"""Readers of the published tables that golden tests compare with."""

import csv
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from mixlaws.domains import DomainSet
from mixlaws.scaling.checkpoints import checkpoint_step
from mixlaws.scaling.curves import LossCurves
from mixlaws.simplex import FILE_TOLERANCE, as_weights
from mixlaws.swarm import Swarm

# Prior of RegMix's published sampler, in the column order of its tables.
REGMIX_PRIOR = {
    "arxiv": 0.113285, "freelaw": 0.079609, "nih_exporter": 0.003913, "pubmed_central": 0.185376,
    "wikipedia_en": 0.051081, "dm_mathematics": 0.015963, "github": 0.101751, "philpapers": 0.003708,
    "stackexchange": 0.066529, "enron_emails": 0.001751, "gutenberg_pg_19": 0.027085, "pile_cc": 0.236869,
    "ubuntu_irc": 0.011843, "europarl": 0.007930, "hackernews": 0.008033, "pubmed_abstracts": 0.038826,
    "uspto_backgrounds": 0.046447,
}  # fmt: skip


def regmix(folder: Path, part: str, *, renormalise: bool = True, only: str = "") -> Swarm:
    """The 1M runs of RegMix: `part` is train or test; rows are joined by index."""
    mixtures = _rows(folder / "data" / "regmix" / f"{part}_mixture_1m.csv")
    losses = {row["index"]: row for row in _rows(folder / "data" / "regmix" / f"{part}_pile_loss_1m.csv")}
    columns = {f"train_the_pile_{name}": name for name in REGMIX_PRIOR}
    targets = [column for column in next(iter(losses.values())) if only in column and column != "index"]
    weights = [[float(row[column]) for column in columns] for row in mixtures]
    values = [[float(losses[row["index"]][target]) for target in targets] for row in mixtures]
    names = [target.removeprefix("metric/the_pile_").removesuffix("_val_loss") for target in targets]
    domains = DomainSet(tuple(columns.values()), (1,) * len(columns))
    swarm = Swarm(domains, tuple(names), as_weights(weights, tolerance=FILE_TOLERANCE), np.array(values))
    if not renormalise:
        # A swarm never holds such rows; published recipes do.
        object.__setattr__(swarm, "weights", np.array(weights))
    return swarm


def five_mix(folder: Path, *, size: str, step: int, subsets: bool = False) -> Swarm:
    """The five-domain runs of Data Mixing Laws at one step.

    One target per group of validation subsets, or one per subset, which are 22.
    """
    return data_mixing_laws(folder, "5mix", size=size, steps=(step,), grouped=not subsets)


def five_mix_shares(folder: Path, *, subsets: bool = False) -> dict[str, float]:
    """Shares of the groups, or of the subsets, in the overall validation loss."""
    shares: dict[str, float] = {}
    for name, target in _five_mix_targets(folder).items():
        key = name if subsets else str(target["group"])
        shares[key] = shares.get(key, 0.0) + float(target["weight"])  # type: ignore[arg-type]
    return shares


def data_mixing_laws(
    folder: Path, name: str, *, size: str, steps: Sequence[int], grouped: bool = False
) -> Swarm:
    """Runs of one table of Data Mixing Laws, one row for every mixture and step that has all losses.

    The order is by mixture, then by step; tokens and model sizes are those of the rows.
    """
    table: dict[tuple[int, int], list[dict[str, str]]] = {}
    for row in _rows(folder / "data" / "data_mixing_laws" / f"{name}.csv"):
        if row["size"] == size and int(row["step"]) in steps:
            table.setdefault((int(row["mixture_id"]), int(row["step"])), []).append(row)
    first = next(iter(table.values()))[0]
    domains = [column.removeprefix("weight_") for column in first if column.startswith("weight_")]
    known = {row["validation_domain"] for runs in table.values() for row in runs}
    whole = [runs for _, runs in sorted(table.items()) if {r["validation_domain"] for r in runs} == known]
    targets = domains if grouped else sorted(known)
    groups = _five_mix_targets(folder) if grouped else {}
    values = [
        [_group_loss(runs, groups, target) if grouped else _loss(runs, target) for target in targets]
        for runs in whole
    ]
    weights = [[float(runs[0][f"weight_{domain}"]) for domain in domains] for runs in whole]
    return Swarm(
        DomainSet(tuple(domains), (1,) * len(domains)),
        tuple(targets),
        as_weights(weights, tolerance=FILE_TOLERANCE),
        np.array(values),
        model_parameters=np.array([float(runs[0]["non_embedding_parameters"]) for runs in whole]),
        tokens=np.array([float(runs[0]["tokens"]) for runs in whole]),
    )


def _five_mix_targets(folder: Path) -> dict[str, dict[str, object]]:
    text = (folder / "data" / "data_mixing_laws" / "targets.json").read_text()
    targets: dict[str, dict[str, object]] = json.loads(text)["targets"]
    return targets


def _loss(runs: list[dict[str, str]], target: str) -> float:
    return next(float(run["loss"]) for run in runs if run["validation_domain"] == target)


def five_mix_curves(folder: Path, *, sizes: Sequence[str]) -> LossCurves:
    """All checkpoints of the five-domain runs of some sizes, with one target per group of subsets.

    A checkpoint that lacks a validation subset is left out: its group means would be of other text.
    """
    targets = json.loads((folder / "data" / "data_mixing_laws" / "targets.json").read_text())["targets"]
    rows = [row for row in _rows(folder / "data" / "data_mixing_laws" / "5mix.csv") if row["size"] in sizes]
    groups = [column.removeprefix("weight_") for column in rows[0] if column.startswith("weight_")]
    checkpoints: dict[tuple[str, int, int], list[dict[str, str]]] = {}
    for row in rows:
        step = checkpoint_step(row["step"])
        if step is not None:
            checkpoints.setdefault((row["size"], int(row["mixture_id"]), step), []).append(row)
    whole = sorted(key for key, found in checkpoints.items() if len(found) == len(targets))
    firsts = [checkpoints[key][0] for key in whole]
    runs = {key: number for number, key in enumerate(sorted({key[:2] for key in whole}))}
    weights = [[float(row[f"weight_{group}"]) for group in groups] for row in firsts]
    values = [[_group_loss(checkpoints[key], targets, group) for group in groups] for key in whole]
    return LossCurves(
        DomainSet(tuple(groups), (1,) * len(groups)),
        tuple(groups),
        as_weights(weights, tolerance=FILE_TOLERANCE),
        np.array(values),
        model_parameters=np.array([float(row["non_embedding_parameters"]) for row in firsts]),
        tokens=np.array([float(row["tokens"]) for row in firsts]),
        runs=np.array([runs[key[:2]] for key in whole]),
    )


def three_mix_curves(folder: Path, *, size: str) -> LossCurves:
    """All checkpoints of the three-domain runs of one size, with one target per training domain."""
    rows = [row for row in _rows(folder / "data" / "data_mixing_laws" / "3mix.csv") if row["size"] == size]
    names = tuple(column.removeprefix("weight_") for column in rows[0] if column.startswith("weight_"))
    checkpoints: dict[tuple[int, int], dict[str, dict[str, str]]] = {}
    for row in rows:
        key = int(row["mixture_id"]), int(row["step"])
        checkpoints.setdefault(key, {})[row["validation_domain"]] = row
    whole = [found for _, found in sorted(checkpoints.items()) if set(names) <= set(found)]
    firsts = [found[names[0]] for found in whole]
    return LossCurves(
        DomainSet(names, (1,) * len(names)),
        names,
        as_weights([[float(row[f"weight_{name}"]) for name in names] for row in firsts]),
        np.array([[float(found[name]["loss"]) for name in names] for found in whole]),
        model_parameters=np.array([float(row["non_embedding_parameters"]) for row in firsts]),
        tokens=np.array([float(row["tokens"]) for row in firsts]),
        runs=np.array([int(row["mixture_id"]) for row in firsts]),
    )


def _group_loss(runs: list[dict[str, str]], targets: dict[str, dict[str, object]], group: str) -> float:
    parts = [
        (float(targets[run["validation_domain"]]["weight"]), float(run["loss"]))  # type: ignore[arg-type]
        for run in runs
        if targets[run["validation_domain"]]["group"] == group
    ]
    return sum(weight * loss for weight, loss in parts) / sum(weight for weight, _ in parts)


@cache
def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
