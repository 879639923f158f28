"""The name of a build tells apart machines whose arithmetic differs."""

import os
import subprocess
import sys

import numpy as np

from mixlaws.steering.build import build

PROGRAM = """
import numpy as np
from mixlaws.steering.build import build
at = np.geomspace(1e-3, 50, 5000)
print(build(), np.exp(-at).tobytes().hex(), (at**0.3).tobytes().hex())
"""


def test_a_processor_that_computes_otherwise_is_another_build() -> None:
    at = np.geomspace(1e-3, 50, 5000)
    results = [np.exp(-at).tobytes().hex(), (at**0.3).tobytes().hex()]
    offered = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(offered)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=plain
    )
    plain_build, *plain_results = done.stdout.split()
    assert (build() == plain_build) == (results == plain_results)
