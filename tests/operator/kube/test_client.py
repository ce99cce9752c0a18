"""The client turns the API server's answers into typed errors."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio import client

from ttsoperator.kube.client import PAGE, Cluster
from ttsoperator.kube.errors import NotFound, Refused, Unavailable
from ttsoperator.kube.manifest import Ref

PLURALS = {"Job": "jobs", "Service": "services", "Deployment": "deployments"}


@asynccontextmanager
async def answering(status: int, body: Any) -> AsyncIterator[Cluster]:
    """A client of a server that gives every request one answer."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    async with served_by(answer) as cluster:
        yield cluster


@asynccontextmanager
async def served_by(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[Cluster]:
    """A client of a server that answers so."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0]
    try:
        async with Cluster(client.Configuration(host=f"http://127.0.0.1:{port}"), PLURALS) as cluster:
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


def page(*names: str, token: str = "") -> web.Response:
    metadata = {"resourceVersion": "7"} | ({"continue": token} if token else {})
    return web.json_response({"items": [{"metadata": {"name": name}} for name in names], "metadata": metadata})


async def test_a_list_is_read_page_by_page() -> None:
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        return page("c") if "continue" in request.query else page("a", "b", token="next")

    async with served_by(answer) as cluster:
        items, version = await cluster.list_objects("batch/v1", "Job", "ns", labelSelector="a=b")
        assert ([item["metadata"]["name"] for item in items], version) == (["a", "b", "c"], 7)
        assert {item["kind"] for item in items} == {"Job"}
        assert asked == [
            {"labelSelector": "a=b", "limit": str(PAGE)},
            {"labelSelector": "a=b", "limit": str(PAGE), "continue": "next"},
        ]
        items, _ = await cluster.list_objects("batch/v1", "Job", None, limit="1")
        assert len(items) == 2, "one page is all that was asked for"


async def test_a_list_that_the_api_server_forgets_halfway_is_read_again_later() -> None:
    async def answer(request: web.Request) -> web.Response:
        if "continue" in request.query:
            return web.json_response({"message": "the continue parameter is too old"}, status=410)
        return page("a", token="next")

    async with served_by(answer) as cluster:
        with pytest.raises(Unavailable, match="too old"):
            await cluster.list_objects("batch/v1", "Job", None)


async def test_an_apply_meant_for_a_former_object_leaves_its_successor() -> None:
    methods = []

    async def answer(request: web.Request) -> web.Response:
        methods.append(request.method)
        return web.json_response({"metadata": {"uid": "theirs"}})

    meta = {"name": "english", "namespace": "ns", "uid": "ours"}
    async with served_by(answer) as cluster:
        with pytest.raises(NotFound, match="another Service has the name english now"):
            await cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta})
    assert methods == ["GET"]


@pytest.mark.parametrize(("uid", "error"), [("theirs", NotFound), ("ours", Refused)])
async def test_a_patch_that_is_invalid_because_of_the_uid_is_told_from_others(uid: str, error: type[Exception]) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({"metadata": {"uid": uid}})
        return web.json_response({"message": "metadata.uid: Invalid value: field is immutable"}, status=422)

    deployment = Ref("apps/v1", "Deployment", "ns", "english", "ours")
    async with served_by(answer) as cluster:
        with pytest.raises(error):
            await cluster.patch(deployment, {"metadata": {"uid": "ours"}})
        with pytest.raises(error):
            await cluster.hand_over_replicas(deployment, 2)
