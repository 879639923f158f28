"""A client whose service is a pair of functions: for answers that no real service gives, or not at will."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from mixclient import MixtureClient

DOCUMENT: dict[str, Any] = {
    "schema": "mixture-schedule/v1",
    "job": "run",
    "attempt": 1,
    "version": 1,
    "samples_per_step": 8,
    "domains": [{"name": "web"}, {"name": "code"}],
    "stages": [{"effective_step": 0, "weights": {"web": 0.5, "code": 0.5}, "version": 1}],
}

Answer = Callable[[httpx.Request], httpx.Response]


def schedule(request: httpx.Request, **changes: Any) -> httpx.Response:
    """The schedule, and a long poll of a moment."""
    if "If-None-Match" in request.headers:
        time.sleep(0.1)
        return httpx.Response(304)
    return httpx.Response(200, json={**DOCUMENT, **changes}, headers={"ETag": '"1-1"'})


def stored(request: httpx.Request) -> httpx.Response:
    (items,) = httpx.Response(200, content=request.content).json().values()
    return httpx.Response(200, json={"accepted": len(items), "duplicates": 0, "late": 0})


def client(folder: Path, *, post: Answer = stored, get: Answer = schedule, **more: Any) -> MixtureClient:
    follower = MixtureClient("http://service", "key", job="run", folder=folder, **more)
    answer = httpx.MockTransport(lambda request: (get if request.method == "GET" else post)(request))
    for service in follower._services:
        service._http = httpx.Client(base_url="http://service", transport=answer)
    return follower


def train(follower: MixtureClient, steps: range) -> None:
    for step in steps:
        follower.step(step)
        follower.record(step, loss_sums=[1.0, 2.0], token_counts=[1, 1])
