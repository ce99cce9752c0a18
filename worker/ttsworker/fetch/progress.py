"""Progress of a download: two gauges for the operator and a log line every five seconds for people."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from ttscontract import metrics as catalogue
from ttscontract.metric import Exporter
from ttsworker.observe.collectors import Collectors

LOG_INTERVAL_SECONDS = 5.0

log = logging.getLogger(__name__)


class Progress:
    """What the download does now and how many bytes it has received; one thread writes it, others read it.

    `phase` is the message of the next log line. `total` is the size in bytes that the source reported, else None.
    """

    def __init__(self) -> None:
        self.phase = "starting"
        self.bytes = 0
        self.total: int | None = None


@contextmanager
def reported(progress: Progress, *, metrics_port: int) -> Iterator[None]:
    """Report the progress while the block runs; port 0 serves no metrics."""
    stop = threading.Event()
    thread = threading.Thread(target=_log_until, args=(progress, stop), daemon=True)
    thread.start()
    server = start_http_server(metrics_port, registry=registry(progress)) if metrics_port else None
    try:
        yield
    finally:
        stop.set()
        thread.join()
        if server:
            server[0].shutdown()
            server[0].server_close()
            server[1].join()


def registry(progress: Progress) -> CollectorRegistry:
    """Return the gauges of a download."""
    collectors = Collectors(Exporter.DOWNLOAD)
    collectors.gauges[catalogue.DOWNLOADED].set_function(lambda: progress.bytes)
    collectors.gauges[catalogue.DOWNLOAD_SIZE].set_function(lambda: progress.total or 0)
    return collectors.registry


def _log_until(progress: Progress, stop: threading.Event) -> None:
    count, then = progress.bytes, time.monotonic()
    while not stop.wait(LOG_INTERVAL_SECONDS):
        speed = max(0, progress.bytes - count) / (time.monotonic() - then)
        count, then = progress.bytes, time.monotonic()
        log.info(
            progress.phase,
            extra={"bytes": count, "total_bytes": progress.total, "bytes_per_second": round(speed)},
        )
