"""What following a schedule costs the service: polls a second against a bare application, and fan-out.

    python -m benchmarks.polling [--rounds 7] [--seconds 2] [--waiters 5000] [--json]

Both sides answer the same requests with the same bytes under the same uvicorn settings, in turns, each in a
process of its own, as is the load. The service checks host, key and scope, and counts, as it always does.
Rates are bound by the load's core where the server's time per answer (`cpu_us_per_request`) is small: that
is the number to compare. Fan-out: so many wait for a job's next version; the time from the request that
publishes it until each has it whole.
"""

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.arguments import arguments
from benchmarks.reports import create_job
from benchmarks.served import served
from mixclient import ServiceClient
from mixwright.demo.service_process import Address
from service.server import allow_many_connections

JOB = "polled"
PATH = f"/v1/jobs/{JOB}/schedule"
CONNECTIONS = 32
FAN_OUTS = 3
_NOT_OURS = {"date", "content-length", "content-type"}  # what a bare application sets itself


@dataclass(frozen=True)
class Side:
    """One of those that are compared: its address and its process."""

    url: str
    process: psutil.Process


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--waiters", type=int, default=5000)
    chosen = parser.parse_args()
    allow_many_connections()
    with served() as service:
        address = service.address
        with ServiceClient(address.url, address.key) as client:
            create_job(client, JOB)
        ours = Side(address.url, psutil.Process(service.pid))
        with bare(address, service.folder) as other:
            found = rates(ours, other, address.key, chosen.rounds, chosen.seconds)
        found |= fan_outs(ours, address.key, chosen.waiters)
    print(json.dumps(found, indent=1)) if chosen.json else show(found)


