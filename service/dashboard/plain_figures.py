"""Figures as plain JSON: numbers and not packed bytes, which nobody can save as a table.

The drawing library packs every array, whatever engine writes the JSON. Nine digits are as short as the
packed bytes, and more than a screen or a table has use for.
"""

import base64
import json
import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

_PACKED = {"dtype", "bdata"}


def plain_figure(figure: go.Figure) -> dict[str, Any]:
    """Data and layout of a figure; what is not finite is null."""
    data: dict[str, Any] = _plain(json.loads(figure.to_json(engine="json")))
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return _unpacked(value) if value.keys() >= _PACKED else {k: _plain(v) for k, v in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _unpacked(packed: dict[str, Any]) -> Any:
    numbers = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    if "shape" in packed:
        numbers = numbers.reshape([int(size) for size in str(packed["shape"]).split(",")])
    return _finite(numbers.tolist())


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if not math.isfinite(value):
        return None
    return float(f"{value:.9g}") if isinstance(value, float) else value
