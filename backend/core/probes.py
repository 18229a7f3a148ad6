"""What machines ask of a process: `/health/live`, `/health/ready`, `/metrics`.

They are answered before anything else looks at the request: whoever probes calls a process by its address, without
TLS, and is no host that ALLOWED_HOSTS knows.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common import clock, deadline, metrics
from common.errors import problem_response
from core import figures, health

READ_WITHIN_S = 5.0
"""Half of what Prometheus waits for, unless it is told otherwise."""

logger = logging.getLogger(__name__)


class _Page(Collector):
    """All figures, or those that could be read in time; `part_up` says which were not."""

    def collect(self) -> Iterator[Metric]:
        now = clock.now()
        asked: dict[str, Callable[[], list[Metric]]] = {
            f"metrics {name}": partial(_read, part, now) for name, part in figures.PARTS.items()
        }
        asked["metrics counted"] = _counted
        up = GaugeMetricFamily(
            metrics.PREFIX + figures.PART_UP.name,
            figures.PART_UP.documentation,
            labels=figures.PART_UP.labels,
        )
        for name, answer in deadline.together(asked, within_s=READ_WITHIN_S).items():
            part = name.removeprefix("metrics ")
            late = TimeoutError(f"no answer within {READ_WITHIN_S} s")
            failed = answer.exception() if answer.done() else late
            if failed is None:
                yield from answer.result()
            else:
                logger.error("the metrics' part %s could not be read", part, exc_info=failed)
            up.add_metric([part], float(failed is None))
        yield up


def _counted() -> list[Metric]:
    return list(metrics.Everybody().collect())


def _read(part: figures.Part, now: datetime) -> list[Metric]:
    return list(figures.families(part.read(now), part.figures))


def metrics_page(request: HttpRequest) -> HttpResponse:
    """All figures in Prometheus' text format 0.0.4, for who has the token; without METRICS_TOKEN there is no page."""
    token = settings.METRICS_TOKEN
    if not token:
        return problem_response("not_found", f"{request.path} leads nowhere.")
    offered = request.headers.get("Authorization", "")
    if not secrets.compare_digest(offered.encode(), f"Bearer {token}".encode()):
        response: HttpResponse = problem_response(
            "not_authenticated", "Send METRICS_TOKEN as a Bearer token."
        )
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return response
    return HttpResponse(generate_latest(_Page()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


PATHS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health/live": health.live,
    "/health/ready": health.ready,
    "/metrics": metrics_page,
}


class ProbesMiddleware:
    """Answers GET and HEAD of PATHS; everything else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = PATHS.get(request.path)
        if answer is None or request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response
