"""A fit as a file: what is needed to predict the same again, and to know of which runs."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from mixlaws.arrays import FloatArray
from mixlaws.estimator import Predictor
from mixlaws.registry import ESTIMATORS, method
from mixlaws.swarm import Swarm
from mixwright.offline.fitting import Fitted
from mixwright.problems import CommandError

SCHEMA = 1
_KIND = "mixwright fit"


@dataclass(frozen=True, eq=False)
class StoredFit:
    """A fit that was read back."""

    method: str
    targets: tuple[str, ...]
    objective: Mapping[str, float]
    predictor: Predictor
    digest: str


def digest(swarm: Swarm) -> str:
    """Digest of all that was read; the same on every machine.

    It is taken before targets are chosen: to choose them makes a new swarm, whose weights are divided by
    their sum once more and may then differ in the last bit.
    """
    names = json.dumps([swarm.domains.names, swarm.targets])
    columns = [swarm.weights, swarm.values]
    columns += [c for c in (swarm.model_parameters, swarm.tokens) if c is not None]
    state = hashlib.sha256(names.encode())
    for column in columns:
        state.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
    return state.hexdigest()


def write(path: Path, fitted: Fitted, runs: Swarm) -> None:
    """Write a fit of runs; they are those that were read, with all of their targets."""
    raw = {
        "kind": _KIND,
        "schema": SCHEMA,
        **fitted.to_json(),
        "domains": list(fitted.swarm.domains.names),
        "swarm_digest": digest(runs),
        "versions": _versions(),
        "predictor": fitted.predictor.dump(),
    }
    path.write_text(json.dumps(raw, allow_nan=False, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> StoredFit:
    """Read a fit.

    Raises:
        CommandError: the file is no fit, or of another schema.
        MixlawsError: its method or predictor cannot be read by this version.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None
    if not isinstance(raw, dict) or raw.get("kind") != _KIND or raw.get("schema") != SCHEMA:
        raise CommandError(
            f"{path} holds no fit of schema {SCHEMA}: make it with `mixwright fit ... --out {path}`"
        )
    try:
        predictor = method("method", ESTIMATORS, raw["method"])().load(raw["predictor"])
        return StoredFit(
            method=raw["method"],
            targets=tuple(raw["targets"]),
            objective=raw["objective"],
            predictor=predictor,
            digest=raw["swarm_digest"],
        )
    except (KeyError, TypeError) as error:
        raise CommandError(f"{path} is a fit with a part missing or changed: {error}") from None


def of_these_runs(stored: StoredFit, swarm: Swarm) -> Swarm:
    """The runs of a fit: those that are given now, with its targets.

    Raises:
        CommandError: they are not the runs that the fit saw.
    """
    if digest(swarm) != stored.digest:
        raise CommandError(
            "the fit was made of other runs, or of these before they changed: fit again, or give its runs"
        )
    return swarm if swarm.targets == stored.targets else swarm.only(stored.targets)


def coefficients(stored: StoredFit, swarm: Swarm, objective: Mapping[str, float]) -> FloatArray:
    """(t,) the objective that is asked for, or that of the fit."""
    return swarm.coefficients(objective or stored.objective)


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("mixwright", "numpy", "scipy", "scikit-learn", "lightgbm"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
