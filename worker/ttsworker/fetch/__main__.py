"""Command line of the download Job: `python -m ttsworker.fetch`."""

import argparse
import logging
import re
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from ttscontract.pods import METRICS_PORT, TERMINATION_LOG, Termination
from ttscontract.reasons import Reason
from ttsworker.fetch.errors import FetchError
from ttsworker.fetch.job import Outcome, fetch_model
from ttsworker.fetch.progress import Progress, reported
from ttsworker.fetch.sources import Request
from ttsworker.observe import logs, termination

EXIT_FAILED = 1
EXIT_UNREACHABLE = 75
EXIT_INTERRUPTED = 143

log = logging.getLogger("ttsworker.fetch")


def main(arguments: list[str] | None = None) -> int:
    """Run the job and return its exit code: 0, 75 (source unreachable), 143 (told to stop), else 1; 2 is misuse."""
    options = _parser().parse_args(arguments)
    logs.configure(options.log_level)
    request = Request(options.source, options.sha256, options.max_bytes, options.attempts, options.backoff_seconds)
    try:
        outcome = _fetch(request, options)
    except FetchError as error:
        unreachable = error.reason is Reason.SOURCE_UNREACHABLE
        return _fail(options, EXIT_UNREACHABLE if unreachable else EXIT_FAILED, error.reason, str(error))
    except KeyboardInterrupt:
        message = "stopped; what is downloaded is kept for the next run"
        return _fail(options, EXIT_INTERRUPTED, Reason.INTERRUPTED, message)
    except Exception as error:  # the operator reads the reason of every ending, a defect's too
        log.exception("defect")
        return _fail(options, EXIT_FAILED, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
    ending: Termination = {
        "reason": outcome.reason,
        "digest": outcome.manifest.digest,
        "bytes": outcome.manifest.bytes,
    }
    log.info("the model is on the volume", extra=ending)
    termination.write(options.termination_log, ending)
    return 0


def _fetch(request: Request, options: argparse.Namespace) -> Outcome:
    """Fetch while SIGTERM raises KeyboardInterrupt; afterwards it is ignored, for the rest takes no time."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        progress = Progress()
        with reported(progress, metrics_port=options.metrics_port):
            return fetch_model(request, options.root, options.key, progress)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _fail(options: argparse.Namespace, code: int, reason: Reason, message: str) -> int:
    termination.report_failure(reason, message, options.termination_log, level=logging.ERROR)
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ttsworker.fetch", description="Download a model onto a volume.")
    parser.add_argument("--source", required=True, metavar="URL", help="where the model is: https://… or http://…")
    parser.add_argument("--sha256", type=_sha256, metavar="HEX", help="SHA-256 of what is downloaded")
    parser.add_argument("--root", required=True, type=Path, help="the volume's folder")
    parser.add_argument("--key", required=True, help="the model's folder below the root")
    parser.add_argument("--max-bytes", type=_positive, metavar="N", help="largest download, and largest content")
    parser.add_argument(
        "--metrics-port", type=int, default=METRICS_PORT, metavar="N", help="Prometheus metrics; 0: none"
    )
    parser.add_argument("--attempts", type=_positive, default=6, help="tries in a row that may bring nothing")
    parser.add_argument("--backoff-seconds", type=float, default=1.0, help="the first wait between tries; it doubles")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    parser.add_argument("--termination-log", type=Path, default=Path(TERMINATION_LOG), metavar="PATH")
    return parser


def _sha256(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        message = "must be 64 hexadecimal digits"
        raise argparse.ArgumentTypeError(message)
    return text.lower()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


if __name__ == "__main__":
    sys.exit(main())
