"""Ranks that share the samples find together what one process finds."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.proxy_training.probes.on_ranks import found, found_together


def test_two_ranks_find_what_one_finds(tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    script = [sys.executable, "-m", "tests.proxy_training.probes.on_ranks", "1", "2", store]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as second:
        alone = found(0, 1)
        told = [found_together(0, 2, store), json.loads(second.communicate(timeout=120)[0])]
    assert alone["set"] == told[0]["set"]
    assert alone["tokens"] == told[0]["tokens"]
    for name in set(alone) - {"set"}:
        for other in told:
            numbers, others = np.array(alone[name]), np.array(other[name])
            largest = np.nanmax(np.abs(numbers))
            assert others == pytest.approx(numbers, rel=1e-4, abs=1e-5 * largest, nan_ok=True), name
