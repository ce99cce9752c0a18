"""Serve HTTPS only to the API server's aggregation layer.

Requests present the API server's front-proxy client certificate; a ConfigMap in kube-system has its CA and its allowed
names. That CA and our own certificate change from time to time, so the server reloads both.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from ttsoperator.kube.client import Cluster
from ttsoperator.kube.errors import ApiError
from ttsoperator.kube.manifest import Ref

log = logging.getLogger(__name__)

AUTHENTICATION = Ref("v1", "ConfigMap", "kube-system", "extension-apiserver-authentication")
RELOAD_SECONDS = 30.0
RETRY_SECONDS = 5.0


class NotServable(Exception):
    """The server cannot start yet; the message says what is missing."""


@dataclass(frozen=True)
class FrontProxy:
    """The allowed clients: those with a certificate by `ca` and a common name in `names` (empty: any name)."""

    ca: str
    names: frozenset[str]

    def refusal(self, request: web.Request) -> str | None:
        """Return why a request is not from the API server, None if it is."""
        certificate = request.transport.get_extra_info("peercert") if request.transport else None
        if not certificate:
            return "only the API server may call this API: a front-proxy client certificate is required"
        found = {value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"}
        if self.names and not found & self.names:
            return f"the client certificate's name {', '.join(found) or '(none)'} is not an allowed front proxy"
        return None


@dataclass(frozen=True)
class _Material:
    """The inputs of the TLS context; equal inputs need no new context."""

    certificate: bytes
    key: bytes
    front_proxy: FrontProxy


class AggregatedServer:
    """Serves `app` on `port` with the certificate of `cert_dir` (tls.crt, tls.key)."""

    def __init__(self, cert_dir: Path, port: int, load_front_proxy: Callable[[], Awaitable[FrontProxy]]) -> None:
        self._cert_dir = cert_dir
        self._port = port
        self._load_front_proxy = load_front_proxy
        self._material: _Material | None = None
        self._site: web.TCPSite | None = None
        self._runner: web.AppRunner | None = None

    def authenticate(self, request: web.Request) -> str | None:
        """Return why a request is not from the API server, None if it is."""
        if self._material is None:
            return "not serving yet"
        return self._material.front_proxy.refusal(request)

    async def run(self, app: web.Application) -> None:
        """Serve until cancelled; wait for a missing certificate or ConfigMap."""
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            while True:
                delay = RELOAD_SECONDS
                try:
                    await self.refresh()
                except (NotServable, ApiError, OSError) as error:
                    log.warning("custom metrics: %s", error)
                    delay = RETRY_SECONDS
                await asyncio.sleep(delay)
        finally:
            await self._runner.cleanup()

    async def refresh(self) -> None:
        """Listen with the current certificate and CA; if they are invalid, keep the old ones and raise NotServable."""
        if self._runner is None:
            raise NotServable("the server is not running")
        front_proxy = await self._load_front_proxy()
        material = await asyncio.to_thread(_read, self._cert_dir, front_proxy)
        if material == self._material:
            return
        context = await asyncio.to_thread(_context, self._cert_dir, front_proxy)
        site = web.TCPSite(self._runner, port=self._port, ssl_context=context, reuse_port=True)
        await site.start()  # before the old one stops, so that the port is never closed
        if self._site is not None:
            await self._site.stop()
        log.info("custom metrics: serving on port %d", self._port)
        self._site, self._material = site, material


async def read_front_proxy(cluster: Cluster) -> FrontProxy:
    """Read the cluster's aggregation settings; raises NotServable if aggregation is off."""
    data = (await cluster.get(AUTHENTICATION)).get("data") or {}
    ca = data.get("requestheader-client-ca-file")
    if not ca:
        raise NotServable("the API server has no front-proxy CA (--requestheader-client-ca-file): aggregation is off")
    return FrontProxy(ca, frozenset(json.loads(data.get("requestheader-allowed-names") or "[]")))


def _read(cert_dir: Path, front_proxy: FrontProxy) -> _Material:
    return _Material((cert_dir / "tls.crt").read_bytes(), (cert_dir / "tls.key").read_bytes(), front_proxy)


def _context(cert_dir: Path, front_proxy: FrontProxy) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_OPTIONAL  # a client without a certificate gets a 401 that explains it
    try:
        context.load_verify_locations(cadata=front_proxy.ca)
        context.load_cert_chain(cert_dir / "tls.crt", cert_dir / "tls.key")
    except ssl.SSLError as error:
        raise NotServable(f"invalid certificate, key or front-proxy CA: {error}") from error
    return context
