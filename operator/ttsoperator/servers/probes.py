"""The HTTP server of the operator's metrics and of the kubelet's probes."""

from __future__ import annotations

import logging
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ttscontract.pods import METRICS_PATH
from ttsoperator.metrics import Metrics

log = logging.getLogger(__name__)

STUCK_SECONDS = 300.0  # more than twice a pass's timeout: no worker can still make progress then


class Health:
    """The state behind the probes, as callables, so that the server does not depend on the other parts."""

    def __init__(self, synced: Callable[[], bool], stuck_seconds: Callable[[], float]) -> None:
        self._synced = synced
        self._stuck_seconds = stuck_seconds

    def liveness(self) -> str | None:
        """Return why the kubelet should restart the process, None if it is healthy.

        A blocked event loop needs no check: it does not answer the probe at all.
        """
        stuck = self._stuck_seconds()
        return f"no pass has ended for {stuck:.0f} s although keys are waiting" if stuck > STUCK_SECONDS else None

    def readiness(self) -> str | None:
        """Return why the replica cannot answer yet; a replica that does not lead is ready too."""
        return None if self._synced() else "the operator has not listed the cluster's objects yet"


def make_app(metrics: Metrics, health: Health) -> web.Application:
    """Build the application of /metrics, /healthz and /readyz."""

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        return _answer(health.liveness())

    async def readyz(_: web.Request) -> web.Response:
        return _answer(health.readiness())

    app = web.Application()
    app.add_routes([web.get(METRICS_PATH, exposition), web.get("/healthz", healthz), web.get("/readyz", readyz)])
    return app


def _answer(problem: str | None) -> web.Response:
    if problem:
        log.warning("probe failed: %s", problem)
    return web.Response(text=f"{problem or 'ok'}\n", status=503 if problem else 200)
