"""How far the download is: two gauges for the operator and a log line every five seconds for people."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Gauge, start_http_server

LOG_INTERVAL_SECONDS = 5.0

log = logging.getLogger(__name__)


class Progress:
    """What is being done, and how many bytes have come; set by one thread, read by others.

    `phase` is the message of the next log line, `total` the size the source told, in bytes.
    """

    def __init__(self) -> None:
        self.phase = "starting"
        self.bytes = 0
        self.total: int | None = None


@contextmanager
def reported(progress: Progress, *, metrics_port: int) -> Iterator[None]:
    """Report the progress as long as the block runs; port 0 serves no metrics."""
    stop = threading.Event()
    thread = threading.Thread(target=_log_until, args=(progress, stop), daemon=True)
    thread.start()
    server = start_http_server(metrics_port, registry=_gauges(progress)) if metrics_port else None
    try:
        yield
    finally:
        stop.set()
        thread.join()
        if server:
            server[0].shutdown()
            server[0].server_close()
            server[1].join()


def _gauges(progress: Progress) -> CollectorRegistry:
    registry = CollectorRegistry()
    done = Gauge("tts_model_download_bytes", "Bytes of the model downloaded so far.", registry=registry)
    total = Gauge("tts_model_download_total_bytes", "Bytes the source says it has; 0 while unknown.", registry=registry)
    done.set_function(lambda: progress.bytes)
    total.set_function(lambda: progress.total or 0)
    return registry


def _log_until(progress: Progress, stop: threading.Event) -> None:
    count, then = progress.bytes, time.monotonic()
    while not stop.wait(LOG_INTERVAL_SECONDS):
        speed = max(0, progress.bytes - count) / (time.monotonic() - then)
        count, then = progress.bytes, time.monotonic()
        log.info(
            progress.phase,
            extra={"bytes": count, "total_bytes": progress.total, "bytes_per_second": round(speed)},
        )
