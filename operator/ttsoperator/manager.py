"""All parts of one replica, wired: probes, metrics API, election, watches, passes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

import kopf
from aiohttp import web

from ttsoperator import logs
from ttsoperator.children.context import Defaults
from ttsoperator.kube.client import Cluster
from ttsoperator.kube.errors import ApiError
from ttsoperator.kube.leader import LeaderElection
from ttsoperator.kube.scrape import Scraper
from ttsoperator.metrics import Metrics
from ttsoperator.reconcile.observer import Observer
from ttsoperator.reconcile.reconciler import Reconciler
from ttsoperator.servers.custom_metrics import CustomMetrics
from ttsoperator.servers.front_proxy import AggregatedServer, read_front_proxy
from ttsoperator.servers.probes import Health, make_app
from ttsoperator.settings import Settings
from ttsoperator.watch import handlers
from ttsoperator.watch.listing import Syncer, wait_for_crd
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.streams import watch
from ttsoperator.watch.workqueue import WorkQueue

log = logging.getLogger(__name__)

SYNC_RETRY_SECONDS = 5.0


class Manager:
    """One replica. `handle_signals` takes the process's signals, which kopf takes over when it starts, back."""

    def __init__(
        self, settings: Settings, cluster: Cluster, metrics: Metrics, handle_signals: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._metrics = metrics
        self._handle_signals = handle_signals
        self._cache = Cache()
        self._queue: WorkQueue[Key] = WorkQueue()
        self._scraper = Scraper(metrics.count_scrape)
        self._syncer = Syncer(cluster, self._cache, self._queue, settings.namespaces)
        self._election = LeaderElection(cluster, settings.pod_namespace, settings.lease_name, settings.pod_name)
        self._reconciler = Reconciler(
            cluster=cluster,
            cache=self._cache,
            observer=Observer(cluster, self._scraper),
            defaults=Defaults(settings.worker_image, settings.worker_image_pull_policy),
            metrics=metrics,
            may_write=self._election.is_leading,
        )
        metrics.services.set_function(lambda: len(self._cache.services()))
        metrics.leader.set_function(self._election.is_leading)
        metrics.queue_depth.set_function(self._queue.depth)
        metrics.pass_age.set_function(lambda: -1 if (age := self._queue.idle_seconds()) is None else age)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then release the Lease and return; raises what ended a part of it."""
        parts = [asyncio.create_task(self._run_probes(), name="probes")]
        if cert_dir := self._settings.custom_metrics_cert_dir:
            parts.append(asyncio.create_task(self._run_custom_metrics(cert_dir), name="custom metrics"))
        parts.append(asyncio.create_task(self._run_passes(), name="passes"))
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            done, _ = await asyncio.wait([stopping, *parts], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()
        finally:
            for task in (stopping, *parts):
                task.cancel()
            await asyncio.wait([stopping, *parts])
            await self._scraper.close()

    async def _run_passes(self) -> None:
        await wait_for_crd(self._cluster, next(iter(self._settings.namespaces), None))
        while not self._syncer.synced:
            try:
                await self._syncer.sync()
            except ApiError as error:
                log.warning("cannot list the objects of the cluster yet: %s", error)
                await asyncio.sleep(SYNC_RETRY_SECONDS)
        log.info("found %d TTSServices; serving %s", len(self._cache.services()), self._scope())
        registry = kopf.OperatorRegistry()
        handlers.register(registry, self._cache, self._queue)
        election = asyncio.create_task(self._election.run(self._lead), name="election")
        resync = asyncio.create_task(self._syncer.run(), name="resync")
        watching = asyncio.create_task(
            watch(registry, self._cluster.configuration, self._syncer.watched_namespaces(), self._handle_signals),
            name="watch",
        )
        parts = [election, resync, watching]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            election.cancel()  # first of all, so that another replica can lead at once
            await asyncio.wait([election])
            for task in parts:
                task.cancel()
            await asyncio.wait(parts)

    async def _lead(self) -> None:
        for key in self._cache.services():
            self._queue.add(key)
        await self._queue.run(self._pass, self._settings.workers)

    async def _pass(self, key: Key) -> float | None:
        logs.service.set(key)  # for this task of the queue, until its next pass
        return await self._reconciler.reconcile(key)

    async def _run_probes(self) -> None:
        health = Health(
            synced=lambda: self._syncer.synced,
            stuck_seconds=lambda: self._queue.stuck_seconds() if self._election.is_leading() else 0.0,
        )
        runner = web.AppRunner(make_app(self._metrics, health), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, port=self._settings.metrics_port).start()
            log.info("metrics and probes on port %d", self._settings.metrics_port)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _run_custom_metrics(self, cert_dir: Path) -> None:
        load = partial(read_front_proxy, self._cluster)
        server = AggregatedServer(cert_dir, self._settings.custom_metrics_port, load)
        await server.run(CustomMetrics(self._cache, self._scraper, server.authenticate).app())

    def _scope(self) -> str:
        return (
            f"the namespaces {', '.join(self._settings.namespaces)}" if self._settings.namespaces else "all namespaces"
        )