@contextmanager
def bare(address: Address, folder: Path) -> Iterator[Side]:
    """The other side, which answers with the bytes of the service."""
    answer = httpx.get(address.url + PATH, headers={"Authorization": f"Bearer {address.key}"})
    headers = {name: value for name, value in answer.headers.items() if name not in _NOT_OURS}
    file = folder / "answer.json"
    file.write_text(json.dumps({"headers": headers, "body": answer.text}))
    command = [sys.executable, "-m", "benchmarks.bare", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Side(said(process), psutil.Process(process.pid))
        finally:
            process.terminate()


def rates(ours: Side, other: Side, key: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Answers a second and processor time of each, medians over rounds in which they take turns."""
    tag = httpx.get(ours.url + PATH, headers={"Authorization": f"Bearer {key}"}).headers["etag"]
    cases = [
        (name, side, status, {"If-None-Match": tag} if status == 304 else {})
        for status in (200, 304)
        for name, side in (("bare", other), ("ours", ours))
    ]
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(rounds):
        for name, side, status, headers in cases if number % 2 else reversed(cases):
            taken[f"{name}_{status}"].append(rate(side, key, status, headers, seconds))
    rps = {name: median(rate for rate, _ in rows) for name, rows in taken.items()}
    cpu = {name: median(cpu for _, cpu in rows) for name, rows in taken.items()}
    # Both of a round stand under what else the machine does at that time.
    ratio = {
        status: median(
            mine[0] / its[0]
            for mine, its in zip(taken[f"ours_{status}"], taken[f"bare_{status}"], strict=True)
        )
        for status in (200, 304)
    }
    return {
        "bare_rps": rps["bare_200"],
        "bare_rps_304": rps["bare_304"],
        "rps_200": rps["ours_200"],
        "rps_304": rps["ours_304"],
        "ratio_200": ratio[200],
        "ratio_304": ratio[304],
        "cpu_us_per_request": cpu,
        "cpu_ratio_200": cpu["bare_200"] / cpu["ours_200"],
        "cpu_ratio_304": cpu["bare_304"] / cpu["ours_304"],
    }


def rate(side: Side, key: str, status: int, headers: dict[str, str], seconds: float) -> tuple[float, float]:
    """Answers a second, and microseconds of the server's processor for each."""
    order = {
        "mode": "rate", "status": status, "connections": CONNECTIONS, "seconds": seconds, "warm_up": 0.2,
        **asked(side, key, PATH, headers),
    }  # fmt: skip
    with load(order) as process:
        await_line(process, "begun")
        before = busy(side.process)
        await_line(process, "ended")
        used = busy(side.process) - before
        found = json.loads(said(process))
    return found["rate"], 1e6 * used / found["answers"]


def fan_outs(side: Side, key: str, waiters: int) -> dict[str, Any]:
    """Milliseconds until those who wait have a version, and what each of them keeps in memory."""
    took: dict[bool, list[Any]] = {True: [], False: []}
    grown = []
    with ServiceClient(side.url, key) as client:
        for _ in range(FAN_OUTS):
            for stream in (True, False):
                tag = httpx.get(side.url + PATH, headers={"Authorization": f"Bearer {key}"}).headers["etag"]
                headers = {} if stream else {"If-None-Match": tag, "Prefer": "wait=55"}
                path = f"{PATH}/events" if stream else PATH
                order = {"mode": "fan_out", "waiters": waiters, "stream": stream}
                before = side.process.memory_info().rss
                with load(order | asked(side, key, path, headers)) as process:
                    await_line(process, "waiting")
                    grown.append((side.process.memory_info().rss - before) / waiters / 1024)
                    began = time.monotonic()
                    client.freeze_job(JOB, reason="a version for all")
                    seen = np.array(json.loads(said(process))["seen"])
                took[stream].append(np.quantile(1e3 * (seen - began), (0.5, 0.99, 1.0)))
                client.release_job(JOB, reason="another")
    events, polls = (np.median(took[stream], axis=0) for stream in (True, False))
    return {
        "waiters": waiters,
        # Later rounds use again what the first has taken.
        "kib_per_waiter": max(grown),
        "fanout_p50_ms": events[0],
        "fanout_p99_ms": events[1],
        "fanout_last_ms": events[2],
        "fanout_longpoll_p50_ms": polls[0],
        "fanout_longpoll_p99_ms": polls[1],
        "fanout_longpoll_last_ms": polls[2],
    }


def asked(side: Side, key: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """A request as bytes, and where it goes."""
    address = urlsplit(side.url)
    lines = {"Host": address.netloc, "Authorization": f"Bearer {key}", **headers}
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return {"host": address.hostname, "port": address.port, "request": f"GET {path} HTTP/1.1\r\n{text}\r\n"}


def load(order: dict[str, Any]) -> "subprocess.Popen[str]":
    """The process that asks."""
    command = [sys.executable, "-m", "benchmarks.polling_load", json.dumps(order)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def await_line(process: "subprocess.Popen[str]", wanted: str) -> None:
    """Wait until the load says something."""
    heard = said(process)
    if heard != wanted:
        raise SystemExit(f"the load ended before it said {wanted!r}: {heard!r}")


def said(process: "subprocess.Popen[str]") -> str:
    """The next line of a process."""
    return process.stdout.readline().strip() if process.stdout is not None else ""


def busy(process: psutil.Process) -> float:
    """Seconds of processor time that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def show(found: dict[str, Any]) -> None:
    """The findings as two tables."""
    table = Table("answer", "bare, 1/s", "ours, 1/s", "ratio", "bare, µs", "ours, µs", title="Polls")
    cpu = found["cpu_us_per_request"]
    for status, other in ((200, "bare_rps"), (304, "bare_rps_304")):
        numbers = (found[other], found[f"rps_{status}"])
        table.add_row(
            str(status), *(f"{number:.0f}" for number in numbers), f"{found[f'ratio_{status}']:.2f}",
            f"{cpu[f'bare_{status}']:.1f}", f"{cpu[f'ours_{status}']:.1f}",
        )  # fmt: skip
    Console().print(table)
    table = Table("way", "half, ms", "99 %, ms", "last, ms", title=f"{found['waiters']} who wait")
    for way, name in (("events", "fanout"), ("long poll", "fanout_longpoll")):
        table.add_row(way, *(f"{found[f'{name}_{part}_ms']:.0f}" for part in ("p50", "p99", "last")))
    Console().print(table)
    print(f"{found['kib_per_waiter']:.1f} KiB each")


if __name__ == "__main__":
    main()
