"""The small server that shows the operator's metrics and answers the kubelet's probes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ttsoperator.metrics import Metrics

log = logging.getLogger(__name__)

STUCK_SECONDS = 300.0  # more than twice a pass's time limit: then no worker can still be making progress


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
