"""Progress of a download: for the operator two gauges, for people a line of the log every five seconds."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from ttscontract import metrics as catalogue
from ttscontract.metric import Exporter
from ttsworker.observe.collectors import Collectors

LINE_SECONDS = 5.0
"""Between two lines of progress in a log, or in the output of a build."""

log = logging.getLogger(__name__)


class Progress:
    """What the download does now and how many bytes it has received; one thread writes it, others read it.

    `phase` is the message of the next log line. `total` is the size in bytes that the source reported, else None.
    """

    def __init__(self) -> None:
        self.phase = "starting"
        self.bytes = 0
        self.total: int | None = None


Report = Callable[[str, int, int | None, int], None]
"""Gets the phase, the bytes received, those in all where they are known, and bytes per second."""


@contextmanager
def watched(progress: Progress, report: Report, interval: float) -> Iterator[None]:
    """Call `report` from a thread, every `interval` seconds while the block runs."""
    stop = threading.Event()
    thread = threading.Thread(target=_report_until, args=(progress, stop, report, interval), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def reported(progress: Progress, *, metrics_port: int) -> Iterator[None]:
    """Log the progress while the block runs, and serve it as metrics; port 0 serves none."""
    with watched(progress, _log, LINE_SECONDS):
        server = start_http_server(metrics_port, registry=registry(progress)) if metrics_port else None
        try:
            yield
        finally:
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


def _report_until(progress: Progress, stop: threading.Event, report: Report, interval: float) -> None:
    count, then = progress.bytes, time.monotonic()
    while not stop.wait(interval):
        speed = max(0, progress.bytes - count) / (time.monotonic() - then)
        count, then = progress.bytes, time.monotonic()
        report(progress.phase, count, progress.total, round(speed))


def _log(phase: str, count: int, total: int | None, speed: int) -> None:
    log.info(phase, extra={"bytes": count, "total_bytes": total, "bytes_per_second": speed})
