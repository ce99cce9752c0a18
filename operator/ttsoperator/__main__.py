"""The operator's program: `python -m ttsoperator`, set by the environment (docs/operator.md)."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import kopf
from aiohttp import web
from pydantic import ValidationError

from ttsoperator.children import Defaults
from ttsoperator.kube.client import ApiError, Cluster
from ttsoperator.kube.kubeconfig import NoCluster, load_configuration
from ttsoperator.kube.leader import LeaderElection
from ttsoperator.kube.scrape import Scraper
from ttsoperator.metrics import Metrics
from ttsoperator.reconcile.observer import Observer
from ttsoperator.reconcile.reconciler import Reconciler
from ttsoperator.servers import front_proxy as frontproxy
from ttsoperator.servers.custom_metrics import CustomMetrics
from ttsoperator.servers.front_proxy import AggregatedServer
from ttsoperator.servers.probes import Health, make_app
from ttsoperator.settings import Settings
from ttsoperator.watch import handlers
from ttsoperator.watch.listing import Forbidden, Syncer, wait_for_crd
from ttsoperator.watch.store import Cache, Key
from ttsoperator.watch.streams import WatchFailed, watch
from ttsoperator.watch.workqueue import WorkQueue

log = logging.getLogger("ttsoperator")

SYNC_RETRY_SECONDS = 5.0


class Operator:
    """All parts of one replica, wired."""

    def __init__(self, settings: Settings, cluster: Cluster, metrics: Metrics) -> None:
        self._settings = settings
        self._cluster = cluster
        self._metrics = metrics
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
        parts.append(asyncio.create_task(self._run_passes(stop), name="passes"))
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

    async def _run_passes(self, stop: asyncio.Event) -> None:
        await wait_for_crd(self._cluster, next(iter(self._settings.namespaces), None))
        while not self._syncer.synced:
            try:
                await self._syncer.sync()
            except ApiError as error:
                log.warning("cannot list yet: %s", error)
                await asyncio.sleep(SYNC_RETRY_SECONDS)
        log.info("%d services known; serving %s", len(self._cache.services()), self._scope())
        registry = kopf.OperatorRegistry()
        handlers.register(registry, self._cache, self._queue)
        election = asyncio.create_task(self._election.run(self._lead), name="election")
        resync = asyncio.create_task(self._syncer.run(), name="resync")
        watching = asyncio.create_task(
            watch(registry, self._cluster.configuration, self._settings.namespaces, partial(_on_signals, stop)),
            name="watch",
        )
        parts = [election, resync, watching]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            election.cancel()  # first of all, so that another replica goes on at once
            await asyncio.wait([election])
            for task in parts:
                task.cancel()
            await asyncio.wait(parts)

    async def _lead(self) -> None:
        for key in self._cache.services():
            self._queue.add(key)
        await self._queue.run(self._reconciler.reconcile, self._settings.workers)

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
        load = partial(frontproxy.read_front_proxy, self._cluster)
        server = AggregatedServer(cert_dir, self._settings.custom_metrics_port, load)
        await server.run(CustomMetrics(self._cache, self._scraper, server.authenticate).app())

    def _scope(self) -> str:
        return (
            f"the namespaces {', '.join(self._settings.namespaces)}" if self._settings.namespaces else "all namespaces"
        )


async def run(settings: Settings) -> None:
    """Run one replica until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    _on_signals(stop)
    metrics = Metrics()
    async with Cluster(await load_configuration(), metrics.count_request) as cluster:
        log.info("API server %s", cluster.configuration.host)
        await Operator(settings, cluster, metrics).run(stop)


def main() -> None:
    """Start the operator; exits 0 when asked to stop, 1 with one line when it cannot work, 2 for bad settings."""
    argparse.ArgumentParser(prog="ttsoperator", description=__doc__, epilog=_help()).parse_args()
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors():
            print(f"TTS_OPERATOR_{str(problem['loc'][0]).upper()}: {problem['msg']}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if settings.log_level != "DEBUG":
        logging.getLogger("kopf").setLevel(logging.WARNING)
        logging.getLogger("kubernetes").setLevel(logging.ERROR)
        logging.getLogger().handlers[0].addFilter(_in_one_line)
    try:
        with suppress(asyncio.CancelledError):
            asyncio.run(run(settings))
    except (NoCluster, Forbidden, WatchFailed, ApiError, OSError) as error:
        log.debug("ending", exc_info=error)
        sys.exit(f"ttsoperator: {error}")


def _on_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


def _in_one_line(record: logging.LogRecord) -> bool:
    """Leave kopf's tracebacks out: what it could not do is in its message, and not a fault of this program."""
    if record.name.startswith("kopf"):
        record.exc_info = record.exc_text = None
    return True


def _help() -> str:
    return "Settings: " + ", ".join(f"TTS_OPERATOR_{name.upper()}" for name in Settings.model_fields)


if __name__ == "__main__":
    main()
