"""The client turns the API server's answers into typed errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio import client

from ttsoperator.kube.client import Cluster, Refused


@asynccontextmanager
async def answering(status: int, body: Any) -> AsyncIterator[Cluster]:
    """A client of a server that gives every request one answer."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0]
    try:
        async with Cluster(client.Configuration(host=f"http://127.0.0.1:{port}"), {}) as cluster:
            yield cluster
    finally:
        await runner.cleanup()


RESOURCES = [{"name": "gadgets", "kind": "Gadget"}, {"name": "gadgets/status", "kind": "Status"}]


@pytest.mark.parametrize(
    ("status", "body", "kinds"),
    [
        (200, {"resources": RESOURCES}, {"Gadget"}),
        (200, {"resources": []}, set()),
        (200, {"resources": None}, set()),
        (404, "404 page not found", set()),
        (404, {"message": "no such group"}, set()),
    ],
)
async def test_the_kinds_that_an_api_serves(status: int, body: Any, kinds: set[str]) -> None:
    async with answering(status, body) as cluster:
        assert set(await cluster.served_kinds("gadgets.example/v1")) == kinds


async def test_an_api_without_access_does_not_count_as_missing() -> None:
    async with answering(403, {"message": "forbidden"}) as cluster:
        with pytest.raises(Refused, match="forbidden"):
            await cluster.served_kinds("gadgets.example/v1")
