"""The operator's program: its command line, settings, logs, signals and exit codes (docs/operator.md)."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import suppress
from functools import partial

import typer
from pydantic import ValidationError

from ttsoperator import logs
from ttsoperator.children.registry import plurals
from ttsoperator.kube.client import Cluster
from ttsoperator.kube.errors import ApiError
from ttsoperator.kube.kubeconfig import NoCluster, load_configuration
from ttsoperator.manager import Manager
from ttsoperator.metrics import Metrics
from ttsoperator.settings import PREFIX, Settings
from ttsoperator.watch.listing import Forbidden
from ttsoperator.watch.streams import WatchFailed

EXIT_FAILED = 1
EXIT_INVALID_SETTINGS = 2

log = logging.getLogger("ttsoperator")

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(epilog=f"Settings: {', '.join(PREFIX + name.upper() for name in Settings.model_fields)}")
def start() -> None:
    """Run the operator until SIGTERM or SIGINT. The environment has its settings (docs/operator.md).

    It exits with 0 when it is asked to stop, with 1 when it cannot work, and with 2 when a setting is wrong.
    """
    logs.configure()
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors():
            log.critical("%s%s: %s", PREFIX, str(problem["loc"][0]).upper(), problem["msg"])
        sys.exit(EXIT_INVALID_SETTINGS)
    logs.configure(settings.log_level)
    try:
        with suppress(asyncio.CancelledError):
            asyncio.run(run(settings))
    except (NoCluster, Forbidden, WatchFailed, ApiError, OSError) as error:
        log.debug("ending", exc_info=error)
        log.critical("%s", error)
        sys.exit(EXIT_FAILED)


async def run(settings: Settings) -> None:
    """Run one replica until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    handle_signals = partial(_on_signals, stop)
    handle_signals()
    metrics = Metrics()
    async with Cluster(await load_configuration(), plurals(), metrics.count_request) as cluster:
        log.info("API server %s", cluster.configuration.host)
        await Manager(settings, cluster, metrics, handle_signals).run(stop)


def main() -> None:
    """Run the command line."""
    app(prog_name="ttsoperator")


def _on_signals(stop: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
