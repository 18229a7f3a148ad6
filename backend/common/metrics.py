"""What is counted as it happens: declared once, counted in each process, and told for all processes together.

A figure is a counter, histogram or gauge of `prometheus_client` in REGISTRY; whoever does the work declares and counts
it. Embedded, that registry is all there is. In production each process adds what it has counted since the last time to
sums in Redis (`share`), so that whichever process is asked tells of all of them: web processes share one port and
cannot be asked one by one, workers have none. Nothing has to be opened or cleaned up for a process, and one that dies
takes its last five seconds with it; the ledger, not a counter, is what is true. A Redis that loses its data begins
every counter anew, which Prometheus takes for the reset that it is.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock

import redis
from django.conf import settings
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

PREFIX = "sync2gear_"
SUMS = "sync2gear:metrics:1:sums"
"""A hash of every sample of counters and histograms. Its number goes up when a histogram gets other buckets."""
GAUGES = "sync2gear:metrics:1:gauges"
"""A hash of processes, each with the gauges that it last told."""
SHARE_EVERY_S = 5.0
GONE_AFTER_S = 30.0
"""A process that has told nothing for so long counts no more."""
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Bounds in seconds for what somebody waits for."""
SLOW = (0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0)
"""Bounds in seconds for work in the background."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REGISTRY = CollectorRegistry()
logger = logging.getLogger(__name__)
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own


@dataclass(frozen=True, slots=True)
class Declared:
    """A figure as it is described: its whole name, `counter`, `histogram` or `gauge`, what it says, its labels."""

    name: str
    kind: str
    documentation: str
    labels: tuple[str, ...]


DECLARED: list[Declared] = []
"""Every figure that is counted, in the order of the imports."""


def counter(name: str, documentation: str, *labels: str) -> Counter:
    """A figure that only grows; it is told as `sync2gear_<name>_total`."""
    DECLARED.append(Declared(f"{PREFIX}{name}_total", "counter", documentation, labels))
    return Counter(PREFIX + name, documentation, labels, registry=REGISTRY)


def histogram(name: str, documentation: str, *labels: str, bounds: Iterable[float]) -> Histogram:
    """How often a value stayed within each of `bounds`, in the unit that ends the name."""
    DECLARED.append(Declared(PREFIX + name, "histogram", documentation, labels))
    return Histogram(PREFIX + name, documentation, labels, buckets=tuple(bounds), registry=REGISTRY)


def gauge(name: str, documentation: str, *labels: str) -> Gauge:
    """A figure that rises and falls; of several processes the sum is told."""
    DECLARED.append(Declared(PREFIX + name, "gauge", documentation, labels))
    return Gauge(PREFIX + name, documentation, labels, registry=REGISTRY)


REQUESTS = counter("http_requests", "Requests answered.", "method", "route", "status")
REQUEST_SECONDS = histogram(
    "http_request_seconds",
    "From a request's arrival to the beginning of its answer.",
    "method",
    "route",
    bounds=QUICK,
)
JOB_SECONDS = histogram(
    "job_seconds", "How long jobs and periodic tasks ran.", "task", "outcome", bounds=SLOW
)


def count_request(request: HttpRequest, status: int, seconds: float) -> None:
    """A request has been answered. What leads nowhere is one route, `unmatched`: callers may invent paths."""
    match = request.resolver_match
    route = _readable(match.route) if match is not None else "unmatched"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, route, status).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)


@cache
def _readable(route: str) -> str:
    """A route without regular expressions: `/api/floors/<pk>/`."""
    return str(simplify_regex(route))


# --- many processes --------------------------------------------------------------------------------------

Sample = tuple[str, str, tuple[tuple[str, str], ...]]
"""What names a sample: its family, its own name, its labels. In Redis it is a field, as JSON."""


class _Shared:
    """What of this process's counts stands in Redis already."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.told: dict[Sample, float] = {}
        self.at = 0.0


