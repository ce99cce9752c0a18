"""The operator's only Kubernetes client: plain REST requests over one connection pool, with typed errors.

The operator knows the paths of its kinds. Discovery would cost a request for each API group and a writable cache
folder. A request to an API that is not installed raises `Refused` with a clear message; `served_kinds` returns the
kinds of an add-on's API.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client

from ttsoperator.kube.errors import AlreadyExists, Conflict, NotFound, Refused, Unavailable, error_of
from ttsoperator.kube.lean import lean
from ttsoperator.kube.manifest import Manifest, Ref, identified, ref
from ttsoperator.kube.paths import path, root
from ttsoperator.names import API_VERSION, HANDOVER_MANAGER, KIND, MANAGER

log = logging.getLogger(__name__)

POOL_CONNECTIONS = 32
REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=30.0)  # the API server ends a request after 60 seconds
TRIES = 4
GONE = 410
"""The status for a continue token that has expired."""
INVALID = 422
"""The status with which the API server refuses an object whose fields are wrong, also one that a merge made wrong."""
PAGE = 50
"""Objects of one answer to a list: the API server takes objects of up to 1.5 MB, and a page is in memory whole."""
LONGEST_WAIT_SECONDS = 10.0  # a longer Retry-After goes back to the queue instead of holding a worker


class KubeClient(Protocol):
    """The client interface that a pass uses; the tests have an in-memory implementation."""

    async def get(self, target: Ref) -> Manifest:
        """Read one object; raises NotFound."""

    async def create(self, manifest: Manifest) -> Manifest:
        """Create an object, and never change an existing one; raises AlreadyExists."""

    async def apply(self, manifest: Manifest) -> Manifest:
        """Apply server-side over the object of this uid; removes fields that an earlier apply set and this one omits.

        Raises NotFound if it is gone, also where another object has its name.
        """

    async def hand_over_replicas(self, deployment: Ref, replicas: int) -> Manifest:
        """Make the hand-over field manager own `spec.replicas` too, so that the value stays when our apply drops it.

        Raises NotFound or Conflict if the Deployment is gone.
        """

    async def delete(self, target: Ref) -> Manifest | None:
        """Delete in the background; return an object that waits for finalizers or a grace period, else None."""

    async def patch(self, target: Ref, body: Mapping[str, Any], subresource: str = "") -> Manifest:
        """Merge-patch; with metadata.resourceVersion in `body`, raises Conflict if the object is newer.

        With metadata.uid, raises NotFound if another object has the name.
        """

    async def list_objects(
        self, api_version: str, kind: str, namespace: str | None, **selectors: str
    ) -> tuple[list[Manifest], int]:
        """List objects, with the list's resourceVersion."""

    async def served_kinds(self, api_version: str) -> Collection[str]:
        """Return the kinds that the API server serves of this group and version; empty if it does not serve them."""


