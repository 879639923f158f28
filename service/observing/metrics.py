"""What a process counts, as Prometheus reads it.

Requests count in plain integers, and become samples when somebody scrapes: a client library's counters
would cost a poll more than finding its answer. No label takes a value that callers choose.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COMMIT_SECONDS = REQUEST_SECONDS
COMMIT_REQUESTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class Distribution:
    """Counts by bucket, and the sum.

    Args:
        bounds: upper ends of the buckets, included; one more takes the rest.
    """

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Cumulative counts by upper end, and the sum, as the exposition wants them."""
        running, found = 0, []
        for bound, count in zip([*map(str, self._bounds), "+Inf"], self._counts, strict=True):
            running += count
            found.append((bound, float(running)))
        return found, self._total


@dataclass
class Counters:
    """What a process has counted since its start.

    Args:
        requests: seconds by method, route template and status class; those that wait are left out.
        waits: long polls and streams by kind and by how they ended.
        problems: refusals and failures by route template and code.
        reports: reports of trainers by what became of them.
        commit_seconds: time of each transaction of the committer.
        commit_requests: requests in each transaction of the committer.
    """

    requests: dict[tuple[str, str, str], Distribution] = field(
        default_factory=lambda: defaultdict(lambda: Distribution(REQUEST_SECONDS))
    )
    waits: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    problems: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    reports: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("accepted", "duplicate", "late"), 0)
    )
    commit_seconds: Distribution = field(default_factory=lambda: Distribution(COMMIT_SECONDS))
    commit_requests: Distribution = field(default_factory=lambda: Distribution(COMMIT_REQUESTS))

    def committed(self, requests: int, seconds: float) -> None:
        """Note a transaction of the committer."""
        self.commit_requests.add(requests)
        self.commit_seconds.add(seconds)

    def reported(self, accepted: int, duplicates: int, late: int) -> None:
        """Note what became of the reports of a call."""
        self.reports["accepted"] += accepted
        self.reports["duplicate"] += duplicates
        self.reports["late"] += late

    def collect(self) -> Iterator[Metric]:
        """All of it as metrics."""
        yield _histogram(
            "request_seconds",
            "Seconds to answer a request; not those that wait.",
            ("method", "route", "status"),
            list(self.requests.items()),
        )
        yield _counter("waits", "Long polls and streams that ended.", ("kind", "end"), self.waits.items())
        yield _counter("problems", "Requests refused or failed.", ("route", "code"), self.problems.items())
        told = [((name,), count) for name, count in self.reports.items()]
        yield _counter("reports", "Reports of trainers; late ones were accepted too.", ("outcome",), told)
        yield _histogram("commit_seconds", "Seconds of a commit.", (), [((), self.commit_seconds)])
        yield _histogram("commit_requests", "Requests in a commit.", (), [((), self.commit_requests)])


def gauge(
    name: str, text: str, values: Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()
) -> Metric:
    """What holds at the moment, by values of labels."""
    family = GaugeMetricFamily(f"mixwright_{name}", text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _counter(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    family = CounterMetricFamily(f"mixwright_{name}", text, labels=labels)
    for key, value in list(values):
        family.add_metric(key, value)
    return family


def _histogram(
    name: str,
    text: str,
    labels: tuple[str, ...],
    values: Iterable[tuple[tuple[str, ...], Distribution]],
) -> Metric:
    family = HistogramMetricFamily(f"mixwright_{name}", text, labels=labels)
    for key, distribution in values:
        buckets, total = distribution.buckets()
        family.add_metric(key, buckets, total)
    return family
