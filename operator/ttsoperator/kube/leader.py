"""Leader election on a coordination.k8s.io Lease, by client-go's rules.

kubernetes.aio has leader election too, but it writes local time as UTC, lets one slow request outlive its renew
deadline and never releases the Lease, so that each rolling update would pause for a whole lease.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from ttsoperator.kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from ttsoperator.kube.manifest import Manifest, Ref, micro_time_text
from ttsoperator.kube.paths import path
from ttsoperator.kube.resources import LEASE

log = logging.getLogger(__name__)

LEASE_SECONDS = 15
RENEW_DEADLINE_SECONDS = 10.0
RETRY_SECONDS = 2.0
RELEASE_SECONDS = 3.0


class Api(Protocol):
    """The part of `Cluster` that an election needs."""

    async def request(self, method: str, url: str, body: object = None) -> Manifest:
        """See Cluster."""


class LeaderElection:
    """One candidate for the Lease `namespace`/`name`."""

    def __init__(
        self, api: Api, namespace: str, name: str, pod: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.identity = f"{pod}_{uuid.uuid4()}"
        self._api = api
        self._ref = Ref(LEASE.api_version, LEASE.kind, namespace, name)
        self._clock = clock
        self._renewed = float("-inf")
        self._lease: Manifest | None = None
        self._seen: tuple[str, float] = ("", float("-inf"))

    def is_leading(self) -> bool:
        """Return whether this process may write *now*.

        Reads the clock, not a flag, so that a process that was suspended knows it before its renewal fails.
        """
        return self._clock() - self._renewed < RENEW_DEADLINE_SECONDS

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Run `lead` while this process holds the Lease, and cancel it when the Lease is lost; never returns.

        On cancellation, ends `lead` and then releases the Lease, so that another replica takes over within 2 s.
        """
        try:
            while True:
                while not await self._try():  # noqa: ASYNC110 - the Event to wait for would be the API server's
                    await asyncio.sleep(RETRY_SECONDS)
                log.info("%s is the leader now", self.identity)
                await self._lead(lead)
                log.warning("lost the Lease %s: another replica may lead", self._ref.name)
        finally:
            await self._release()

    async def _lead(self, lead: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(lead())
        try:
            while self.is_leading() and not task.done():
                await asyncio.wait([task], timeout=RETRY_SECONDS)
                await self._try()
        finally:
            task.cancel()
            await asyncio.wait([task])
            self._renewed = float("-inf")
        if not task.cancelled():
            task.result()

    async def _try(self) -> bool:
        """Take or renew the Lease; return whether this process holds it."""
        started = self._clock()
        timeout = RENEW_DEADLINE_SECONDS / 2
        if self.is_leading():
            timeout = min(timeout, self._renewed + RENEW_DEADLINE_SECONDS - started)
        try:
            async with asyncio.timeout(timeout):
                mine = await self._take() or await self._take()  # retry once with a faster writer's version
        except (ApiError, TimeoutError) as error:
            log.warning("cannot read or write the Lease %s: %s", self._ref.name, str(error) or "no answer in time")
            return False
        self._renewed = started if mine else float("-inf")  # when sent, not when answered: others count from then
        return mine

    async def _take(self) -> bool:
        if self._lease is None:
            try:
                self._lease = await self._api.request("GET", path(self._ref, LEASE.plural))
            except NotFound:
                return await self._create()
        spec: dict[str, Any] = self._lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in ("", self.identity) and not self._expired(self._lease):
            self._lease = None  # read it again next time
            return False
        now = _now()
        if holder != self.identity:
            transitions = int(spec.get("leaseTransitions") or 0) + (1 if spec.get("acquireTime") else 0)
            spec = {"acquireTime": now, "leaseTransitions": transitions}
        spec = {**spec, "holderIdentity": self.identity, "renewTime": now, "leaseDurationSeconds": LEASE_SECONDS}
        return await self._put({**self._lease, "spec": spec})

    async def _create(self) -> bool:
        now = _now()
        lease: Manifest = {
            "apiVersion": self._ref.api_version,
            "kind": self._ref.kind,
            "metadata": {"name": self._ref.name, "namespace": self._ref.namespace},
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": LEASE_SECONDS,
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            },
        }
        try:
            self._lease = await self._api.request("POST", path(self._ref, LEASE.plural, collection=True), lease)
        except (AlreadyExists, Conflict):
            return False
        return True

    async def _put(self, lease: Manifest) -> bool:
        try:
            self._lease = await self._api.request("PUT", path(self._ref, LEASE.plural), lease)
        except (Conflict, NotFound):
            self._lease = None  # another writer was faster, or our own last write did arrive
            return False
        return True

    def _expired(self, lease: Manifest) -> bool:
        """Return whether the holder was silent for its whole lease, by the local clock: clocks of nodes may differ."""
        version = lease["metadata"]["resourceVersion"]
        if self._seen[0] != version:
            self._seen = (version, self._clock())
        term = float(lease["spec"].get("leaseDurationSeconds") or LEASE_SECONDS)
        return self._clock() - self._seen[1] >= term

    async def _release(self) -> None:
        """Release the Lease if this process holds it; if that fails, the Lease expires."""
        self._renewed = float("-inf")
        with suppress(ApiError, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                # Read it again: a cancelled write may have succeeded.
                lease = await self._api.request("GET", path(self._ref, LEASE.plural))
                spec: dict[str, Any] = lease.get("spec") or {}
                if spec.get("holderIdentity") == self.identity:
                    free = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
                    await self._api.request("PUT", path(self._ref, LEASE.plural), {**lease, "spec": {**spec, **free}})
                    log.info("released the Lease %s", self._ref.name)


def _now() -> str:
    return micro_time_text(datetime.now(UTC))
