"""The operator's own metrics, and the small server that shows them and answers the kubelet's probes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

STUCK_SECONDS = 300.0  # more than twice a pass's time limit: then no worker can still be making progress
CHANGED, UNCHANGED, REFUSED, FAILED = "changed", "unchanged", "refused", "failed"


class Metrics:
    """Counters of one operator process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.passes = Counter(
            "tts_operator_reconciles",
            "Passes over one TTSService: unchanged (nothing to write), changed, refused (by the API), failed",
            ["result"],
            registry=self.registry,
        )
        self.errors = Counter(
            "tts_operator_reconcile_errors", "Passes that ended in an error and are tried again", registry=self.registry
        )
        self.duration = Histogram(
            "tts_operator_reconcile_duration_seconds",
            "Duration of a pass",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=self.registry,
        )
        self.requests = Counter(
            "tts_operator_api_requests",
            "Requests to the API server by verb and HTTP status (0: no answer), watches excepted",
            ["verb", "code"],
            registry=self.registry,
        )
        self.scrapes = Counter(
            "tts_operator_scrapes",
            "Metrics read from worker and download pods, by result",
            ["result"],
            registry=self.registry,
        )
        self.services = self._gauge("tts_operator_services", "TTSServices known")
        self.leader = self._gauge("tts_operator_leader", "1 while this replica holds the Lease and writes")
        self.queue_depth = self._gauge("tts_operator_queue_depth", "TTSServices that wait for a pass now")
        self.pass_age = self._gauge(
            "tts_operator_last_reconcile_age_seconds", "Seconds since a pass ended, -1 before the first"
        )
        for result in (CHANGED, UNCHANGED, REFUSED, FAILED):
            self.passes.labels(result)

    def count_request(self, verb: str, code: int) -> None:
        """Count one request to the API server."""
        self.requests.labels(verb, str(code)).inc()

    def count_scrape(self, result: str) -> None:
        """Count one scrape of a pod."""
        self.scrapes.labels(result).inc()

    @contextmanager
    def timed_pass(self) -> Iterator[None]:
        """Time one pass and count it if it fails."""
        started = perf_counter()
        try:
            yield
        except Exception:
            self.errors.inc()
            self.passes.labels(FAILED).inc()
            raise
        finally:
            self.duration.observe(perf_counter() - started)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(name, help_text, registry=self.registry)


class Health:
    """What the probes ask: callables, so that the server knows none of the parts."""

    def __init__(self, synced: Callable[[], bool], stuck_seconds: Callable[[], float]) -> None:
        self._synced = synced
        self._stuck_seconds = stuck_seconds

    def liveness(self) -> str | None:
        """Return why the process should be restarted, None while all is well.

        A blocked event loop needs no check: then this isn't answered at all.
        """
        stuck = self._stuck_seconds()
        return f"no pass has ended for {stuck:.0f} s though work is waiting" if stuck > STUCK_SECONDS else None

    def readiness(self) -> str | None:
        """Return why the replica can't answer yet; leadership plays no part."""
        return None if self._synced() else "the objects of the cluster have not been listed yet"


def make_app(metrics: Metrics, health: Health) -> web.Application:
    """Build the application of /metrics, /healthz and /readyz."""

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return _answer(health.liveness())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(health.readiness())

    app = web.Application()
    app.add_routes([web.get("/metrics", exposition), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app


def _answer(problem: str | None) -> web.Response:
    if problem:
        log.warning("probe failed: %s", problem)
    return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)