_shared = _Shared()


def _after_fork() -> None:
    """A child begins at nothing: what its parent had counted is the parent's to tell."""
    global _shared
    _shared = _Shared()
    _shared.told = dict(_samples(gauges=False))


os.register_at_fork(after_in_child=_after_fork)


def share(*, at_most_every_s: float = 0.0) -> None:
    """Adds to Redis what this process has counted since the last time. Never raises; embedded it does nothing.

    What could not be told is told the next time. An answer of Redis that is lost makes what it answered count twice.
    """
    if not settings.REDIS_URL:
        return
    with _shared.lock:
        if time.monotonic() - _shared.at < at_most_every_s:
            return
        _shared.at = time.monotonic()
        sums = dict(_samples(gauges=False))
        # One that has never been told is told even if it is 0: from there an alert sees it rise.
        grown = {
            sample: value - _shared.told.get(sample, 0.0)
            for sample, value in sums.items()
            if value != _shared.told.get(sample)
        }
        try:
            with _redis(settings.REDIS_URL).pipeline(transaction=True) as together:
                for sample, by in grown.items():
                    together.hincrbyfloat(SUMS, json.dumps(sample), by)
                gauges = {json.dumps(sample): value for sample, value in _samples(gauges=True)}
                together.hset(GAUGES, _process(), json.dumps({"at": time.time(), "values": gauges}))
                together.execute()
        except redis.RedisError as error:
            logger.warning("what was counted could not be told, it is told later: %s", error)
        else:
            _shared.told = sums


def leave() -> None:
    """Tells the last of this process, which ends: its gauges count no more."""
    share()
    if settings.REDIS_URL:
        try:
            _redis(settings.REDIS_URL).hdel(GAUGES, _process())
        except redis.RedisError as error:
            logger.warning("this process's gauges stay until they are too old: %s", error)


class Everybody(Collector):
    """REGISTRY as all processes together have it. Raises `redis.RedisError`."""

    def collect(self) -> Iterator[Metric]:
        """Every figure, with the sums of all processes."""
        if not settings.REDIS_URL:
            yield from REGISTRY.collect()
            return
        share()
        client = _redis(settings.REDIS_URL)
        values = {str(key): float(value) for key, value in client.hgetall(SUMS).items()}
        for process, told in client.hgetall(GAUGES).items():
            said = json.loads(told)
            if said["at"] < time.time() - GONE_AFTER_S:
                client.hdel(GAUGES, process)
                continue
            for key, value in said["values"].items():
                values[key] = values.get(key, 0.0) + value
        yield from _families(values)


def _families(values: dict[str, float]) -> Iterator[Metric]:
    """The declared figures with these samples; samples of figures that are declared no more are left out."""
    by_family: dict[str, list[tuple[str, dict[str, str], float]]] = {}
    for key, value in values.items():
        family, name, labels = json.loads(key)
        by_family.setdefault(family, []).append((name, dict(labels), value))
    for declared in REGISTRY.collect():
        metric = Metric(declared.name, declared.documentation, declared.type)
        for name, labels, value in sorted(by_family.get(declared.name, ()), key=_place):
            metric.add_sample(name, labels, value)
        yield metric


def _place(sample: tuple[str, dict[str, str], float]) -> tuple[list[tuple[str, str]], str, float]:
    """The order within a family: buckets of one series together, the smallest bound first."""
    name, labels, _ = sample
    series = sorted((label, value) for label, value in labels.items() if label != "le")
    return series, name, float(labels.get("le", 0))


def _samples(*, gauges: bool) -> Iterator[tuple[Sample, float]]:
    """This process's samples."""
    for family in REGISTRY.collect():
        if (family.type == "gauge") is gauges:
            for sample in family.samples:
                yield (family.name, sample.name, tuple(sample.labels.items())), sample.value


@lru_cache(maxsize=1)
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True)


def _process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