class Cluster:
    """A connection to one API server; close it with `close` or use it as an async context manager.

    `plurals` has the plural of each kind that the operator uses, for the URL paths.
    """

    def __init__(
        self,
        configuration: client.Configuration,
        plurals: Mapping[str, str],
        count: Callable[[str, int], None] | None = None,
    ) -> None:
        configuration.connection_pool_maxsize = POOL_CONNECTIONS
        # Without trust_env, which costs two threads for each request to read ~/.netrc and the proxy variables. A
        # kubeconfig's proxy-url works.
        configuration.client_session_kwargs = {"trust_env": False}
        self.configuration = configuration
        self._plurals = plurals
        self._client = client.ApiClient(configuration)
        self._count = count or (lambda _verb, _code: None)

    async def __aenter__(self) -> Cluster:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def get(self, target: Ref) -> Manifest:
        """See KubeClient."""
        return await self.request("GET", self.path(target))

    async def create(self, manifest: Manifest) -> Manifest:
        """See KubeClient.

        A POST, not an apply: it can never take over an existing object, and it costs the server a fifth less.
        """
        target = self.path(ref(manifest), collection=True)
        try:
            return await self.request("POST", target, manifest, query={"fieldManager": MANAGER})
        except Conflict as error:
            raise AlreadyExists(error.status, error.message) from error

    async def apply(self, manifest: Manifest) -> Manifest:
        """See KubeClient."""
        target = ref(manifest)
        existing = await self._get_same(target)
        for attempt in range(1, TRIES + 1):
            try:
                await self._own_as_applied(existing)
                break
            except Conflict:  # a controller updated the status meanwhile
                if attempt == TRIES:
                    raise
                existing = await self._get_same(target)
        # With the uid an apply cannot create a new object.
        return await self._apply(target, identified(manifest, existing), MANAGER)

    @asynccontextmanager
    async def _only(self, target: Ref) -> AsyncIterator[None]:
        """Raise NotFound where the API server calls a patch invalid because another object has the name: its uid."""
        try:
            yield
        except Refused as error:
            if error.status == INVALID:
                await self._get_same(target)
            raise

    async def _get_same(self, target: Ref) -> Manifest:
        found = await self.get(target)
        if target.uid not in (None, found["metadata"]["uid"]):
            raise NotFound(404, f"another {target.kind} has the name {target.name} now")
        return found

    async def hand_over_replicas(self, deployment: Ref, replicas: int) -> Manifest:
        """See KubeClient."""
        partial = {
            "apiVersion": deployment.api_version,
            "kind": deployment.kind,
            "metadata": {
                "name": deployment.name,
                "namespace": deployment.namespace,
                **({"uid": deployment.uid} if deployment.uid else {}),
            },
            "spec": {"replicas": replicas},
        }
        async with self._only(deployment):
            return await self._apply(deployment, partial, HANDOVER_MANAGER)

    async def delete(self, target: Ref) -> Manifest | None:
        """See KubeClient."""
        options: Manifest = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if target.uid:
            options["preconditions"] = {"uid": target.uid}
        try:
            answer = await self.request("DELETE", self.path(target), options)
        except (NotFound, Conflict):  # another uid means a new object: the intended one is gone
            return None
        return None if answer["kind"] == "Status" else answer

    async def patch(self, target: Ref, body: Mapping[str, Any], subresource: str = "") -> Manifest:
        """See KubeClient."""
        url = self.path(target) + (f"/{subresource}" if subresource else "")
        query = {"fieldManager": MANAGER}
        async with self._only(target):
            return await self.request("PATCH", url, body, "application/merge-patch+json", query)

    async def list_objects(
        self, api_version: str, kind: str, namespace: str | None, **selectors: str
    ) -> tuple[list[Manifest], int]:
        """See KubeClient; `labelSelector` and `fieldSelector` are passed on, and `limit` asks for one page only.

        Raises Unavailable when the API server forgets the list before its last page.
        """
        url = self.path(Ref(api_version, kind, namespace or "", ""), collection=True)
        query = {"limit": str(PAGE), **selectors}
        items: list[Manifest] = []
        while True:
            try:
                answer = await self.request("GET", url, query=query)
            except Refused as error:
                if error.status == GONE and "continue" in query:
                    raise Unavailable(error.status, error.message) from error
                raise
            for item in answer["items"]:
                item.update(apiVersion=api_version, kind=kind)  # the items of a list omit them
                items.append(lean(item))
            token = answer["metadata"].get("continue")
            if not token or "limit" in selectors:
                return items, int(answer["metadata"]["resourceVersion"])
            query["continue"] = token

    async def served_kinds(self, api_version: str) -> Collection[str]:
        """See KubeClient."""
        try:
            answer = await self.request("GET", root(api_version))
        except (NotFound, Refused) as error:
            if error.status != 404:
                raise
            return set()
        resources = answer["resources"] or ()  # null of an aggregated API that has none
        return {resource["kind"] for resource in resources if "/" not in resource["name"]}

    async def request(
        self,
        method: str,
        url: str,
        body: object = None,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Manifest:
        """Send one request; retry on overload and lost connections; raises ApiError.

        All of the operator's requests are safe to repeat: creates have a name, patches and deletes are idempotent.
        """
        url = self.configuration.host + url + (f"?{urlencode(query)}" if query else "")
        for attempt in range(1, TRIES + 1):
            try:
                return await self._send(method, url, body, content_type)
            except Unavailable as error:
                wait = max(error.retry_after, 0.2 * 3 ** (attempt - 1) * random.uniform(0.8, 1.2))  # noqa: S311
                if attempt == TRIES or wait > LONGEST_WAIT_SECONDS:
                    raise Refused(error.status, error.message) if error.status == 500 else error from None
                await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def path(self, target: Ref, *, collection: bool = False) -> str:
        """Return the URL path of an object, or of the collection it is in."""
        return path(target, self._plurals[target.kind], collection=collection)

    async def _send(self, method: str, url: str, body: object, content_type: str) -> Manifest:
        headers = {"Content-Type": content_type, "Accept": "application/json", "User-Agent": MANAGER}
        if token := await self.configuration.get_api_key_with_prefix("BearerToken"):  # re-reads a rotated token
            headers["authorization"] = token
        try:
            response = await self._client.call_api(method, url, headers, body, _request_timeout=REQUEST_TIMEOUT)
            content = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._count(method, 0)
            raise Unavailable(
                0, f"no answer from {self.configuration.host}: {str(error) or type(error).__name__}"
            ) from error
        self._count(method, response.status)
        if response.status < 300:
            answer: Manifest = json.loads(content)
            return answer
        raise error_of(response.status, content, response.headers.get("Retry-After"))

    async def _apply(self, target: Ref, manifest: Manifest, manager: str) -> Manifest:
        query = {"fieldManager": manager, "force": "true"}
        return await self.request("PATCH", self.path(target), manifest, "application/apply-patch+yaml", query)

    async def _own_as_applied(self, existing: Manifest) -> None:
        """Convert the field ownership of our create into that of an apply; otherwise an apply cannot remove a field.

        The same step as client-go's csaupgrade; each object needs it once.
        """
        fields: list[Manifest] = existing["metadata"].get("managedFields") or []
        ours = [f for f in fields if f["manager"] == MANAGER and not f.get("subresource")]
        created = [f for f in ours if f["operation"] == "Update"]
        if not created:
            return
        if len(ours) == len(created):
            upgraded = [{**f, "operation": "Apply"} if f in created else f for f in fields]
        else:
            upgraded = [f for f in fields if f not in created]
        steps = [
            {"op": "replace", "path": "/metadata/managedFields", "value": upgraded},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": existing["metadata"]["resourceVersion"]},
        ]
        await self.request("PATCH", self.path(ref(existing)), steps, "application/json-patch+json")


def service_ref(namespace: str, name: str, uid: str | None = None) -> Ref:
    """Return the reference of a TTSService."""
    return Ref(API_VERSION, KIND, namespace, name, uid)
